"""An ASAP-Net over a picture that does not fit in memory: the low-resolution stream by rows, then the picture by bands.

See ``lowres/streamed.py``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from torch import Tensor

from pixelwise.condition import Condition
from pixelwise.layers.semantics import labels_of
from pixelwise.lowres.kept_rows import Keep
from pixelwise.lowres.stream import FastStream
from pixelwise.lowres.streamed import stream_features
from pixelwise.models.banded_asapnet import BandedAsapNet, Cells
from pixelwise.render import Guide, PixelwiseField, Window
from pixelwise.render.axis import visible_cells

ReadRows = Callable[[int, int], Condition]
"""From the first row and the one after the last to the condition (B = 1) between them."""

BAND_BYTES = 16 << 20
"""As much memory as a band of the picture may take."""

BAND_PARAMETER_BYTES = 10 << 20
"""As much as the parameters of a band may take, unless it is a single row of cells: with more of them a picture is
faster by a hundredth, and needs 15 MB more with the band's pixels beside them."""

PART_WIDTH = 4096
"""Pixels of a row that are rendered at a time, of the input or of the picture, whichever is larger: so that parameters
of several rows of cells are in the cache together, not of a single one, which with bilinear parameters would all have
to be made twice."""


class StreamedAsapNet:
    """One picture of any size.

    Args:
        pictures: the network's pixelwise half, on the CPU.
        stream: its low-resolution stream.
        size: (height, width) of the picture.
        read: its rows. They are asked for from top to bottom, several times.
        keep: keeps the stream's layers.
        keep_features: keeps what it makes, while the picture is rendered; None: as the others.
    """

    @torch.inference_mode()
    def __init__(
        self,
        pictures: BandedAsapNet,
        stream: FastStream,
        size: tuple[int, int],
        read: ReadRows,
        keep: Keep,
        keep_features: Keep | None = None,
    ) -> None:
        self._pictures, self._config, self._size, self._read_rows = pictures, pictures.config, size, read
        self._layer = stream.parameters
        height, width = (max(2, -(-side // self._config.cell)) * self._config.cell for side in size)
        self._whole_cells = height, width
        rows, columns = (side // self._config.unshuffle for side in self._whole_cells)
        self._features = stream_features(stream, (rows, columns), self._planes, keep, keep_features)

    @torch.inference_mode()
    def bands(self, window: Window, scale: float = 1.0) -> Iterator[Tensor]:
        """The picture, or a part of it, at any scale, from top to bottom, 1 C rows W."""
        num_rows, part_width = self._rows_at_once(window.width, scale), max(1, int(PART_WIDTH * min(scale, 1)))
        strip = replace(window, width=min(window.width, part_width))
        for band in self._pictures.bands(strip, scale, BAND_PARAMETER_BYTES):
            for top in range(band.top, band.bottom, num_rows):
                part = replace(window, top=top, height=min(num_rows, band.bottom - top))
                yield self._render(part, scale, part_width)

    def _read(self, start: int, stop: int) -> Condition:
        return self._pictures.compact(self._read_rows(start, stop))

    def _rows_at_once(self, width: int, scale: float) -> int:
        """Rows of a band; whole cells where one is not too large, since of a cut one the MLP is made twice."""
        # For a row of the picture 1 / scale rows of the input are read, whole ones.
        pixels = max(width, self._size[1] / scale)
        most, cell = BAND_BYTES / (4 * self._config.out_channels * pixels), self._config.cell * scale
        return int(most // cell * cell) or max(1, int(most))

    def _render(self, band: Window, scale: float, part_width: int) -> Tensor:
        config = self._config
        # What the MLPs of all passes read around a pixel, and what the edges of instances are found from.
        reach = config.passes * (config.neighbourhood // 2 + 1) + 1
        low = max(0, math.floor(band.top / scale) - reach)
        high = min(self._size[0], math.ceil(band.bottom / scale) + reach)
        guide = replace(self._pictures.guide(self._read(low, high)), origin=(low, 0))
        needed = self._pictures.needed_by(guide)
        grid = self._features.cells.shape[:2]
        top, _, num_rows, _ = visible_cells(config.cell, config.bilinear, grid, Window(low, 0, high - low, 1))
        features = self._features.values(top, top + num_rows)[:, : self._layer.num_channels]

        def parameters(cells: Cells) -> Tensor:
            return self._layer(features, needed, (cells[0] - top, *cells[1:]))

        def field(guide: Guide, window: Window, scale: float) -> PixelwiseField:
            return self._pictures.field(parameters, grid, window, scale)

        parts = []
        for left in range(band.left, band.right, part_width):
            part = replace(band, left=left, width=min(part_width, band.right - left))
            parts.append(self._pictures.after_pass(config.passes - 1, guide, field, part, scale))
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=3)

    def _planes(self, start: int, stop: int) -> tuple[Tensor | None, Tensor | None]:
        """Rows of the stream's input, which goes on to whole cells. See ``lowres.streamed.ReadPlanes``."""
        config, height = self._config, self._size[0]
        start, stop = start * config.unshuffle, stop * config.unshuffle
        # With a row more on either side, in which there are instances too.
        low, high = min(max(0, start - 1), height - 1), min(height, stop + 1)
        part = self._read(low, high).extended(max(stop, high) - low, self._whole_cells[1])
        rows = slice(start - low, stop - low)
        labels = labels_of(part, config.num_labels)[:, rows] if config.num_labels else None
        return labels, self._pictures.other_planes(part, rows)
