"""A condition of patches that is edited, and what it must look like."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from pixelwise.condition import Condition
from pixelwise.render.window import Region
from pixelwise.translate import Translator

SIZE = (37, 51)
"""(height, width): 10 x 13 cells, the last ones not whole."""

CORNERS = [(0, 0, 2, 3), (0, 47, 6, 4), (34, 0, 3, 5), (36, 50, 1, 1)]
SIDES = [(0, 20, 4, 8), (15, 0, 5, 1), (33, 20, 4, 4), (17, 48, 3, 3)]
INSIDE = [(18, 22, 7, 9), (20, 29, 1, 1)]

Make = Callable[..., Translator]


class Scene:
    """A condition of patches, edited beside the session that is compared with fresh translations of it."""

    def __init__(self, translator: Translator, size: tuple[int, int] = SIZE, approximate: bool = False) -> None:
        spec = translator.manifest.spec
        self.random = torch.Generator().manual_seed(1)
        self.translator = translator
        self.num_passes = getattr(translator.generator.config, "passes", 1)
        # Class 2 and don't care come in by edits only.
        labels = self.patches(2, size) if spec.labels else None
        instances = self.patches(6, size) if spec.instances else None
        image = torch.rand(1, 3, *size, generator=self.random) * 2 - 1 if spec.image_channels else None
        self.condition = Condition(labels, instances, image)
        self.session = translator.begin(self.condition, approximate=approximate)

    def patches(self, num_values: int, size: tuple[int, int]) -> Tensor:
        cells = torch.randint(num_values, (1, size[0] // 6 + 1, size[1] // 6 + 1), generator=self.random)
        return cells.repeat_interleave(6, 1).repeat_interleave(6, 2)[:, : size[0], : size[1]].contiguous()

    def edit(self, region: Region, label: int = 0) -> None:
        top, left, height, width = region
        new = {
            name: torch.full_like(plane[0, ..., :height, :width], label if name == "labels" else label + 20)
            if name != "image"
            else torch.rand(3, height, width, generator=self.random) * 2 - 1
            for name, plane in self.condition.planes().items()
        }
        self.session.update(region, **new)
        planes = {name: plane.clone() for name, plane in self.condition.planes().items()}
        for name, plane in new.items():
            planes[name][0, ..., top : top + height, left : left + width] = plane
        self.condition = Condition(**planes)

    def fresh(self, region: Region | None = None, scale: float = 1.0) -> Tensor:
        return self.translator.translate(self.condition, region, scale)

    def check(self, region: Region | None = None, scale: float = 1.0) -> None:
        picture, expected = self.session.render(region, scale), self.fresh(region, scale)
        assert picture.shape == expected.shape
        difference = float((picture - expected).abs().max())
        # Every pass rounds anew what the one before has rounded.
        assert difference <= 1e-6 * self.num_passes, f"{difference:.2e} apart"
