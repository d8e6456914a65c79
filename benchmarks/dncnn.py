r"""DnCNN's published weights, judged by our protocols: do they reach here what was published of them?

    python benchmarks/dncnn.py --s15 s15/net.pth --s25 s25/net.pth --s50 s50/net.pth --b b/net.pth \
        --data /path/to/bsd_gray

adopts each file, denoises BSD68 and Set12 with it, writes ``results/dncnn.json`` and, made from it, the table of
``results/dncnn.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import typer

from pixelwise import machine
from pixelwise.adopt import adopt_file
from pixelwise.bench.measurement import write
from pixelwise.bench.table import Row
from pixelwise.digest import sha256_of
from pixelwise.errors import InputError
from pixelwise.evaluation import evaluate, protocol_named
from pixelwise.machine import circumstances_text
from pixelwise.markdown import table
from pixelwise.translate import load

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
DATA = ROOT.parent / "shared" / "data" / "bsd_gray"

Weights = Annotated[Path, typer.Option(metavar="FILE", help="As published: .pth, or .npz.")]


@dataclass(frozen=True)
class Case:
    """One cell of the published tables.

    Attributes:
        weights: a published configuration of DnCNN.
        sigma: of the noise, in grey levels.
        pictures: the set.
        published: PSNR in dB, as the weights' authors state it.
    """

    weights: str
    sigma: int
    pictures: str
    published: float

    @property
    def protocol(self) -> str:
        return f"{self.pictures}-gray-sigma{self.sigma}-v1"


CASES = (
    *(Case(f"s{sigma}", sigma, "bsd68", psnr) for sigma, psnr in ((15, 31.71), (25, 29.21), (50, 26.22))),
    *(Case(f"s{sigma}", sigma, "set12", psnr) for sigma, psnr in ((15, 32.84), (25, 30.40), (50, 27.17))),
    Case("b", 25, "bsd68", 29.15),
    Case("b", 25, "set12", 30.34),
)
"""Of https://github.com/SaoYan/DnCNN-PyTorch."""


def main(
    s15: Weights,
    s25: Weights,
    s50: Weights,
    b: Weights,
    data: Annotated[Path, typer.Option(help="Folder of bsd_gray.")] = DATA,
    runs: Annotated[Path, typer.Option(help="Folder for the adopted checkpoints.")] = ROOT / "runs" / "dncnn",
    threads: Annotated[int, typer.Option(min=1, help="Threads that torch may use.")] = 2,
    out: Annotated[Path, typer.Option(help="Folder for the JSON file and the table.")] = RESULTS,
) -> None:
    """Judges all and writes dncnn.json and dncnn.md."""
    torch.set_num_threads(threads)
    try:
        results = measure({"s15": s15, "s25": s25, "s50": s50, "b": b}, data, runs, announce)
    except InputError as error:
        typer.echo(f"refused: {error}", err=True)
        raise typer.Exit(1) from error
    write(results, out / "dncnn.json", markdown)
    typer.echo(markdown(results))


def announce(text: str) -> None:
    typer.echo(text, err=True)


def measure(files: Mapping[str, Path], data: Path, runs: Path, progress: Callable[[str], object]) -> Row:
    """A row for each of ``CASES``, in what JSON can hold.

    Args:
        files: published weights by the configurations' names.
        data: folder of bsd_gray.
        runs: folder for what is adopted of them.
        progress: is told what comes next.

    Raises:
        InputError: weights that do not fit, or pictures that are not the protocols'.
    """
    for name, file in files.items():
        adopt_file("dncnn", file, runs / f"{name}.safetensors", published=name, overwrite=True)
    rows = []
    for case in CASES:
        progress(f"{case.weights} by {case.protocol}")
        found = evaluate(load(runs / f"{case.weights}.safetensors", "cpu"), protocol_named(case.protocol), data)
        rows.append(
            {
                "weights": case.weights,
                "protocol": case.protocol,
                "psnr": found.figures["psnr"],
                "ssim": found.figures["ssim"],
                "published": case.published,
                "samples": len(found.scores),
                "targets_sha256": found.targets_digest,
                "caveats": list(found.caveats),
            }
        )
    weights = {name: sha256_of(file) for name, file in files.items()}
    return {**machine.circumstances(), "weights_sha256": weights, "rows": rows}


def markdown(results: Row) -> str:
    """The page of what ``measure`` returned, or of the JSON that it was saved as."""
    lines = [
        [
            f"DnCNN-{row['weights'].upper()}",
            row["protocol"],
            f"{row['psnr']:.3f}",
            f"{row['published']:.2f}",
            f"{row['psnr'] - row['published']:+.3f}",
            f"{row['ssim']:.4f}",
        ]
        for row in results["rows"]
    ]
    text = (
        "PSNR in dB of weights that others trained and published, adopted; beside it what they state. Noise is drawn "
        "once, from the protocol's seed, so that a hundredth is chance."
    )
    heads = ["weights", "protocol", "PSNR", "published", "difference", "SSIM"]
    caveats = dict.fromkeys(caveat for row in results["rows"] for caveat in row["caveats"])
    parts = ["# DnCNN's published weights", circumstances_text(results), text, table(heads, lines), *caveats]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    typer.run(main)
