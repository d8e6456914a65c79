"""What one picture of any size takes: ``pixelwise translate map.tif --out picture.tif``, in a process of its own.

``python benchmarks/large.py`` enlarges a scene's label map to the sides asked for, first shows on a small one that the
picture is the one that is made whole, then translates each; it writes ``results/large.json`` and, made from it, the
table of ``results/large.md``. Memory is all that the process ever had at once, Python and PyTorch among it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import tifffile
import torch
import typer

from pixelwise import images, machine
from pixelwise.bench import write
from pixelwise.bench.table import Row
from pixelwise.machine import circumstances_text
from pixelwise.markdown import table
from pixelwise.translate import load

ROOT = Path(__file__).parents[1]
SCENES = ROOT / "examples"
RESULTS = ROOT / "benchmarks" / "results"

SIDES = (4000, 10_000, 20_000)
COMPARED_SIDE = 1000
TILE = 512
MOST_LEVELS_APART = 1
"""Of 255, between a picture made whole and one made by rows: what is rounded up there may be rounded down here."""


class Unequal(Exception):
    """A picture made by rows is not the one that is made whole."""


def write_map(path: Path, scene: Path, side: int) -> None:
    """A scene's label map as a tiled TIFF of side x side."""
    ids = images.read_ids(scene)
    rows, columns = (np.arange(side) * old // side for old in ids.shape)
    tifffile.imwrite(
        path,
        tiles(ids, rows, columns),
        shape=(side, side),
        dtype=np.uint8,
        tile=(TILE, TILE),
        compression="zlib",
        photometric="minisblack",
    )


def tiles(ids: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> Iterator[np.ndarray]:
    for top in range(0, len(rows), TILE):
        band = ids[rows[top : top + TILE]][:, columns].astype(np.uint8)
        for left in range(0, len(columns), TILE):
            tile = band[:, left : left + TILE]
            yield np.pad(tile, [(0, TILE - side) for side in tile.shape])


def translate(model: str, source: Path, out: Path, threads: int) -> tuple[float, int]:
    """Seconds, and the most memory that the process had, in bytes."""
    arguments = ("translate", source, "--model", model, "--out", out, "--device", "cpu", "--threads", threads)
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "pixelwise", *map(str, arguments)], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    # Told of it, Popen does not look for a process that is gone.
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"translating {source} ended with status {process.returncode}")
    return seconds, usage.ru_maxrss * 1024


def prove_equal(model: str, scene: Path, side: int, folder: Path, threads: int) -> int:
    """Levels of 255 between a picture made by rows and made whole. Raises Unequal for more than one."""
    source, out = folder / "small.tif", folder / "small_picture.tif"
    write_map(source, scene, side)
    translate(model, source, out, threads)
    translator = load(model, "cpu")
    (whole,) = translator.translate(translator.read_condition(source))
    apart = np.abs(tifffile.imread(out).astype(int) - images.from_tensor(whole, translator.manifest.target)).max()
    if apart > MOST_LEVELS_APART:
        raise Unequal(f"{side}x{side}: by rows the picture differs from the whole by {apart} of 255 levels")
    return int(apart)


def measure(model: str, scene: Path, sides: Sequence[int], compared_side: int, threads: int, folder: Path) -> Row:
    """All rows, and what a reader must know to judge them, in what JSON can hold."""
    apart = prove_equal(model, scene, compared_side, folder, threads)
    scratch_bytes = load(model, "cpu").ready.scratch_bytes  # type: ignore[union-attr]
    rows = []
    for side in sides:
        typer.echo(f"{side}x{side}", err=True)
        source, out = folder / "map.tif", folder / "picture.tif"
        write_map(source, scene, side)
        seconds, peak = translate(model, source, out, threads)
        rows.append(
            {
                "size": [side, side],
                "seconds": seconds,
                "peak_bytes": peak,
                "scratch_bytes": scratch_bytes((side, side)),
                "picture_bytes": out.stat().st_size,
            }
        )
        out.unlink()
    return {
        **machine.circumstances(),
        "threads": threads,
        "model": model,
        "compared": {"size": [compared_side, compared_side], "levels_apart": apart},
        "rows": rows,
    }


def markdown(results: Row) -> str:
    """The table of what ``measure`` returned, or of the JSON that it was saved as."""
    heads = ["size", "seconds", "per megapixel, ms", "most memory, MB", "on the disk meanwhile, GB", "picture, GB"]
    cells = [
        [
            "{}×{}".format(*row["size"]),
            f"{row['seconds']:.1f}",
            f"{1e9 * row['seconds'] / (row['size'][0] * row['size'][1]):.0f}",
            f"{row['peak_bytes'] / 1e6:.0f}",
            f"{row['scratch_bytes'] / 1e9:.2f}",
            f"{row['picture_bytes'] / 1e9:.2f}",
        ]
        for row in results["rows"]
    ]
    compared = results["compared"]
    text = (
        f"`pixelwise translate map.tif --model {results['model']} --out picture.tif`, each once, in a process of its "
        "own whose whole memory is counted. At {}×{} the picture was first shown to be the one that is made whole (at "
        "most {} of 255 levels apart).".format(*compared["size"], compared["levels_apart"])
    )
    parts = ["# One picture of any size", circumstances_text(results), text, table(heads, cells)]
    return "\n\n".join(parts) + "\n"


def main(
    model: Annotated[str, typer.Option(help="A bundled name.")] = "street",
    scene: Annotated[Path, typer.Option(help="The label map that is enlarged.")] = SCENES / "street" / "avenue.png",
    sides: Annotated[str, typer.Option(help="Pixels, with commas between them.")] = ",".join(map(str, SIDES)),
    compared_side: Annotated[int, typer.Option(min=1, help="Pixels of the picture that is compared.")] = COMPARED_SIDE,
    threads: Annotated[int, typer.Option(min=1, help="Threads that torch may use.")] = 2,
    out: Annotated[Path, typer.Option(help="Folder for the two files.")] = RESULTS,
) -> None:
    """Measures pictures of any size and writes large.json and large.md."""
    torch.set_num_threads(threads)
    try:
        with TemporaryDirectory(prefix="pixelwise-") as folder:
            results = measure(
                model, scene, [int(side) for side in sides.split(",")], compared_side, threads, Path(folder)
            )
    except Unequal as error:
        typer.echo(f"refused: {error}", err=True)
        raise typer.Exit(1) from error
    write(results, out / "large.json", markdown)
    typer.echo(markdown(results))


if __name__ == "__main__":
    typer.run(main)
