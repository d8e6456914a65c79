"""`pixelwise evaluate`: command -> function, as in ``cli``."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pixelwise.errors import InputError
from pixelwise.terminal import console, progress_bar

if TYPE_CHECKING:
    from pixelwise.evaluation import Evaluation, Examination


def evaluate(
    data: Annotated[Path, typer.Option(help="The data set's folder.")],
    models: Annotated[
        list[str] | None, typer.Argument(metavar="MODEL...", help="Bundled names or .safetensors files.")
    ] = None,
    more: Annotated[list[str] | None, typer.Option("--models", "--model", help="The same.")] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            help="What is measured, and how: bsd68-gray-sigma25-v1, …; -from64x96: on inputs of that size, enlarged. "
            "Otherwise the one that suits the data; for pairs of your own, one that is named after them."
        ),
    ] = None,
    split: Annotated[str, typer.Option(help="Of pairs of your own.")] = "val",
    report: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write a page with pictures; go on with what is begun there.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE.json", help="Write all scores.")] = None,
    segmenter: Annotated[
        str | None, typer.Option(help="A network that finds the label maps' classes in photos: a file.")
    ] = None,
    weights: Annotated[Path | None, typer.Option(help="Folder of published weights: Inception's, LPIPS' …")] = None,
    download: Annotated[bool, typer.Option("--download", help="Fetch those that are not there.")] = False,
    statistics: Annotated[
        Path | None, typer.Option(metavar="FILE.npz", help="Published statistics, for one more FID.")
    ] = None,
    processes: Annotated[int, typer.Option(min=1, help="That share the samples, with --report.")] = 1,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    threads: Annotated[int, typer.Option(min=0, help="CPU threads; 0 leaves it to torch.")] = 0,
) -> None:
    """Measure how good models are, by a protocol that leaves nothing open."""
    import torch

    from pixelwise import evaluation
    from pixelwise.atomic import write_text
    from pixelwise.checkpoint import read_manifest, resolve

    if not (named := [*(more or ()), *(models or ())]):
        raise InputError("no models to evaluate: give bundled names or .safetensors files")
    if threads:
        torch.set_num_threads(threads)
    if protocol is None:
        how = evaluation.protocol_for(data, read_manifest(resolve(named[0])), split)
    else:
        how = evaluation.protocol_named(protocol)
    setting = evaluation.Setting(how, data, segmenter, weights, download, statistics, device, report)
    examination = evaluation.prepare(setting)
    for remark in examination.remarks:
        console.print(f"note: {remark}")
    if report is not None:
        with progress_bar() as show:
            evaluation.Comparison(
                examination, report, device, processes, lambda name, done, total: show(done, total, name)
            ).run(named, command_line())
        print(f"wrote {report}")
        return
    found = [_score(examination, name, device) for name in named]
    if out is not None:
        write_text(out, json.dumps([each.to_json() for each in found], indent=1) + "\n")
    print(evaluation.markdown(found), end="")


def command_line() -> str:
    """The command that is running, as one would type it."""
    return shlex.join(["pixelwise", *sys.argv[1:]])


def _score(examination: Examination, model: str, device: str) -> Evaluation:
    from pixelwise.evaluation import score
    from pixelwise.translate import load

    translator = load(model, device)
    examination.check_suits(translator)
    with progress_bar() as show:
        return score(translator.translate, Path(model).stem, examination, show)
