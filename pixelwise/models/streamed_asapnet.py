"""An ASAP-Net over a picture that does not fit in memory: the low-resolution stream by rows, then the picture by bands.

See ``lowres/streamed.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from pixelwise.condition import Condition
from pixelwise.layers.semantics import semantic_planes
from pixelwise.lowres.reference import LowResolutionStream
from pixelwise.lowres.streamed import stream_features
from pixelwise.render import Window, render

if TYPE_CHECKING:
    from pixelwise.models.fast_asapnet import Cells, FastAsapNet

ReadRows = Callable[[int, int], Condition]
"""From the first row and the one after the last to the condition (B = 1) between them."""

PLANES_BYTES = 8 << 20
"""About as much memory as the stream's input planes may take at a time."""


class StreamedAsapNet:
    """One picture of any size.

    Args:
        fast: the network; it has a low-resolution stream, and is on the CPU.
        size: (height, width) of the picture.
        read: its rows. They are asked for from top to bottom, several times.
        scratch: a folder for the stream's layers.
    """

    @torch.inference_mode()
    def __init__(self, fast: FastAsapNet, size: tuple[int, int], read: ReadRows, scratch: Path) -> None:
        self._fast, self._size, self._read = fast, size, read
        stream = fast.generator.stream
        assert isinstance(stream, LowResolutionStream)
        self._features = stream_features(stream, self._planes, scratch)

    @torch.inference_mode()
    def bands(self) -> Iterator[Tensor]:
        """The picture from top to bottom, 1 C rows W."""
        height, width = self._size
        for band in self._fast.bands(Window(0, 0, height, width), scale=1.0):
            yield self._render(band)

    def _render(self, band: Window) -> Tensor:
        config = self._fast.config
        # What the MLPs read around a pixel, and what the edges of instances are found from.
        reach = config.neighbourhood // 2 + 2
        low, high = max(0, band.top - reach), min(self._size[0], band.bottom + reach)
        condition = self._read(low, high)
        guide = replace(self._fast.generator.guide(condition), origin=(low, 0)).around(band)
        needed = self._fast.needed_by(guide)

        def parameters(cells: Cells) -> Tensor:
            top, left, num_rows, num_columns = cells
            rows = self._features.rows(top, top + num_rows)[..., left : left + num_columns]
            return self._fast.parameters(rows, needed)

        field = self._fast.field_in(parameters, self._features.shape[2:], band, 1.0)
        image = render(field, guide, self._fast.engine, window=band)
        if config.residual and condition.image is not None:
            image = image + condition.image[:, :, band.top - low : band.bottom - low]
        return image

    def _planes(self) -> Iterator[Tensor]:
        """The stream's input, extended to whole cells."""
        config, height = self._fast.config, self._size[0]
        whole_height, whole_width = (max(2, -(-side // config.cell)) * config.cell for side in self._size)
        step = max(1, PLANES_BYTES // (4 * config.stream_channels * whole_width))
        for start in range(0, height, step):
            stop = min(start + step, height)
            low, high = max(0, start - 1), min(height, stop + 1)
            last = whole_height if stop == height else stop
            part = self._read(low, high).extended(max(last, high) - low, whole_width)
            planes = semantic_planes(part, config.num_labels, config.image_channels, config.instance_edges)
            yield planes[:, :, start - low : last - low]
