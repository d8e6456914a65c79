from __future__ import annotations

import numpy as np
import pytest
from tiny_bank import layout

from pixelwise.models.sims_segments import GRID, OUTSIDE, components, cut, hull


def flooded(labels: np.ndarray) -> np.ndarray:
    """The components, found one by one in the plainest way."""
    numbers = np.full(labels.shape, -1)
    for start in np.ndindex(labels.shape):
        if numbers[start] >= 0:
            continue
        reached, number = [start], numbers.max() + 1
        numbers[start] = number
        while reached:
            row, column = reached.pop()
            for near in np.ndindex(3, 3):
                place = row + near[0] - 1, column + near[1] - 1
                if not (0 <= place[0] < labels.shape[0] and 0 <= place[1] < labels.shape[1]):
                    continue
                if numbers[place] < 0 and labels[place] == labels[start]:
                    numbers[place] = number
                    reached.append(place)
    return numbers


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("shape", [(17, 23), (1, 9), (9, 1), (1, 1)])
def test_components_are_what_a_flood_reaches(seed: int, shape: tuple[int, int]) -> None:
    labels = np.random.default_rng(seed).integers(0, 3, shape)
    np.testing.assert_array_equal(components(labels), flooded(labels))


def test_a_spiral_is_one_component() -> None:
    labels = np.zeros((9, 9), int)
    labels[0, :] = labels[:, 8] = labels[8, :] = labels[2:, 0] = labels[2, :7] = labels[2:7, 6] = labels[6, 2:7] = 1
    assert components(labels).max() == 1
    np.testing.assert_array_equal(components(labels), flooded(labels))


def test_segments_have_their_box_mask_and_class() -> None:
    labels = layout()
    segments = cut(labels, components(labels))
    assert [(segment.label, segment.box) for segment in segments] == [
        (0, (0, 0, 34, 60)),
        (1, (8, 10, 20, 30)),
        (2, (34, 0, 40, 60)),
    ]
    for segment in segments:
        np.testing.assert_array_equal(labels[segment.place] == segment.label, segment.mask)


def test_the_smallest_are_left_out() -> None:
    labels = np.zeros((20, 20), int)
    labels[2:5, 2:7] = 1
    labels[10:14, 10:14] = 2
    assert [segment.label for segment in cut(labels, components(labels))] == [0, 2]


def test_the_window_is_a_square_that_looks_beyond_the_picture() -> None:
    labels = np.zeros((16, 32), int)
    labels[:8, :16] = 1
    _, segment = sorted(cut(labels, components(labels)), key=lambda segment: segment.label)
    # Rows -8 to 16 and columns -4 to 20, in 32 parts: the segment is in 8 of 24 rows and 16 of 24 columns.
    rows, columns = np.nonzero(segment.shape)
    assert (rows.min(), rows.max() + 1, columns.min(), columns.max() + 1) == (11, 21, 5, 27)
    assert (segment.context[:10] == OUTSIDE).all()
    assert (segment.context[:, :5] == OUTSIDE).all()
    assert (segment.context[segment.shape] == 1).all()
    assert segment.context[GRID - 1, GRID - 1] == 0


def test_a_hull_fills_holes_and_bays() -> None:
    ring = np.ones((5, 5), bool)
    ring[1:4, 1:4] = False
    assert hull(ring).all()
    cross = np.zeros((3, 3), bool)
    cross[1] = cross[:, 1] = True
    np.testing.assert_array_equal(hull(cross), cross)
