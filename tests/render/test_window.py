"""Parts of an output: what may be asked for."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from pixelwise.errors import InputError
from pixelwise.render.window import Window, centre, covered


@pytest.mark.parametrize("region", [(1, 2, 3, 4), [1, 2, 3, 4], np.array([1, 2, 3, 4])])
def test_four_whole_numbers_are_a_window(region: Any) -> None:
    assert Window.of(region) == Window(1, 2, 3, 4)


@pytest.mark.parametrize("region", [(0.5, 0, 8, 8), (0.0, 0.0, 8.0, 8.0), (0, 0, 8), (0, 0, 8, 8, 8), "0,0,8,8", None])
def test_other_regions_are_refused(region: Any) -> None:
    with pytest.raises(InputError, match=r"expected whole numbers \(top, left, height, width\)"):
        Window.of(region)


def test_empty_windows_are_refused() -> None:
    with pytest.raises(InputError, match="is empty, expected at least one pixel"):
        Window.of((0, 0, 0, 8))


@pytest.mark.parametrize(("scale", "message"), [
    (0.0, "scale must be a positive number"),
    (float("nan"), "scale must be a positive number"),
    (0.01, "scale 0.01 leaves no pixel of 5x4"),
    (1e9, r"scale 1e\+09 makes 5x4 \(width x height\) larger than 2147483647 pixels"),
    (1e300, r"scale 1e\+300 makes 5x4"),
])  # fmt: skip
def test_impossible_scales_are_refused(scale: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        covered((4, 5), scale=scale)


@pytest.mark.parametrize("side", [8, 40, 88, 180, 200])
def test_all_pixels_have_their_centres_in_what_is_covered(side: int) -> None:
    """Also where a centre falls on the border, and ``side * scale`` is rounded to the other side of it."""
    for halves in range(2, 6 * side):
        scale = halves / 2 / side
        last = covered((side, side), scale=scale).bottom - 1
        assert centre(last, scale) < side <= centre(last + 1, scale)


def test_parts_that_meet_have_neither_gap_nor_overlap() -> None:
    for scale in (127 / 88, 127.5 / 88, 2.5125, 0.675, 3.7):
        parts = [covered((5, 5), (top, top), scale) for top in range(0, 200, 5)]
        assert all(one.bottom == other.top for one, other in pairwise(parts))
