"""The low-resolution stream over pictures that do not fit in memory: rows in, rows out.

A layer turns one sequence of bands of rows into another. An instance norm's statistics are known only when all of its
input has passed by, so each takes a pass of its own: what a layer made is kept meanwhile if it is small or no larger
than the result, and made again otherwise. Without instance norms there is but one pass. The kernels and the numbers are
those of the whole picture, except for the order in which statistics are summed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pixelwise.lowres.activations import Activations, Convolved, Moments
from pixelwise.lowres.band import Band, rows_convolved
from pixelwise.lowres.blocks import Norm, Stage, fitted_activations
from pixelwise.lowres.front import Front
from pixelwise.lowres.kept_rows import Keep, KeptRows
from pixelwise.lowres.room import Room
from pixelwise.lowres.stream import FastStream

ReadPlanes = Callable[[int, int], tuple[Tensor | None, Tensor | None]]
"""From the first row and the one after the last to the labels and the other planes between them, B = 1, as
``FastStream.features`` reads them."""

BAND_BYTES = 8 << 20
"""About as much memory as a band takes: what one layer makes the next one should find in the cache."""

KEPT_BYTES = 256 << 20
"""A file of so much is written and read sooner than its layer is made again."""

TILE_ROWS = 4
"""Rows of the tiles in which blocks are computed (lowres/winograd.py). Bands of cells consist of whole tiles: so the
same sums are rounded in the same way."""


def stream_features(
    stream: FastStream, size: tuple[int, int], read: ReadPlanes, keep: Keep, keep_result: Keep | None = None
) -> KeptLayer:
    """All of the stream but its last layer.

    Args:
        stream: on the CPU.
        size: (height, width) of its input, whole cells in both directions.
        read: its input's rows, asked for from top to bottom; several times where there are instance norms.
        keep: keeps one layer of the size of the result, which it is; with instance norms two, of that size or of
            ``KEPT_BYTES``.
        keep_result: keeps the result in its place.

    Raises:
        InputError: as ``FastStream.features``.
    """
    layer, stages = _front_layer(stream.front, size, read), stream.stages
    num_cells = math.prod(layer.shape[:2]) // math.prod(stage.stride for stage in stages) ** 2
    most_numbers = max(num_cells * stages[-1].convolution.outputs, KEPT_BYTES // 4)
    for number, stage in enumerate(stages):
        # The front's is made as soon as it would be written and read.
        if layer.norm.epsilon is None or number == 0 or math.prod(layer.shape) > most_numbers:
            bands = _normalised(layer)
        else:
            bands = _kept(layer, keep).bands
        layer = _layer_above(bands, layer.shape, stage)
    return _kept(layer, keep_result or keep)


@dataclass(frozen=True)
class KeptLayer:
    """A layer that is kept.

    Attributes:
        cells: what the convolution made.
        norm: its norm and ReLU, settled.
    """

    cells: KeptRows
    norm: Norm

    def values(self, start: int, stop: int) -> Tensor:
        """Rows of the layer, 1 C n w; C as the convolution has rounded it up."""
        return self.norm(self.cells.rows(start, stop)).values().permute(0, 3, 1, 2)

    def bands(self) -> Iterator[Activations]:
        height, width, channels = self.cells.shape
        num_rows = _rows_at_once(width, channels)
        for start in range(0, height, num_rows):
            yield self.norm(self.cells.rows(start, min(start + num_rows, height)))


@dataclass(frozen=True)
class _Layer:
    """What one of the stream's convolutions makes of a picture.

    Attributes:
        shape: (h, w, C).
        norm: what is still to be done.
        bands: starts a pass over the picture, from top to bottom.
    """

    shape: tuple[int, int, int]
    norm: Norm
    bands: Callable[[], Iterator[Convolved]]


def _front_layer(front: Front, size: tuple[int, int], read: ReadPlanes) -> _Layer:
    height, width = (side // front.reduction.stride for side in size)
    channels, reduction = len(front.norm.gain), front.reduction
    # What it reads for a place may be more than what it makes there.
    num_rows = _rows_at_once(width, max(channels, reduction.stride**2 * (1 + reduction.num_planes)))

    def bands() -> Iterator[Convolved]:
        for start in range(0, height, num_rows):
            wanted = range(start, min(start + num_rows, height))
            needed = front.rows_read(wanted, size[0])
            yield front(*read(needed.start, needed.stop), Band(wanted, needed.start, size[0]))

    return _Layer((height, width, channels), front.norm, bands)


def _layer_above(bands: Callable[[], Iterator[Activations]], shape: tuple[int, int, int], stage: Stage) -> _Layer:
    height, width = (-(-side // stage.stride) for side in shape[:2])
    # By map and filter, since a loop of its own would hold on to a band while the next one is made.
    return _Layer(
        (height, width, stage.convolution.outputs),
        stage.norm,
        lambda: filter(None, map(_Passage(stage, shape[0]).push, bands())),
    )


class _Passage:
    """A stage's convolution on its way over a picture, from top to bottom.

    Args:
        stage: whose it is.
        height: rows of what it reads.
    """

    def __init__(self, stage: Stage, height: int) -> None:
        self._stage, self._height = stage, height
        self._num_rows = -(-height // stage.stride)
        self._room = Room()
        self._held: list[Tensor] = []
        self._top = self._bottom = 0  # of the rows that are held
        self._made = 0

    def push(self, x: Activations) -> Convolved | None:
        """Takes the next rows, and makes what can be made now."""
        self._held.append(x.cells)
        self._bottom += x.cells.shape[1]
        ready = self._ready(_rows_at_once(*x.cells.shape[2:]))
        if ready <= self._made:
            return None
        cells = torch.cat(self._held, dim=1)
        given = fitted_activations(replace(x, cells=cells), self._stage.convolution.inputs)
        band = Band(range(self._made, ready), self._top, self._height)
        made = self._stage.convolution(given, self._room, band)
        first = rows_convolved(range(ready, ready + 1), self._stage.stride, self._height).start
        self._held = [cells[:, first - self._top :].clone()]
        self._top, self._made = first, ready
        return made

    def _ready(self, least: int) -> int:
        """How many rows can be made of what is held. Blocks wait until they are worth it, and make whole tiles."""
        if self._bottom == self._height:
            return self._num_rows
        ready = (self._bottom - 2) // self._stage.stride + 1
        if self._stage.stride > 1:
            return ready
        return self._made if ready - self._made < least else ready // TILE_ROWS * TILE_ROWS


def _rows_at_once(width: int, channels: int) -> int:
    """Rows of a band: whole tiles."""
    return max(1, BAND_BYTES // (4 * width * channels * TILE_ROWS)) * TILE_ROWS


def _normalised(layer: _Layer) -> Callable[[], Iterator[Activations]]:
    """The layer with its norm. An instance norm runs through all rows first."""
    seen = _Moments()
    if layer.norm.epsilon is not None:
        for made in layer.bands():
            seen.take_in(made)
    norm = layer.norm.settled(seen)

    def normalise(made: Convolved) -> Activations:
        return norm(made.cells)

    # By map, since a loop of its own would hold on to a band while the next one is made.
    return lambda: map(normalise, layer.bands())


def _kept(layer: _Layer, keep: Keep) -> KeptLayer:
    seen = _Moments()
    cells = keep(map(seen.take_in, layer.bands()), layer.shape)
    return KeptLayer(cells, layer.norm.settled(seen))


class _Moments(Moments):
    """Mean and biased variance of a picture's channels, merged in float64 (Chan, Golub and LeVeque 1979, Eq. 2.1)."""

    def __init__(self) -> None:
        self._count = 0
        self._mean = self._deviations = torch.zeros((), dtype=torch.float64)

    def take_in(self, made: Convolved) -> Tensor:
        """Takes a band into account, and returns its cells."""
        count = math.prod(made.cells.shape[1:3])
        total = self._count + count
        mean, variance = (part.double() for part in made.moments())
        change = mean - self._mean
        self._mean = self._mean + change * (count / total)
        self._deviations = self._deviations + count * variance + change.square() * (self._count * count / total)
        self._count = total
        return made.cells

    def __call__(self) -> tuple[Tensor, Tensor]:
        return self._mean, self._deviations / self._count
