"""Writes docs/results.md, all committed measurements with what to call to repeat each: python scripts/results.py"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from pixelwise.atomic import write_text
from pixelwise.bench import families_markdown, growth_markdown
from pixelwise.bench import markdown as engines_markdown
from pixelwise.bench.contest import PLAIN
from pixelwise.errors import InputError
from pixelwise.evaluation.report import Results
from pixelwise.evaluation.report.markdown import markdown as evaluation_markdown
from pixelwise.machine import circumstances_text, threads_text

ROOT = Path(__file__).parents[1]
BENCHMARKS = ROOT / "benchmarks"
PAGE = ROOT / "docs" / "results.md"

Row = dict[str, Any]


@dataclass(frozen=True)
class Measurement:
    """How a file of results becomes a section.

    Attributes:
        markdown: its tables, from what is in it.
        command: what was called, from what is in it.
        needs: what that needs besides the project, where it does.
    """

    markdown: Callable[[Row], str]
    command: Callable[[Row], str]
    needs: str = ""


def tables_of(module: str) -> Callable[[Row], str]:
    """``markdown`` of a file of benchmarks/, imported when it is called."""

    def markdown(results: Row) -> str:
        if str(BENCHMARKS) not in sys.path:
            sys.path.insert(0, str(BENCHMARKS))
        made: str = import_module(module).markdown(results)
        return made

    return markdown


def listed(values: Iterable[Any]) -> str:
    """Each once, as command lines take several."""
    return ",".join(dict.fromkeys(map(str, values)))


def sizes(results: Row) -> str:
    return listed(f"{height}x{width}" for height, width in (row["size"] for row in results["rows"]))


def engines(results: Row) -> str:
    return listed(row["engine"] for row in results["rows"] if row["engine"] != PLAIN)


def families(results: Row) -> str:
    return listed(row["model"].partition(",")[0] for row in results["rows"])


def trained_comparison(name: str) -> Measurement:
    """Of networks that a file of benchmarks/ trains alike and judges alike."""
    return Measurement(
        tables_of(name),
        lambda results: (
            "pixelwise train experiments/pix2pix_camvid_labels160.py; "
            f"python benchmarks/{name}.py --segmenter runs/pix2pix_camvid_labels160/best.safetensors "
            f"--rounds {results['rounds']} --threads {results['threads']}"
        ),
        needs=(
            "CamVid, where the experiment says that it lies (`--data FOLDER` behind both commands: elsewhere). The "
            "first trains what finds classes in photos, the second all that is compared"
        ),
    )


def engines_beside_plain(option: str = "") -> Measurement:
    """Of ``render.py``, with an option."""
    return Measurement(
        engines_markdown,
        lambda results: (
            f"python benchmarks/render.py {option}--models {listed(row['model'] for row in results['rows'])} "
            f"--engines {engines(results)} --sizes {sizes(results)} --repeats {results['repeats']} "
            f"--threads {results['threads']}"
        ),
    )


MEASUREMENTS: Mapping[str, Measurement] = {
    "render": engines_beside_plain(),
    "render_kept": engines_beside_plain("--keep-memory "),
    "render_growth": Measurement(
        growth_markdown,
        lambda results: (
            f"python benchmarks/render.py --growth {'--keep-memory ' if results['freed_memory_kept'] else ''}"
            f"--engines {engines(results)} "
            f"--repeats {results['repeats']} --threads {results['threads']}"
        ),
    ),
    "streams": Measurement(
        tables_of("streams"),
        lambda results: (
            f"python benchmarks/streams.py --sides {listed(row['size'][0] for row in results['rows'])} "
            f"--engines {engines(results)} --rounds {results['repeats']} --threads {results['threads']}"
        ),
    ),
    "rivals": Measurement(
        tables_of("rivals"),
        lambda results: (
            f"python benchmarks/rivals.py --rivals {families({'rows': results['rows'][1:]})} "
            f"--engine {results['rows'][0]['model'].partition(', ')[2]} --sizes {sizes(results)} "
            f"--rounds {results['rounds']} --threads {results['threads']}"
        ),
    ),
    "preparation": Measurement(
        tables_of("preparation"),
        lambda results: (
            f"python benchmarks/preparation.py --sizes {sizes(results)} --rounds {results['rounds']} "
            f"--threads {results['threads']}"
        ),
    ),
    "families": Measurement(
        tables_of("families_training_table"),
        lambda results: (
            f"python benchmarks/families.py --repeats {results['plan']['repeats']} --threads {results['threads']}"
        ),
    ),
    "families_1024": Measurement(
        families_markdown,
        lambda results: (
            f"pixelwise bench --families {families(results)} --sizes {sizes(results)} "
            f"--repeats {results['plan']['repeats']} --threads {results['threads']} "
            "--out benchmarks/results/families_1024.json"
        ),
    ),
    "folder": Measurement(
        tables_of("folder"),
        lambda results: (
            f"python benchmarks/folder.py --models {listed(row['model'] for row in results['rows'])} "
            f"--count {results['plan']['count']} --portion {results['plan']['portion']} --threads {results['threads']}"
        ),
    ),
    "large": Measurement(
        tables_of("large"),
        lambda results: (
            f"python benchmarks/large.py --model {results['model']} "
            f"--sides {listed(row['size'][0] for row in results['rows'])} "
            f"--compared-side {results['compared']['size'][0]} --threads {results['threads']}"
        ),
    ),
    "side_by_side": Measurement(
        tables_of("side_by_side"),
        lambda results: (
            "for experiment in experiments/compare_*.py; do pixelwise train $experiment; done; "
            f"python benchmarks/side_by_side.py --threads {results['threads']}"
        ),
        needs="CamVid, where the experiments say that it lies (`--data FOLDER` behind an experiment: elsewhere)",
    ),
    "ablations": trained_comparison("ablations"),
    "slimmer": trained_comparison("slimmer"),
    "clade_quality": trained_comparison("clade_quality"),
    "clade_cost": Measurement(
        tables_of("clade_cost"),
        lambda results: (
            f"python benchmarks/clade_cost.py --datasets {listed(row['dataset'] for row in results['rows'])} "
            f"--rounds {results['rounds']} --threads {results['threads']}"
        ),
    ),
    "restorers": Measurement(
        tables_of("restorers"),
        lambda results: (
            "pixelwise adopt dncnn dncnn_25.pth --published kair_25 --out dncnn.safetensors; "
            "python benchmarks/restorers.py --dncnn dncnn.safetensors --data /path/to/bsd_gray "
            f"--rounds {results['rounds']} --threads {results['threads']}"
        ),
        needs="the pictures of BSD in grey, DnCNN's weights as KAIR has them, and scikit-image",
    ),
    "restorers_trained": Measurement(
        tables_of("restorers"),
        lambda results: (
            "pixelwise train experiments/asapnet_denoise_gray25.py; "
            "pixelwise adopt dncnn dncnn_25.pth --published kair_25 --out dncnn.safetensors; "
            "python benchmarks/restorers.py --dncnn dncnn.safetensors "
            "--trained runs/asapnet_denoise_gray25/last.safetensors "
            f"--data /path/to/bsd_gray --rounds {results['rounds']} --threads {results['threads']}"
        ),
        needs="the same",
    ),
    "dncnn": Measurement(
        tables_of("dncnn"),
        lambda results: (
            "python benchmarks/dncnn.py --s15 s15/net.pth --s25 s25/net.pth --s50 s50/net.pth --b b/net.pth "
            f"--data /path/to/bsd_gray --threads {results['threads']}"
        ),
        needs=(
            "BSD68 and Set12 in grey, and the weights of https://github.com/SaoYan/DnCNN-PyTorch, whose SHA-256 here "
            "stand in the JSON"
        ),
    ),
    "seams": Measurement(
        tables_of("seams"),
        lambda results: f"python benchmarks/seams.py --data /path/to/data --threads {results['threads']}",
        needs="the facades at 256x256 (`facades_mini`) and CamVid (`camvid`), in one folder",
    ),
    "msgunet_tables": Measurement(
        tables_of("msgunet_tables"),
        lambda results: (
            f"python benchmarks/msgunet_tables.py --rounds {results['rounds']} --threads {results['threads']}"
        ),
        needs="CamVid, NYU Depth V2 and the aerial photos of pix2pix, in one folder (`--data FOLDER`)",
    ),
    "gradient_flow": Measurement(
        tables_of("gradient_flow"),
        lambda results: f"python benchmarks/gradient_flow.py --steps {results['steps']} --threads {results['threads']}",
        needs="CamVid (`--data FOLDER`)",
    ),
}
"""In the order of the page; what `pixelwise evaluate` wrote needs no line."""

ADOPTED = {
    "runs/dncnn_kair25.safetensors": (
        "pixelwise adopt dncnn dncnn_25.pth --published kair_25 --out runs/dncnn_kair25.safetensors"
    )
}
"""How files of published weights were made that commands name."""


def page(folder: Path) -> str:
    """The whole document, from the files of a folder. Raises InputError for one that nobody knows how to show."""
    contents = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}
    order = dict.fromkeys([*MEASUREMENTS, *contents])
    known = {name: measurement_of(name, contents[name]) for name in order if name in contents}
    parts = [
        "# Results",
        "Written by `python scripts/results.py` from [benchmarks/results](../benchmarks/results); `make bench` and the "
        "commands here write those. Each command, called at the top of a checkout where `pixelwise` is installed with "
        "`[dev]`, repeats all rows of its section on the machine at hand.",
        overview(known, contents),
        *(section(name, measurement, contents[name]) for name, measurement in known.items()),
    ]
    return "\n\n".join(parts) + "\n"


def measurement_of(name: str, content: Row) -> Measurement:
    if name in MEASUREMENTS:
        return MEASUREMENTS[name]
    try:
        results = Results.from_json(content)
    except InputError as error:
        raise InputError(
            f"{name}.json: neither in MEASUREMENTS nor what `pixelwise evaluate` writes: {error}"
        ) from error
    return Measurement(
        lambda _: evaluation_markdown(results),
        lambda _: from_the_start(results.command),
        needs="the data set, in the folder that `--data` names",
    )


def from_the_start(command: str) -> str:
    """A command, behind those that make the runs and the adopted weights that it names."""
    runs = dict.fromkeys(re.findall(r"runs/(\w+)/", command))
    trained = [f"pixelwise train experiments/{run}.py" for run in runs]
    adopted = [made for file, made in ADOPTED.items() if file in command]
    return "; ".join([*trained, *adopted, command])


def overview(known: Mapping[str, Measurement], contents: Mapping[str, Row]) -> str:
    lines = ["| | measured | on | results |", "| --- | --- | --- | --- |"]
    for name, measurement in known.items():
        found = contents[name].get("circumstances", contents[name])
        title = measurement.markdown(contents[name]).partition("\n")[0].removeprefix("# ")
        machine = circumstances_text(found).partition(";")[0]
        where = f"{machine}; {threads_text(found['threads'])}"
        lines.append(f"| [{title}](#{name}) | {found['date'][:10]} | {where} | {source(name)} |")
    return "\n".join(lines)


def source(name: str) -> str:
    return f"[{name}.json](../benchmarks/results/{name}.json)"


def section(name: str, measurement: Measurement, content: Row) -> str:
    """Tables under their heading, one level lower, with where they are from and how to have them again."""
    tables = re.sub("^#", "##", measurement.markdown(content), flags=re.MULTILINE).replace("](../../", "](../")
    heading, _, rest = tables.strip().partition("\n\n")
    needs = f", which needs {measurement.needs}" if measurement.needs else ""
    again = f"From {source(name)}. To repeat it{needs}:\n\n```\n{measurement.command(content)}\n```"
    return "\n\n".join([f'<a id="{name}"></a>', heading, again, rest])


if __name__ == "__main__":
    write_text(PAGE, page(BENCHMARKS / "results"))
