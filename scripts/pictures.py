"""Writes README's pictures, drawn scenes and what the bundled models make of them: python scripts/pictures.py"""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
from PIL import Image

from pixelwise import images
from pixelwise.contact_sheet import condition_pictures, contact_sheet, tensor_pictures
from pixelwise.translate import Translator, load

ROOT = Path(__file__).parents[1]
EXAMPLES, DOCS = ROOT / "examples", ROOT / "docs"
SCENES = {
    "facades": ("close_up", "corner_bays", "narrow_house", "stacked_balconies"),
    "street": ("high_street", "school_crossing", "station_road"),
}
SHOWN = {"facades": (150, 150), "street": (201, 151)}
"""Width and height of a model's pictures, so that its row is as wide as the other's."""


def sheet() -> np.ndarray:
    """A row for each model: label map, picture, label map, picture, …"""
    rows = []
    for name, scenes in SCENES.items():
        translator = load(name, "cpu")
        pictures = [picture for scene in scenes for picture in pair(translator, EXAMPLES / name / f"{scene}.png")]
        rows.append([contact_sheet([pictures])])
    return contact_sheet(rows)


def pair(translator: Translator, scene: Path) -> list[np.ndarray]:
    condition = translator.read_condition(scene)
    [labels] = condition_pictures(condition, translator.manifest.spec)
    [picture] = tensor_pictures(translator.translate(condition))
    size = SHOWN[scene.parent.name]
    resized = (
        Image.fromarray(labels).resize(size, Image.NEAREST),
        Image.fromarray(picture).resize(size, Image.LANCZOS),
    )
    return [np.asarray(each) for each in resized]


if __name__ == "__main__":
    images.write(DOCS / "contact_sheet.jpg", sheet())
    finer = runpy.run_path(str(EXAMPLES / "finer.py"))
    finer["main"]()
    images.write(DOCS / "finer.jpg", images.read(finer["OUT"]))
