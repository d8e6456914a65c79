"""Draws the label maps that the demos start from: invented house fronts and streets, nobody's annotations.

    python examples/draw_scenes.py [FOLDER]

writes FOLDER/facades/*.png and FOLDER/street/*.png; without FOLDER, the maps beside this script. Pixels are class ids,
the palette holds the colours of the classes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from scenes import facades, outer_streets, town_streets
from scenes.polygon import Scene

from pixelwise import images
from pixelwise.data.camvid import LABELS as STREET_LABELS
from pixelwise.data.facades import MINI_LABELS as FACADE_LABELS
from pixelwise.labels import LabelSpec


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw the label maps of the demos.")
    parser.add_argument("folder", type=Path, nargs="?", default=Path(__file__).parent, help="where to write them")
    folder = parser.parse_args().folder
    write_scenes(facades.SCENES, FACADE_LABELS, folder / "facades")
    write_scenes((*town_streets.SCENES, *outer_streets.SCENES), STREET_LABELS, folder / "street")


def write_scenes(scenes: Iterable[Scene], spec: LabelSpec, folder: Path) -> None:
    """Writes every scene as ``folder/NAME.png``, an 8-bit palette image of the spec's file ids."""
    folder.mkdir(parents=True, exist_ok=True)
    for scene in scenes:
        images.write_labels(folder / f"{scene.name}.png", draw(scene), spec)


def draw(scene: Scene) -> np.ndarray:
    """The scene's class indices, H W uint8."""
    height, width = scene.size
    label_map = Image.new("L", (width, height), scene.background)
    pencil = ImageDraw.Draw(label_map)
    for polygon in scene.polygons():
        # Whole pixels, so that it does not matter how a version of Pillow rounds.
        pencil.polygon([(round(x), round(y)) for x, y in polygon.points], fill=polygon.label)
    return np.array(label_map)


if __name__ == "__main__":
    main()
