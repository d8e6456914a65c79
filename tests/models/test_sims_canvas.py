from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny_bank import SIZE, layout, photo

from pixelwise.models.sims_canvas import Alignment, Piece, compose
from pixelwise.models.sims_segments import Segment, components, cut


def block(**place: int) -> Segment:
    return block_of(layout(**place))


def rectangle(top: int, left: int, bottom: int, right: int) -> Segment:
    labels = np.zeros(SIZE, int)
    labels[top:bottom, left:right] = 1
    return block_of(labels)


def block_of(labels: np.ndarray) -> Segment:
    return next(segment for segment in cut(labels, components(labels)) if segment.label == 1)


def test_a_pure_shift_moves_every_pixel_as_it_is() -> None:
    there, wanted, colours = block(), block(top=15, left=33), photo(0)
    piece = Piece.aligned(colours[there.place], there.mask, wanted, SIZE)
    assert piece.place == wanted.place
    np.testing.assert_array_equal(piece.mask, wanted.mask)
    np.testing.assert_allclose(piece.colours, colours[there.place] / 127.5 - 1, atol=1e-4)


def test_a_pure_scale_covers_the_other_mask() -> None:
    there, wanted = rectangle(2, 3, 10, 15), rectangle(8, 10, 24, 46)
    alignment = Alignment.of(there.mask, wanted, SIZE)
    assert alignment.place == wanted.place
    np.testing.assert_array_equal(alignment.mask(there.mask), wanted.mask)
    back = Alignment.of(wanted.mask, there, SIZE)
    np.testing.assert_array_equal(back.mask(wanted.mask), there.mask)


def test_a_linear_ramp_stays_one_when_it_is_scaled() -> None:
    there, wanted = block(height=8, width=12), block(height=16, width=36)
    ramp = np.broadcast_to(np.arange(12.0)[None, :, None], (8, 12, 1))
    enlarged = Alignment.of(there.mask, wanted, SIZE).colours(ramp)[0, :, 0]
    np.testing.assert_allclose(np.diff(enlarged[2:-2]), 1 / 3, atol=1e-4)
    coarse = np.broadcast_to(np.arange(36.0)[None, :, None], (16, 36, 1))
    reduced = Alignment.of(wanted.mask, there, SIZE).colours(coarse)[0, :, 0]
    np.testing.assert_allclose(np.diff(reduced[1:-1]), 3, atol=1e-3)


def test_nothing_is_made_beyond_the_picture() -> None:
    tall = np.ones((30, 4), bool)
    tall[:10] = False
    tall[0] = True
    wanted = block(top=0, left=0)
    rows, columns = Alignment.of(tall, wanted, SIZE).place
    assert rows.start >= 0
    assert columns.start >= 0
    assert rows.stop <= SIZE[0]


def flat(value: float, top: int, left: int, bottom: int, right: int) -> Piece:
    shape = bottom - top, right - left
    return Piece(
        (slice(top, bottom), slice(left, right)), np.ones(shape, bool), np.full((*shape, 1), value, np.float32)
    )


def test_the_front_covers_the_back_and_unknown_stays_unknown() -> None:
    back, front = flat(-0.5, 0, 0, 6, 6), flat(0.5, 2, 2, 8, 8)
    colours, known = compose([back, front], (10, 12), channels=1, elided=0)
    assert colours[4, 4] == 0.5
    assert colours[1, 1] == -0.5
    expected = np.zeros((10, 12))
    expected[:6, :6] = expected[2:8, 2:8] = 1
    np.testing.assert_array_equal(known, expected)
    assert (colours[known == 0] == 0).all()
    other, _ = compose([front, back], (10, 12), channels=1, elided=0)
    assert other[4, 4] == -0.5


@pytest.mark.parametrize("elided", [1, 2])
def test_borders_are_elided_on_both_sides_but_not_at_the_picture_s(elided: int) -> None:
    left, right = flat(-0.5, 0, 0, 8, 8), flat(0.5, 0, 8, 8, 16)
    _, known = compose([left, right], (8, 16), channels=1, elided=elided)
    expected = np.ones((8, 16))
    expected[:, 8 - elided : 8 + elided] = 0
    np.testing.assert_array_equal(known, expected)


def test_without_pieces_nothing_is_known() -> None:
    canvas = compose([], (4, 5), channels=3, elided=1)
    assert canvas.shape == (4, 4, 5)
    assert not canvas.any()
    assert torch.from_numpy(canvas).dtype == torch.float32
