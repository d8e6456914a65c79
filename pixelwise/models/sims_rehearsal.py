"""What SIMS learns from (Qi, Chen, Jia, Koltun, CVPR 2018): canvases of a picture's own segments, made as bad as those
of a memory bank will be.

Each segment keeps only what the mask of a similar one from the bank covers (stencil), takes on part of that one's look
(colour transfer), and may lose a rectangle inside; borders are elided as always.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from pixelwise.condition import PairedSample
from pixelwise.models.sims_bank import Bank
from pixelwise.models.sims_canvas import Alignment, Piece, compose
from pixelwise.models.sims_segments import Segment, components, cut

_NUM_STENCILS = 20
_HOLE_CHANCE = 0.5
_LEAST_DEVIATION = 0.05


def rehearse(bank: Bank, elided: int, sample: PairedSample, random: torch.Generator) -> PairedSample:
    """The same pairs, each with a canvas as its condition's image.

    Args:
        bank: a segment stands in for one of the sample's if it is among the 20 most compatible of other pictures.
        elided: see ``compose``.
        sample: B pairs with label maps.
        random: all that is drawn comes from here.
    """
    assert sample.condition.labels is not None
    canvases = [
        _canvas(bank, elided, labels.numpy(), target.movedim(0, -1).numpy(), name, random)
        for labels, target, name in zip(sample.condition.labels, sample.target, sample.names, strict=True)
    ]
    image = torch.from_numpy(np.stack(canvases))
    return replace(sample, condition=replace(sample.condition, image=image))


def transferred(colours: np.ndarray, looks: np.ndarray, strength: float) -> np.ndarray:
    """Colours N C in [-1, 1] with mean and deviation of others (Reinhard et al. 2001), of each channel by itself.

    Args:
        colours: what is changed.
        looks: M C, where mean and deviation come from; both at least one colour.
        strength: from 0, nothing is changed, to 1.
    """
    own, wanted = ((some.mean(axis=0), some.std(axis=0) + _LEAST_DEVIATION) for some in (colours, looks))
    changed = (colours - own[0]) * (wanted[1] / own[1]) + wanted[0]
    mixed: np.ndarray = np.clip(colours + strength * (changed - colours), -1, 1)
    return mixed


def _canvas(
    bank: Bank, elided: int, labels: np.ndarray, picture: np.ndarray, name: str, random: torch.Generator
) -> np.ndarray:
    pieces = []
    for segment in cut(labels, components(labels)):
        stand_ins = bank.nearest(segment, _NUM_STENCILS, not_from=name)
        # As many numbers for each segment, whatever they are used for.
        chance = torch.rand(7, generator=random).tolist()
        if len(stand_ins):
            stand_in = stand_ins[int(chance[0] * len(stand_ins))]
            pieces.append(_spoilt(segment, picture, *bank.look(stand_in), chance[1:]))
    return compose(pieces, labels.shape, picture.shape[-1], elided)


def _spoilt(
    segment: Segment, picture: np.ndarray, looks: np.ndarray, stencil: np.ndarray, chance: list[float]
) -> Piece:
    alignment = Alignment.of(stencil, segment, picture.shape[:2])
    covered = np.zeros(picture.shape[:2], bool)
    covered[alignment.place] = alignment.mask(stencil)
    mask = covered[segment.place] & segment.mask
    if chance[0] < _HOLE_CHANCE:
        rows, columns = (
            _part(side, *drawn) for side, drawn in zip(mask.shape, (chance[1:3], chance[3:5]), strict=True)
        )
        mask[rows, columns] = False
    colours = picture[segment.place].copy()
    colours[segment.mask] = transferred(colours[segment.mask], looks[stencil] / 127.5 - 1, chance[5])
    return Piece(segment.place, mask, colours)


def _part(length: int, share: float, place: float) -> slice:
    """At most half of ``length``."""
    part = int(share * length / 2)
    first = int(place * (length - part + 1))
    return slice(first, first + part)
