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
    from pixelwise.evaluation import Evaluation, Examination, Protocol


def evaluate(
    data: Annotated[Path, typer.Option(help="The data set's folder.")],
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="MODEL...", help="Bundled names, .safetensors files, or folders of finished pictures."),
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
    from pixelwise.evaluation.report import check_installed, write_report

    if not (named := [*(more or ()), *(models or ())]):
        raise InputError("no models to evaluate: give bundled names or .safetensors files")
    if threads:
        torch.set_num_threads(threads)
    how = _protocol_for(data, named, split) if protocol is None else evaluation.protocol_named(protocol)
    setting = evaluation.Setting(how, data, segmenter, weights, download, statistics, device, report)
    examination = evaluation.prepare(setting)
    for remark in examination.remarks:
        console.print(f"note: {remark}")
    if report is not None:
        check_installed()
        with progress_bar() as show:
            evaluation.Comparison(
                examination, report, device, processes, lambda name, done, total: show(done, total, name)
            ).run(named, command_line())
        print(f"wrote {write_report(report / 'report.json', report)}")
        print((report / "report.md").read_text(encoding="utf-8"), end="")
        return
    found = [_score(examination, name, device) for name in named]
    if out is not None:
        write_text(out, json.dumps([each.to_json() for each in found], indent=1) + "\n")
    print(evaluation.markdown(found), end="")


def command_line() -> str:
    """The command that is running, as one would type it."""
    return shlex.join(["pixelwise", *sys.argv[1:]])


def _protocol_for(data: Path, named: list[str], split: str) -> Protocol:
    from pixelwise.checkpoint import read_manifest, resolve
    from pixelwise.evaluation import protocol_for
    from pixelwise.evaluation.entrant import is_folder

    models = [name for name in named if not is_folder(name)]
    if not models:
        raise InputError("--protocol: must be named where all that is evaluated are folders of pictures")
    return protocol_for(data, read_manifest(resolve(models[0])), split)


def _score(examination: Examination, entrant: str, device: str) -> Evaluation:
    from pixelwise.evaluation.entrant import maker, name_of
    from pixelwise.evaluation.scores import score_made

    make = maker(entrant, examination, device)
    with progress_bar() as show:
        return score_made(make, name_of(entrant), examination, show)
