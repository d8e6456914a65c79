"""Winograd's minimal filtering F(4 x 4, 3 x 3): its matrices (Lavin and Gray, "Fast Algorithms for Convolutional Neural
Networks", CVPR 2016).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

POSITIONS = 36
"""Numbers in a transformed tile."""


@dataclass(frozen=True)
class Transforms:
    """Lavin and Gray's matrices in both directions, for the points that winograd.h names.

    Attributes:
        filters: of G, 36 x 9, float64.
        powers: 6 x 3, float64: G without the factors of its rows, 1, p, p² for each point p.
        tiles: of B', 36 x 36.
        products: of A', 16 x 36.
    """

    filters: Tensor
    powers: Tensor
    tiles: Tensor
    products: Tensor


@lru_cache(maxsize=1)
def transforms() -> Transforms:
    half, two = math.sqrt(0.5), math.sqrt(2.0)
    points, factors = (0.0, half, -half, two, -two), (1.0, -2 / 3, -2 / 3, 1 / 6, 1 / 6, 1.0)
    powers = [*([point**i for i in range(3)] for point in points), [0.0, 0.0, 1.0]]
    g = [[factor * power for power in row] for row, factor in zip(powers, factors, strict=True)]
    inner = [[0.0, -1 / point, -1 / point**2, point, 1.0, 0.0] for point in points[1:]]
    b = [[1.0, 0.0, -2.5, 0.0, 1.0, 0.0], *inner, [0.0, 1.0, 0.0, -2.5, 0.0, 1.0]]
    a = [[*[point**i for point in points], float(i == 3)] for i in range(4)]
    matrices = (torch.tensor(rows, dtype=torch.float64) for rows in (g, b, a))
    filters, tiles, products = (torch.kron(matrix, matrix) for matrix in matrices)
    return Transforms(filters, torch.tensor(powers, dtype=torch.float64), tiles.float(), products.float())


def transformed(filters: Tensor) -> Tensor:
    """O I 3 3 to 36 I O, float64."""
    taps = filters.detach().double().permute(2, 3, 1, 0).reshape(9, -1)
    return (transforms().filters @ taps).view(POSITIONS, filters.shape[1], -1)


def half_transformed(filters: Tensor) -> Tensor:
    """O I 3 3 to 6 I 3 O, float64: the columns of each filter by the powers, the rows left as they are."""
    return torch.einsum("pa,oiab->pibo", transforms().powers, filters.detach().double())
