"""`pixelwise evaluate`: command -> function, as in ``cli``."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pixelwise.atomic import check_writable
from pixelwise.errors import InputError
from pixelwise.terminal import console, progress_bar

if TYPE_CHECKING:
    from pixelwise.evaluation import Examination, Protocol, Setting

_ADVICE = {
    "weights": "--weights FOLDER says where published weights are",
    "download": "--download fetches published weights",
    "segmenter": "--segmenter FILE gives a network that finds classes in photos",
}

Data = Annotated[Path, typer.Option(help="The data set's folder.")]
Models = Annotated[
    list[str] | None,
    typer.Argument(metavar="MODEL...", help="Bundled names, .safetensors files, or folders of finished pictures."),
]
MoreModels = Annotated[list[str] | None, typer.Option("--models", "--model", help="The same.")]
ProtocolName = Annotated[
    str | None,
    typer.Option(
        help="What is measured, and how: bsd68-gray-sigma25-v1, …; -from64x96: on inputs of that size, enlarged. "
        "Otherwise the one that suits the data; for pairs of your own, one that is named after them."
    ),
]
Split = Annotated[str | None, typer.Option(help="Of pairs of your own; val unless told.")]
Report = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Write a page with pictures; go on with what is begun there.")
]
Out = Annotated[Path | None, typer.Option(metavar="FILE.json", help="Write all scores.")]
SegmenterFile = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="A network that finds the label maps' classes in photos: a model of ours (.safetensors), a DRN's weights "
        "(.pth), or TorchScript (.pt) or ONNX (.onnx) from B x 3 x H x W float32, red first, to scores B x classes x "
        "h x w or class indices B x H x W. Beside those two a .json of the same name says which numbers they read, "
        'such as {"black": 0, "white": 1, "mean": [0.5, 0.5, 0.5], "std": [0.2, 0.2, 0.2]}.',
    ),
]
Weights = Annotated[Path | None, typer.Option(help="Folder of published weights: Inception's, LPIPS' …")]
Download = Annotated[bool, typer.Option("--download", help="Fetch those that are not there.")]
Statistics = Annotated[
    Path | None, typer.Option(metavar="FILE.npz", help="Statistics of other real pictures, for one more FID.")
]
WriteStatistics = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER", help="Instead of measuring models, write those of the real pictures, for --statistics."
    ),
]
Memory = Annotated[
    bool, typer.Option(help="With --report, what a step of training takes too, in a process for each model.")
]
Processes = Annotated[int, typer.Option(min=1, help="That share the samples, with --report.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Threads = Annotated[int, typer.Option(min=0, help="CPU threads; 0 leaves it to torch.")]


def evaluate(
    data: Data,
    models: Models = None,
    more: MoreModels = None,
    protocol: ProtocolName = None,
    split: Split = None,
    report: Report = None,
    out: Out = None,
    segmenter: SegmenterFile = None,
    weights: Weights = None,
    download: Download = False,
    statistics: Statistics = None,
    write_statistics: WriteStatistics = None,
    memory: Memory = True,
    processes: Processes = 1,
    device: Device = "auto",
    threads: Threads = 0,
) -> None:
    """Measure how good models are, by a protocol that leaves nothing open."""
    import torch

    from pixelwise.evaluation import Setting
    from pixelwise.evaluation.json_file import write_json

    if threads:
        torch.set_num_threads(threads)
    if out is not None:
        check_writable(out)
    if report is None:
        _check_no_report(processes, memory)
    elif write_statistics is not None:
        raise InputError(f"--report {report}: there is none with --write-statistics, which measures no models")
    entrants = [*(more or ()), *(models or ())]
    how = _protocol(protocol, data, split, entrants)
    setting = Setting(how, data, segmenter, weights, download, statistics, device, kept=report)
    if write_statistics is not None:
        found, text = _real_statistics(setting, entrants, write_statistics)
    elif report is not None:
        found, text = _report(setting, entrants, report, processes, memory)
    else:
        found, text = _scores(setting, entrants)
    print(text, end="")
    if out is not None:
        write_json(out, found)


def _protocol(name: str | None, data: Path, split: str | None, entrants: list[str]) -> Protocol:
    """The protocol of that name; without one, that which suits the data and the first model."""
    from pixelwise.evaluation import protocol_named

    if name is None or name.startswith("own-"):
        found = _protocol_of(data, name or "", split, entrants)
    else:
        found = protocol_named(name)
    if split not in (None, found.split):
        raise InputError(f"--split {split}: {found.name} measures on {found.split}; --split is of pairs of your own")
    return found


def _protocol_of(data: Path, name: str, split: str | None, entrants: list[str]) -> Protocol:
    """That which suits the data and the first model, if it has this name or none was given."""
    from pixelwise.checkpoint import read_manifest, resolve
    from pixelwise.evaluation import protocol_for
    from pixelwise.evaluation.entrant import is_folder
    from pixelwise.evaluation.protocol import name_and_source

    models = [entrant for entrant in entrants if not is_folder(entrant)]
    manifest = read_manifest(resolve(models[0])) if models else None
    found = protocol_for(data, manifest, "val" if split is None else split)
    wanted, source = name_and_source(name)
    if wanted not in ("", found.name):
        raise InputError(f"--protocol {name}: the pairs in {data} are those of {found.name}")
    return found if source is None else found.from_source(source)


def _scores(setting: Setting, entrants: Sequence[str]) -> tuple[object, str]:
    """What was found, for JSON, and the table of it."""
    from pixelwise.evaluation import markdown, score_targets
    from pixelwise.evaluation.entrant import maker, named_apart
    from pixelwise.evaluation.scores import REAL, score_made

    named = named_apart(entrants, taken=(REAL,))
    examination, found = _prepare(setting), []
    for name, entrant in named.items():
        make = maker(entrant, examination, setting.device)
        with progress_bar() as show:
            found.append(score_made(make, name, examination, show))
    found += [real] if (real := score_targets(examination)) else []
    return [each.to_json() for each in found], markdown(found)


def _report(
    setting: Setting, entrants: Sequence[str], folder: Path, processes: int, memory: bool
) -> tuple[object, str]:
    """What was found, for JSON, and where the page of it is."""
    from pixelwise.evaluation import Comparison
    from pixelwise.evaluation.report import write_report

    _check_report(folder)
    examination = _prepare(setting)
    with progress_bar() as show:

        def tell(name: str, done: int, total: int) -> None:
            show(done, total, name)

        comparison = Comparison(examination, folder, setting.device, processes, tell, training=memory)
        found = comparison.run(entrants, command_line())
    return found, f"wrote {write_report(folder / 'report.json', folder)}\n"


def _real_statistics(setting: Setting, entrants: Sequence[str], folder: Path) -> tuple[object, str]:
    """Which files were written, for JSON and for people."""
    from pixelwise.evaluation.inception import write_real_statistics

    if entrants:
        raise InputError(f"--write-statistics is of real pictures; measure {', '.join(entrants)} in a call of its own")
    if useless := [file for file in (setting.statistics, setting.segmenter) if file is not None]:
        raise InputError(f"--write-statistics has no use for {useless[0]}")
    if caveat := setting.protocol.caveat(setting.root):
        console.print(f"note: {caveat}")
    paths = write_real_statistics(setting, folder)
    return [str(path) for path in paths], "".join(f"wrote {path}\n" for path in paths)


def _check_no_report(processes: int, memory: bool) -> None:
    """Raises InputError for options that would have no effect where no report is written."""
    if processes > 1 or not memory:
        option = "--processes" if processes > 1 else "--no-memory"
        raise InputError(f"{option} says how models are measured for a --report, and none is asked for")


def _check_report(folder: Path) -> None:
    """Raises InputError for what would stop a report only after hours of work."""
    from pixelwise.evaluation.report import check_installed

    check_installed()
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--report {folder}: is a file, expected a folder")


def _prepare(setting: Setting) -> Examination:
    """What all are asked, and before the work a word of what cannot be measured, or will not compare."""
    from pixelwise.evaluation import prepare

    examination = prepare(setting)
    for remark in (*examination.remarks, *examination.caveats):
        console.print(f"note: {remark}")
    if examination.remarks and (advice := "; ".join(_what_would_help(setting))):
        console.print(f"note: {advice}")
    return examination


def _what_would_help(setting: Setting) -> Iterator[str]:
    """Options that were not given and that something which the protocol measures takes."""
    from pixelwise.evaluation.measures import takes

    for name, words in _ADVICE.items():
        if not getattr(setting, name) and takes(setting.protocol, name):
            yield words


def command_line() -> str:
    """The command that is running, as one would type it."""
    return shlex.join(["pixelwise", *sys.argv[1:]])
