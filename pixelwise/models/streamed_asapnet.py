"""An ASAP-Net over a picture that does not fit in memory: the low-resolution stream by rows, then the picture by bands.

See ``lowres/streamed.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelwise.condition import Condition
from pixelwise.layers.semantics import labels_of, other_planes
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

PART_WIDTH = 4096
"""Pixels of a row that are rendered at a time: so that parameters of several rows of cells are in the cache together,
not of a single one, which with bilinear parameters would all have to be made twice."""


class StreamedAsapNet:
    """One picture of any size.

    Args:
        pictures: the network's pixelwise half, on the CPU.
        stream: its low-resolution stream.
        size: (height, width) of the picture.
        read: its rows. They are asked for from top to bottom, several times.
        keep: keeps the stream's layers.
    """

    @torch.inference_mode()
    def __init__(
        self, pictures: BandedAsapNet, stream: FastStream, size: tuple[int, int], read: ReadRows, keep: Keep
    ) -> None:
        self._pictures, self._config, self._size, self._read = pictures, pictures.config, size, read
        self._layer = stream.parameters
        height, width = (max(2, -(-side // self._config.cell)) * self._config.cell for side in size)
        self._whole_cells = height, width
        rows, columns = (side // self._config.unshuffle for side in self._whole_cells)
        self._features = stream_features(stream, (rows, columns), self._planes, keep)

    @torch.inference_mode()
    def bands(self, window: Window) -> Iterator[Tensor]:
        """The picture, or a part of it, from top to bottom, 1 C rows W."""
        num_rows = self._rows_at_once(window.width)
        for band in self._pictures.bands(replace(window, width=min(window.width, PART_WIDTH))):
            for top in range(band.top, band.bottom, num_rows):
                yield self._render(replace(window, top=top, height=min(num_rows, band.bottom - top)))

    def _rows_at_once(self, width: int) -> int:
        """Rows of a band; whole cells where one is not too large, since of a cut one the MLP is made twice."""
        most, cell = BAND_BYTES // (4 * self._config.out_channels * width), self._config.cell
        return most // cell * cell or max(1, most)

    def _render(self, band: Window) -> Tensor:
        config = self._config
        # What the MLPs of all passes read around a pixel, and what the edges of instances are found from.
        reach = config.passes * (config.neighbourhood // 2 + 1) + 1
        low, high = max(0, band.top - reach), min(self._size[0], band.bottom + reach)
        guide = replace(self._pictures.generator.guide(self._read(low, high)), origin=(low, 0))
        needed = self._pictures.needed_by(guide)
        grid = self._features.cells.shape[:2]
        top, _, num_rows, _ = visible_cells(
            config.cell, config.bilinear, grid, replace(band, top=low, height=high - low)
        )
        features = self._features.values(top, top + num_rows)[:, : self._layer.num_channels]

        def parameters(cells: Cells) -> Tensor:
            return self._layer(features, needed, (cells[0] - top, *cells[1:]))

        def field(guide: Guide, window: Window, scale: float) -> PixelwiseField:
            return self._pictures.field(parameters, grid, window, scale)

        parts = []
        for left in range(band.left, band.right, PART_WIDTH):
            part = replace(band, left=left, width=min(PART_WIDTH, band.right - left))
            parts.append(self._pictures.after_pass(config.passes - 1, guide, field, part))
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
        planes = other_planes(part, config.image_channels, config.instance_edges)
        return labels, None if planes is None else F.pixel_unshuffle(planes[:, :, rows], config.unshuffle)
