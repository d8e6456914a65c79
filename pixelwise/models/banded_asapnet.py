"""The pictures that an ASAP-Net makes of its fields: band by band, so that few parameters are held at a time, and pass
by pass, each of as much of the one before as is read for it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Protocol

import torch
from torch import Tensor

from pixelwise import labels as plain_maps
from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.lowres import maps as compiled_maps
from pixelwise.models.asapnet import AsapNet
from pixelwise.models.family import Translation
from pixelwise.models.graphed_asapnet import PARAMETER_BYTES
from pixelwise.native import library
from pixelwise.render import Guide, PixelwiseField, Window, render
from pixelwise.render.axis import visible_cells
from pixelwise.render.bands import joined
from pixelwise.render.window import covered

BAND_BYTES = 20 << 20
"""About as much memory as parameters may take at a time on a CPU: what comes from the stream should still be in the
cache when it is rendered, and large pictures have many cells. On a GPU only memory sets a limit."""

Cells = tuple[int, int, int, int]
"""(top, left, height, width) in cells."""

Fields = Callable[[Guide, Window, float], PixelwiseField]
"""From the guide around a window, the window and the scale to the field of the cells that act on the window."""


class _Maps(Protocol):
    """What is asked of label and instance maps: by torch in ``labels``, or compiled in ``lowres.maps``."""

    def as_bytes(self, labels: Tensor, num_channels: int) -> Tensor: ...

    def occurring(self, labels: Tensor, num_channels: int) -> Tensor: ...

    def instance_edges(self, instances: Tensor) -> Tensor: ...


class BandedAsapNet:
    """The pixelwise half of an ASAP-Net, for inference: it is told what makes fields.

    Args:
        generator: the network.
        engine: a name of ``render.ENGINES``, or "auto".
    """

    def __init__(self, generator: AsapNet, engine: str) -> None:
        self.generator = generator
        self.config = generator.config
        self._engine = engine
        self._on_cpu = next(generator.parameters()).device.type == "cpu"
        self._compiled = self._on_cpu and engine in ("auto", "native") and library.missing() is None

    @property
    def _maps(self) -> _Maps:
        return compiled_maps if self._compiled else plain_maps

    def compact(self, condition: Condition) -> Condition:
        """The same condition, on the CPU with labels in bytes: of int32, as files give them, each kernel would make a
        copy of its own.

        Raises:
            InputError: classes that the network does not know.
        """
        num_labels = self.config.num_labels
        if condition.labels is None or not num_labels or not self._on_cpu:
            return condition
        return replace(condition, labels=self._maps.as_bytes(condition.labels, num_labels))

    def guide(self, condition: Condition) -> Guide:
        """See ``AsapNet.guide``."""
        return self.generator.guide(condition, self._maps.instance_edges)

    def other_planes(self, condition: Condition, rows: slice = slice(None)) -> Tensor | None:
        """See ``AsapNet.other_planes``."""
        return self.generator.other_planes(condition, rows, self._maps.instance_edges)

    @torch.no_grad()
    def __call__(self, guide: Guide, fields: Fields, window: Window | None = None, scale: float = 1.0) -> Translation:
        """A window of the picture.

        Args:
            guide: of the whole condition.
            fields: makes fields of all passes.
            window: in pixels of the output; None for all.
            scale: pixels of the output per pixel of the guide.

        Raises:
            InputError: see ``render``.
        """
        whole = covered(guide.size, scale=scale)
        window = window or whole
        if not whole.contains(window):
            raise InputError(f"the window {window} reaches beyond the image, which is {whole}")
        last = self.config.passes - 1
        made = (self.after_pass(last, guide, fields, band, scale) for band in self.bands(window, scale))
        return Translation(joined(made, window.height))

    def after_pass(self, number: int, guide: Guide, fields: Fields, window: Window, scale: float = 1.0) -> Tensor:
        """A window of the picture that one of the passes makes.

        Args:
            number: of the pass, from 0.
            guide: of the condition, as far as all passes read around the window.
            fields, window, scale: see ``__call__``.
        """
        part = guide.around(window, scale)
        if number:
            seen = Window(*part.origin, *part.size)
            part = self.generator.reread(part, self.after_pass(number - 1, guide, fields, seen))
        image = render(fields(part, window, scale).of_pass(number), part, self._engine, window=window, scale=scale)
        if self.config.residual and part.image is not None:
            image = image + part.image_at(window, scale)[:, : self.config.out_channels]
        return image

    def bands(self, window: Window, scale: float = 1.0, num_bytes: int | None = None) -> Iterator[Window]:
        """The window from top to bottom, cut between cells where the parameters of all would take more memory than
        ``num_bytes``, but for those of a single row of cells; None for as much as is fastest.

        Bands have about equally many rows of cells: so as few at a time as so many bands allow.
        """
        cell = self.config.cell * scale
        cells_across = window.width / cell + 2
        if num_bytes is None:
            num_bytes = BAND_BYTES if self._on_cpu else PARAMETER_BYTES
        most_rows = max(1, int(num_bytes / (4 * self.config.num_parameters * cells_across)))
        # With bilinear parameters, other MLPs act from the cells' centres on.
        first = -cell / 2 if self.config.bilinear else 0.0
        first += cell * math.floor((window.top - first) / cell)
        num_rows = math.ceil((window.bottom - first) / cell)
        rows = math.ceil(num_rows / math.ceil(num_rows / most_rows))
        top = window.top
        while top < window.bottom:
            next_band = math.floor((top - first) / (rows * cell)) + 1
            bottom = min(max(math.ceil(first + next_band * rows * cell), top + 1), window.bottom)
            yield Window(top, window.left, bottom - top, window.width)
            top = bottom

    def field(
        self, parameters: Callable[[Cells], Tensor], grid: tuple[int, int], window: Window, scale: float
    ) -> PixelwiseField:
        """The field of those of the grid's cells that act on the window, given what makes the parameters of cells."""
        config = self.config
        cells = visible_cells(config.cell, config.bilinear, grid, window, scale)
        return PixelwiseField(
            parameters(cells), config.mlp, config.cell, config.bilinear, config.pixel_code, (cells[0], cells[1])
        )

    def needed_by(self, guide: Guide) -> Tensor | None:
        """Which of an MLP's parameters the guide's labels can select, P bool; None for all.

        On a GPU it is all of them: to wait for the answer would take longer than to compute them.
        """
        if guide.labels is None or not self._on_cpu:
            return None
        return self.needed(self.occurring(guide.labels))

    def occurring(self, labels: Tensor) -> Tensor:
        """Which labels there are: one bool each. Raises InputError for some that the network does not know."""
        return self._maps.occurring(labels, self.config.num_labels)

    def needed(self, occurring: Tensor) -> Tensor:
        """Which of an MLP's parameters can be selected by labels that occur: P bool, from one bool for each label."""
        config = self.config
        needed = torch.ones(config.passes, config.mlp.num_parameters, dtype=torch.bool)
        weight = config.mlp.layers(needed)[0][1]
        edges = config.instance_edges and config.edges_in_mlp
        num_planes = config.num_labels + config.image_channels + edges
        for first in range(0, num_planes * config.neighbourhood**2, num_planes):
            weight[:, first : first + config.num_labels] = occurring[:, None]
        return needed.flatten()
