"""Parts of an output: what may be asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pixelwise.errors import InputError
from pixelwise.render.window import Window, covered


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
