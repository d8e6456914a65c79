"""Do the cells of pixelwise models show? The same weights, with parameters of the nearest cell and interpolated ones.

``python benchmarks/seams.py --data /path/to/data`` translates the validation pictures of the bundled models' sets in
both ways, writes ``results/seams.json`` and, made from it, the table of ``results/seams.md``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import torch
import typer

from pixelwise import machine
from pixelwise.bench.measurement import write
from pixelwise.bench.table import Row
from pixelwise.checkpoint import Checkpoint, build, load_checkpoint, resolve
from pixelwise.errors import InputError
from pixelwise.evaluation import Evaluation, Setting, prepare, protocol_named, score, score_targets
from pixelwise.machine import circumstances_text
from pixelwise.markdown import table
from pixelwise.models.asapnet import AsapNetConfig
from pixelwise.state_dict import load_strictly
from pixelwise.translate import Translator

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
DATA = ROOT.parent / "shared" / "data"


@dataclass(frozen=True)
class Case:
    """A bundled model, and the pictures that it makes here.

    Attributes:
        model: its name.
        protocol: whose data, split and size are used.
        folder: where these lie, below that of all data.
    """

    model: str
    protocol: str
    folder: str


CASES = (
    Case("facades", "facades-mini-val-v1", "facades_mini"),
    Case("street", "camvid-val-240x320-v1", "camvid"),
)


def main(
    data: Annotated[Path, typer.Option(help="Folder of the data sets' folders.")] = DATA,
    threads: Annotated[int, typer.Option(min=1, help="Threads that torch may use.")] = 2,
    out: Annotated[Path, typer.Option(help="Folder for the JSON file and the table.")] = RESULTS,
) -> None:
    """Judges all and writes seams.json and seams.md."""
    torch.set_num_threads(threads)
    try:
        rows = [row for case in CASES for row in measure(case, data, announce)]
    except InputError as error:
        typer.echo(f"refused: {error}", err=True)
        raise typer.Exit(1) from error
    results = {**machine.circumstances(), "rows": rows}
    write(results, out / "seams.json", markdown)
    typer.echo(markdown(results))


def announce(text: str) -> None:
    typer.echo(text, err=True)


def measure(case: Case, data: Path, progress: Callable[[str], object]) -> list[Row]:
    """A row for the real photos and for each way to upsample the parameters, in what JSON can hold.

    Raises:
        InputError: data that are not the protocol's, or cannot be read.
    """
    checkpoint = load_checkpoint(resolve(case.model))
    config = config_of(checkpoint)
    protocol = replace(protocol_named(case.protocol), measures=("psnr", "ssim", f"seams_{config.cell}"))
    examination = prepare(Setting(protocol, data / case.folder))
    judged = {"real photos": score_targets(examination)}
    for name, bilinear in {"nearest": False, "bilinear": True}.items():
        called = f"{name}, as trained" if bilinear == config.bilinear else name
        progress(f"{case.model}, {called}, by {protocol.name}")
        translator = Translator(with_upsampling(checkpoint, bilinear), "cpu")
        judged[called] = score(translator.translate, called, examination)
    return [row_of(case, config.cell, name, found) for name, found in judged.items() if found is not None]


def with_upsampling(checkpoint: Checkpoint, bilinear: bool) -> Checkpoint:
    generator = build(replace(config_of(checkpoint), bilinear=bilinear))
    load_strictly(generator, checkpoint.generator.state_dict())
    return replace(checkpoint, generator=generator)


def config_of(checkpoint: Checkpoint) -> AsapNetConfig:
    assert isinstance(checkpoint.generator.config, AsapNetConfig)
    return checkpoint.generator.config


def row_of(case: Case, cell: int, parameters: str, found: Evaluation) -> Row:
    figures = found.figures
    return {
        "model": case.model,
        "protocol": case.protocol,
        "cell": cell,
        "parameters": parameters,
        "seams": figures[f"seams_{cell}"],
        "psnr": figures.get("psnr"),
        "ssim": figures.get("ssim"),
        "samples": len(found.scores),
        "targets_sha256": found.targets_digest,
        "caveats": list(found.caveats),
    }


def markdown(results: Row) -> str:
    """The page of what ``main`` saved: a table for each protocol."""
    text = (
        "How much larger the steps between neighbouring pixels are across the borders of cells than inside cells, of "
        "the validation pictures of the bundled models' sets. Both rows of a model have the same weights, which were "
        "trained for one of them."
    )
    parts = ["# Seams", circumstances_text(results), text]
    for protocol in dict.fromkeys(row["protocol"] for row in results["rows"]):
        rows = [row for row in results["rows"] if row["protocol"] == protocol]
        model, cell, samples = (rows[0][key] for key in ("model", "cell", "samples"))
        heads = ["parameters", f"seams ({cell})", "PSNR", "SSIM"]
        lines = [
            [row["parameters"], f"{row['seams']:.3f}", fixed(row["psnr"], 2), fixed(row["ssim"], 3)] for row in rows
        ]
        caveats = dict.fromkeys(caveat for row in rows for caveat in row["caveats"])
        parts += [f"## `{model}`, {samples} pictures, {protocol}", table(heads, lines), *caveats]
    return "\n\n".join(parts) + "\n"


def fixed(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


if __name__ == "__main__":
    typer.run(main)
