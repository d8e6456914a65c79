"""The low-resolution stream over pictures that do not fit in memory: rows in, rows out.

A layer turns one sequence of bands of rows into another. An instance norm's statistics are known only when all of its
input has passed by, so each takes a pass of its own. Above the cells' resolution, what such a pass made is made again
rather than kept; from there on the layers' outputs are kept in files. The result is the definition's, but for the order
in which statistics are summed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.lowres.reference import LowResolutionStream, TentReduction

Rows = Callable[[], Iterator[Tensor]]
"""Starts a pass over a picture: its bands B C rows W, from top to bottom."""

ROWS_AT_ONCE = 16
"""Rows of a layer's output that are read from a file at a time."""


def stream_features(stream: LowResolutionStream, planes: Rows, scratch: Path) -> RowFile:
    """All of the stream but its last layer.

    Args:
        stream: the network, in eval mode, on the CPU.
        planes: its input, of whole cells in both directions.
        scratch: a folder for what the layers make: two files at a time, 4 bytes for each of a cell's ``max_width``
            channels. One of them is the result.
    """
    rows = _after_rows(planes, _tent_rows(stream.reduction))
    for block in (stream.front, *stream.strided):
        rows = _normalised(_after_rows(rows, _convolution_rows(block)), block)
    kept: RowFile | None = None
    for number, block in enumerate(stream.blocks):
        raw = RowFile.write(scratch / f"block{number}", _after_rows(rows, _convolution_rows(block))())
        if kept is not None:
            kept.path.unlink()
        kept, rows = raw, _normalised(raw.bands, block)
    features = RowFile.write(scratch / "features", rows())
    if kept is not None:
        kept.path.unlink()
    return features


@dataclass(frozen=True)
class RowFile:
    """Numbers B C H W in a file, float32, row by row, so that bands of rows can be read.

    Attributes:
        path: the file.
        shape: (B, C, H, W).
    """

    path: Path
    shape: tuple[int, int, int, int]

    @classmethod
    def write(cls, path: Path, bands: Iterable[Tensor]) -> RowFile:
        height = batch = channels = width = 0
        with path.open("wb") as file:
            for band in bands:
                batch, channels, num_rows, width = band.shape
                band.permute(2, 0, 3, 1).contiguous().numpy().tofile(file)
                height += num_rows
        return cls(path, (batch, channels, height, width))

    def rows(self, start: int, stop: int) -> Tensor:
        """B C (stop - start) W."""
        batch, channels, _, width = self.shape
        row = batch * width * channels
        values = np.fromfile(self.path, np.float32, (stop - start) * row, offset=4 * start * row)
        return torch.from_numpy(values).view(stop - start, batch, width, channels).permute(1, 3, 0, 2)

    def bands(self) -> Iterator[Tensor]:
        height = self.shape[2]
        for start in range(0, height, ROWS_AT_ONCE):
            yield self.rows(start, min(start + ROWS_AT_ONCE, height))


@dataclass(frozen=True)
class _RowFilter:
    """A layer, as seen along the height.

    Attributes:
        size, stride: rows read for one row made, and from it to the next.
        padding, mode: rows added above and below, and what they hold.
        apply: from n rows, padding included, to (n - size) / stride + 1 rows.
    """

    size: int
    stride: int
    padding: int
    mode: str
    apply: Callable[[Tensor], Tensor]


