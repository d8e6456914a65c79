"""Renders parts of two scenes finer than their label maps, beside bicubic enlargement.

The field of MLPs is a continuous function of the position: between the pixels of the label map it can be evaluated too.
Writes out/finer.png: enlarged by bicubic interpolation | rendered at that scale, a row for each scene.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F

from pixelwise import images
from pixelwise.contact_sheet import contact_sheet, tensor_pictures
from pixelwise.translate import load

HERE = Path(__file__).parent
OUT = Path("out/finer.png")
SCALE = 4
PARTS = {"facades/palace.png": (96, 64, 80, 112), "street/high_street.png": (88, 40, 80, 112)}
"""Scene: (top, left, height, width) of the part shown, in pixels of the label map."""


def main() -> None:
    rows = []
    for scene, part in PARTS.items():
        translator = load(scene.split("/")[0])
        condition = translator.read_condition(HERE / scene)
        top, left, height, width = part
        usual = translator.translate(condition, region=part)
        enlarged = F.interpolate(usual, scale_factor=SCALE, mode="bicubic", align_corners=False).clamp(-1, 1)
        finer = translator.translate(condition, region=tuple(SCALE * side for side in part), scale=SCALE)  # type: ignore[arg-type]
        rows.append(tensor_pictures(torch.cat([enlarged, finer])))
        print(f"{scene}: {width}x{height} pixels at {top}, {left}, rendered as {SCALE * width}x{SCALE * height}")
    images.write(OUT, contact_sheet(rows))
    print(f"bicubic | rendered: {OUT}")


if __name__ == "__main__":
    main()
