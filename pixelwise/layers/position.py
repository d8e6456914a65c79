"""Where a pixel lies within its object: intra-class positional encoding (Tan et al., TPAMI 2021, Sec. 3.4)."""

from __future__ import annotations

import torch
from torch import Tensor

_STRAIGHT_AND_DIAGONAL = (-1, 0, 1)
"""Columns, from a pixel's own, of its neighbours in the row above."""


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
    objects = connected_regions(labels)
    batch, height, width = labels.shape
    coordinates = torch.meshgrid(
        torch.arange(height, device=labels.device), torch.arange(width, device=labels.device), indexing="ij"
    )
    planes = [_offsets(plane.expand(batch, -1, -1), objects, normalised) for plane in coordinates]
    return torch.stack(planes, dim=1).masked_fill((labels == left_out)[:, None], 0.0).float()


def connected_regions(labels: Tensor) -> Tensor:
    """Numbers the 8-connected regions of equal values: B H W int64, each pixel's number the least index of its region.

    Regions grow together by hooking and pointer jumping (Shiloach and Vishkin 1982), from whole runs of a row: a few
    rounds over all pixels, on the labels' device.
    """
    parents = _run_starts(labels)
    links = _links_between_rows(labels)
    while links.shape[1]:
        roots = parents[links]
        links = links[:, roots[0] != roots[1]]
        low, high = parents[links].aminmax(dim=0) if links.shape[1] else (links[0], links[0])
        parents.scatter_reduce_(0, high, low, "amin")
        parents = _compressed(parents)
    return parents.view(labels.shape)


def _run_starts(labels: Tensor) -> Tensor:
    """For each pixel the index of the first one of its run of equal values in its row, B * H * W."""
    index = torch.arange(labels.numel(), device=labels.device).view(labels.shape)
    starts = torch.ones_like(labels, dtype=torch.bool)
    starts[..., 1:] = labels[..., 1:] != labels[..., :-1]
    return torch.where(starts, index, 0).flatten(1).cummax(dim=1).values.flatten()


def _links_between_rows(labels: Tensor) -> Tensor:
    """Pairs of neighbours in adjacent rows that belong together, 2 N."""
    height, width = labels.shape[-2:]
    index = torch.arange(labels.numel(), device=labels.device).view(labels.shape)
    links = []
    for shift in _STRAIGHT_AND_DIAGONAL:
        here, above = slice(max(0, -shift), width - max(0, shift)), slice(max(0, shift), width - max(0, -shift))
        same = labels[:, 1:, here] == labels[:, : height - 1, above]
        links.append(torch.stack([index[:, 1:, here][same], index[:, : height - 1, above][same]]))
    return torch.cat(links, dim=1)


def _compressed(parents: Tensor) -> Tensor:
    """Each points at its root."""
    while not torch.equal(grandparents := parents[parents], parents):
        parents = grandparents
    return parents


def _offsets(coordinates: Tensor, objects: Tensor, normalised: bool) -> Tensor:
    """Along one axis, B H W float64."""
    flat, values = objects.flatten(), coordinates.flatten().double()
    counts = torch.zeros_like(values).scatter_add_(0, flat, torch.ones_like(values))
    centres = torch.zeros_like(values).scatter_add_(0, flat, values) / counts.clamp(min=1)
    offsets = values - centres[flat]
    if normalised:
        # The published preprocessing divides by slightly more than the largest offset, which is 0 in thin objects.
        largest = torch.zeros_like(values).scatter_reduce_(0, flat, offsets.abs(), "amax")
        offsets = offsets / (largest[flat] + 1e-5)
    return offsets.view(objects.shape)
