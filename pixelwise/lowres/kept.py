"""Parameters of the cells that were looked at, kept as long as they hold."""

from __future__ import annotations

import torch
from torch import Tensor

from pixelwise.lowres.parameters import ParameterLayer

KEPT_BYTES = 1 << 30
"""A grid whose parameters could take more memory than this is not kept: its cells are computed whenever asked for."""


class KeptParameters:
    """What a parameter layer makes of the features of one picture, computed cell by cell when asked for.

    Args:
        layer: makes them.
        grid: (rows, columns) of cells.
    """

    def __init__(self, layer: ParameterLayer, grid: tuple[int, int]) -> None:
        self._layer = layer
        self._there = torch.zeros(grid, dtype=torch.bool)
        self._needed = torch.zeros(layer.num_parameters, dtype=torch.bool)
        self._kept: Tensor | None = None

    def forget(self, rows: slice = slice(None), columns: slice = slice(None)) -> None:
        """These cells' features are others now."""
        self._there[rows, columns] = False

    def __call__(self, features: Tensor, needed: Tensor, cells: tuple[int, int, int, int]) -> Tensor:
        """Parameters 1 P height width, whose memory is height width P: a view of what is kept, only to be read.

        Args:
            features: of the whole grid, 1 C h w.
            needed: bool P, those that will be read. Others may hold anything finite.
            cells: (top, left, height, width) of those wanted.
        """
        if 4 * self._there.numel() * self._layer.num_parameters > KEPT_BYTES:
            return self._layer(features, needed, cells)
        if (needed & ~self._needed).any():
            self._needed |= needed
            self.forget()
        top, left, height, width = cells
        rows, columns = slice(top, top + height), slice(left, left + width)
        kept = self._memory(features)[rows, columns]
        missing = ~self._there[rows, columns]
        if missing.any():
            kept[missing] = self._made(features[0, :, rows, columns], missing)
            self._there[rows, columns] = True
        return kept.permute(2, 0, 1)[None]

    def _memory(self, features: Tensor) -> Tensor:
        """h w P. The system gives memory to those cells only that are written."""
        if self._kept is None:
            self._kept = features.new_empty(*self._there.shape, self._layer.num_parameters)
        return self._kept

    def _made(self, features: Tensor, cells: Tensor) -> Tensor:
        """The parameters of some cells, n P, from features C h w and which of the h w cells are meant."""
        chosen = features.permute(1, 2, 0)[cells.to(features.device)]
        return self._layer(chosen.t()[None, :, None], self._needed)[0, :, 0].t()
