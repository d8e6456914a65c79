"""Where a pixel lies within its object: intra-class positional encoding (Tan et al., TPAMI 2021, Sec. 3.4)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_STRAIGHT_AND_DIAGONAL = (-1, 0, 1)
"""Columns, from a pixel's own, of its neighbours in the row above."""


@dataclass(frozen=True)
class _Runs:
    """Runs of equal values in the rows of label maps, in order. There are far fewer of them than pixels.

    Attributes:
        of_pixels: B * H * W, the number of each pixel's run.
        rows, firsts, lasts: R, the run's row within its map, and the columns where it begins and ends.
    """

    of_pixels: Tensor
    rows: Tensor
    firsts: Tensor
    lasts: Tensor


def centre_offsets(labels: Tensor, left_out: int = 0, normalised: bool = True) -> Tensor:
    """Each pixel's offset from the centroid of its object, the 8-connected region of its class (Eq. 12 to 14).

    Args:
        labels: B H W class indices.
        left_out: the class whose pixels have offset 0.
        normalised: whether each object's offsets are divided by the largest one along the same axis, so that they lie
            in [-1, 1]; otherwise they are in pixels.

    Returns:
        B 2 H W float32 on the labels' device: along the height, then along the width.
    """
    starts = _starts(labels)
    runs = _runs(starts)
    objects = _joined(runs, _links(labels, starts, runs))
    lengths = runs.lasts - runs.firsts + 1
    rows, columns = runs.rows.double(), torch.arange(labels.shape[2], device=labels.device).double()
    centre, largest = _centres(rows, rows, lengths, objects)
    along_height = (rows - centre) / _divisor(largest, normalised)
    centre, largest = _centres(runs.firsts.double(), runs.lasts.double(), lengths, objects)
    divisor = _divisor(largest, normalised)
    of_pixels = runs.of_pixels.view(labels.shape)
    along_width = (columns - centre[of_pixels]) / divisor[of_pixels]
    offsets = torch.stack([along_height.float()[of_pixels], along_width.float()], dim=1)
    return offsets.masked_fill_((labels == left_out)[:, None], 0.0)


def connected_regions(labels: Tensor) -> Tensor:
    """Numbers the 8-connected regions of equal values, from 0 on over all maps, by their first pixels: B H W int64."""
    starts = _starts(labels)
    runs = _runs(starts)
    firsts = _joined(runs, _links(labels, starts, runs))
    numbers = (firsts == torch.arange(len(firsts), device=firsts.device)).cumsum(0) - 1
    return numbers[firsts][runs.of_pixels].view(labels.shape)


def _starts(labels: Tensor) -> Tensor:
    """B H W bool: the first pixels of runs."""
    starts = torch.ones_like(labels, dtype=torch.bool)
    starts[..., 1:] = labels[..., 1:] != labels[..., :-1]
    return starts


def _runs(starts: Tensor) -> _Runs:
    height, width = starts.shape[-2:]
    begins = starts.flatten().nonzero()[:, 0]
    ends = torch.cat([begins[1:], begins.new_tensor([starts.numel()])]) - 1
    of_pixels = starts.flatten().cumsum(0) - 1
    return _Runs(of_pixels, begins // width % height, begins % width, ends % width)


def _links(labels: Tensor, starts: Tensor, runs: _Runs) -> Tensor:
    """Pairs of runs in adjacent rows that belong together, 2 N, each at least once."""
    height, width = labels.shape[-2:]
    of_pixels = runs.of_pixels.view(labels.shape)
    links = []
    for shift in _STRAIGHT_AND_DIAGONAL:
        here, above = slice(max(0, -shift), width - max(0, shift)), slice(max(0, shift), width - max(0, -shift))
        same = labels[:, 1:, here] == labels[:, : height - 1, above]
        # Where neither run begins, the pixels to their left say the same; the first column has no such.
        new = starts[:, 1:, here] | starts[:, : height - 1, above]
        new[..., :1] = True
        pairs = same & new
        links.append(torch.stack([of_pixels[:, 1:, here][pairs], of_pixels[:, : height - 1, above][pairs]]))
    return torch.cat(links, dim=1)


def _joined(runs: _Runs, links: Tensor) -> Tensor:
    """For each run the first one of its region, R.

    Regions grow together by hooking and pointer jumping (Shiloach and Vishkin 1982): a few rounds over all runs, on the
    labels' device.
    """
    parents = torch.arange(len(runs.rows), device=runs.rows.device)
    while links.shape[1]:
        roots = parents[links]
        links = links[:, roots[0] != roots[1]]
        low, high = parents[links].aminmax(dim=0) if links.shape[1] else (links[0], links[0])
        parents.scatter_reduce_(0, high, low, "amin")
        parents = _compressed(parents)
    return parents


def _compressed(parents: Tensor) -> Tensor:
    """Each points at its root."""
    while not torch.equal(grandparents := parents[parents], parents):
        parents = grandparents
    return parents


def _centres(firsts: Tensor, lasts: Tensor, lengths: Tensor, objects: Tensor) -> tuple[Tensor, Tensor]:
    """Along one axis, for each run the centroid of its object and the largest offset from it there, R float64 each.

    Args:
        firsts, lasts: R float64, where the runs begin and end; in between they are evenly spaced.
        lengths: R pixels.
        objects: R, see ``_joined``.
    """
    counts = torch.zeros_like(firsts).scatter_add_(0, objects, lengths.double())
    sums = torch.zeros_like(firsts).scatter_add_(0, objects, lengths * (firsts + lasts) / 2)
    centres = (sums / counts.clamp(min=1))[objects]
    farthest = torch.maximum((firsts - centres).abs(), (lasts - centres).abs())
    return centres, torch.zeros_like(firsts).scatter_reduce_(0, objects, farthest, "amax")[objects]


def _divisor(largest: Tensor, normalised: bool) -> Tensor:
    # The published preprocessing divides by slightly more than the largest offset, which is 0 in thin objects.
    return largest + 1e-5 if normalised else torch.ones_like(largest)