def _tent_rows(reduction: TentReduction) -> _RowFilter:
    stride, taps = reduction.stride, reduction.get_buffer("taps")

    def apply(x: Tensor) -> Tensor:
        channels = x.shape[1]
        x = F.pad(x, (stride // 2, stride // 2, 0, 0), mode="reflect")
        x = F.conv2d(x, taps.expand(channels, 1, 1, -1), stride=(1, stride), groups=channels)
        return F.conv2d(x, taps[:, None].expand(channels, 1, -1, 1), stride=(stride, 1), groups=channels)

    if stride == 1:
        return _RowFilter(1, 1, 0, "zeros", lambda x: x)
    return _RowFilter(2 * stride, stride, stride // 2, "reflect", apply)


def _convolution_rows(block: nn.Module) -> _RowFilter:
    """The block's 3 x 3 convolution, and the 1 x 1 one after it where it is separable; its norm and ReLU not."""
    first, *others = (layer for layer in block.children() if isinstance(layer, nn.Conv2d))
    mode = str(first.padding_mode)

    def apply(x: Tensor) -> Tensor:
        x = F.pad(x, (1, 1, 0, 0), mode="constant" if mode == "zeros" else mode)
        x = F.conv2d(
            x.contiguous(memory_format=torch.channels_last), first.weight, first.bias, first.stride, 0, 1, first.groups
        )
        for other in others:
            x = other(x)
        return x

    return _RowFilter(3, first.stride[0], 1, mode, apply)


def _after_rows(rows: Rows, layer: _RowFilter) -> Rows:
    return lambda: (layer.apply(window) for window in _windows(_padded(rows(), layer), layer))


def _padded(bands: Iterator[Tensor], layer: _RowFilter) -> Iterator[Tensor]:
    """The bands, with the layer's padding above and below."""
    reach = layer.padding
    if reach == 0:
        yield from bands
        return
    top = _at_least(reach + 1, bands)
    yield _beyond(top.flip(2), layer).flip(2)
    yield top
    tail = top[:, :, -reach - 1 :]
    for band in bands:
        yield band
        tail = torch.cat([tail, band], dim=2)[:, :, -reach - 1 :]
    yield _beyond(tail, layer)


def _beyond(edge: Tensor, layer: _RowFilter) -> Tensor:
    """The rows below the border whose last rows are ``edge``."""
    reach = layer.padding
    if layer.mode == "zeros":
        return torch.zeros_like(edge[:, :, -reach:])
    if layer.mode == "replicate":
        return edge[:, :, -1:].expand(-1, -1, reach, -1)
    return edge[:, :, -reach - 1 : -1].flip(2)


def _at_least(num_rows: int, bands: Iterator[Tensor]) -> Tensor:
    band = next(bands)
    while band.shape[2] < num_rows:
        band = torch.cat([band, next(bands)], dim=2)
    return band


def _windows(bands: Iterator[Tensor], layer: _RowFilter) -> Iterator[Tensor]:
    """The same rows as pieces that overlap, such that what the layer makes of them joins without gap."""
    held: Tensor | None = None
    for band in bands:
        held = band if held is None else torch.cat([held, band], dim=2)
        num_made = (held.shape[2] - layer.size) // layer.stride + 1
        if num_made > 0:
            yield held[:, :, : (num_made - 1) * layer.stride + layer.size]
            held = held[:, :, num_made * layer.stride :]


def _normalised(rows: Rows, block: nn.Module) -> Rows:
    """The block's norm and ReLU. An instance norm runs through all rows first."""
    *_, norm, _ = block.children()
    if not isinstance(norm, nn.InstanceNorm2d):
        return lambda: (F.relu(norm(band)) for band in rows())
    mean, variance = _statistics(rows())
    scale = norm.weight[:, None, None] * (variance + norm.eps).rsqrt()
    shift = norm.bias[:, None, None] - mean * scale
    return lambda: (torch.addcmul(shift, band, scale).relu_() for band in rows())


def _statistics(bands: Iterator[Tensor]) -> tuple[Tensor, Tensor]:
    """Mean and biased variance of each picture's channels, B C 1 1 float32, merged in float64 (Chan et al. 1979)."""
    mean = deviations = torch.zeros((), dtype=torch.float64)
    count = 0
    for band in bands:
        part = band.flatten(2)
        part_mean = part.mean(2).double()
        part_deviations = part.var(2, correction=0).double() * part.shape[2]
        total = count + part.shape[2]
        difference = part_mean - mean
        mean = mean + difference * (part.shape[2] / total)
        deviations = deviations + part_deviations + difference**2 * (count * part.shape[2] / total)
        count = total
    return mean.float()[..., None, None], (deviations / count).float()[..., None, None]
