"""Which segment lies in front, where several overlap (Qi, Chen, Jia, Koltun, CVPR 2018).

The paper's ordering network compares two segments at a time and learns from depth. Here it gives each segment a height,
so that no three can contradict each other, and learns from label maps, which have no depth but show who covers whom:
what a hull holds of another segment covers it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from pixelwise.models.sims_segments import GRID, OUTSIDE, Segment, hull

_NUM_PLACES = 4


class OrderingNetwork(nn.Module):
    """From segments to their heights: the higher of two lies in front.

    Args:
        num_labels: classes, don't care included.
        width: channels of a class's embedding, and of the first convolution.
    """

    def __init__(self, num_labels: int, width: int) -> None:
        super().__init__()
        self.outside = num_labels
        self.embedding = nn.Embedding(num_labels + 1, width)
        self.features = nn.Sequential(
            _halving(width + 1, width), _halving(width, 2 * width), _halving(2 * width, 4 * width), nn.Flatten()
        )
        self.height = nn.Sequential(
            nn.Linear(4 * width * (GRID // 8) ** 2 + _NUM_PLACES, 4 * width),
            nn.LeakyReLU(0.2),
            # Only differences count.
            nn.Linear(4 * width, 1, bias=False),
        )

    def forward(self, segments: Sequence[Segment], size: tuple[int, int]) -> Tensor:
        """Of N segments of a picture of ``size`` the heights, N; N at least 1."""
        device = self.embedding.weight.device
        shapes = torch.from_numpy(np.stack([segment.shape for segment in segments])).to(device)
        contexts = torch.from_numpy(np.stack([segment.context for segment in segments])).to(device).long()
        places = torch.tensor([_place(segment, size) for segment in segments], device=device)
        classes = self.embedding(contexts.where(contexts != OUTSIDE, self.outside)).movedim(-1, 1)
        features = self.features(torch.cat([shapes[:, None].to(classes.dtype), classes], dim=1))
        return self.height(torch.cat([features, places.to(features.dtype)], dim=1))[:, 0]  # type: ignore[no-any-return]


def coverings(segments: Sequence[Segment], size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Which segments of a layout lie in front of which, as far as it shows.

    Returns:
        Pairs P 2 of segments whose hulls overlap, by place in the sequence; and P float32 in 0..1: of the pixels that
        either one has in the other's hull, the first one's share.
    """
    owners = np.zeros(size, np.int64)
    for number, segment in enumerate(segments, start=1):
        owners[segment.place][segment.mask] = number
    # In row i and column j, pixels of segment j in the hull of segment i.
    held = np.array(
        [
            np.bincount(owners[segment.place][hull(segment.mask)], minlength=len(segments) + 1)[1:]
            for segment in segments
        ]
    ).reshape(len(segments), len(segments))
    pairs = np.argwhere(np.triu(held + held.T, 1))
    first, second = pairs.T
    return pairs, (held[second, first] / (held[second, first] + held[first, second])).astype(np.float32)


def _halving(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 3, stride=2, padding=1), nn.LeakyReLU(0.2))


def _place(segment: Segment, size: tuple[int, int]) -> tuple[float, ...]:
    """The edges of its box, 0..1."""
    top, left, bottom, right = segment.box
    return top / size[0], left / size[1], bottom / size[0], right / size[1]
