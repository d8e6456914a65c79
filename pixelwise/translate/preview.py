"""Depth for the eye: colours in the place of millimetres, of which a screen shows next to nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pixelwise.images import ImageSpec, TargetSpec

_NUM_COLOURS = 256
_START, _ROTATIONS, _HUE = 0.5, -1.5, 1.0


def previewed(target: TargetSpec) -> ImageSpec | None:
    """How the pictures are stored that a preview is made of; None where the eye sees enough."""
    return target if isinstance(target, ImageSpec) and target.unit and target.channels == 1 else None


def preview_path(path: Path) -> Path:
    """Of the preview beside a picture."""
    return path.with_name(f"{path.stem}_preview.png")


def preview(stored: np.ndarray, spec: ImageSpec) -> np.ndarray:
    """H W 1 as files store it, to colours H W 3 uint8 that grow lighter from 0, which is black, to the spec's white.

    The same colour means the same value in every preview of a model.
    """
    places = np.rint(stored[..., 0] * ((_NUM_COLOURS - 1) / spec.white)).astype(np.intp)
    colours: np.ndarray = _cubehelix()[places.clip(0, _NUM_COLOURS - 1)]
    return colours


def _cubehelix() -> np.ndarray:
    """Colours of evenly growing lightness, in turning hues: 256 3 uint8.

    Green, "A colour scheme for the display of astronomical intensity images", Bulletin of the Astronomical Society of
    India 2011, Eqs. 1 and 2, with the values that its author recommends.
    """
    lightness = np.linspace(0, 1, _NUM_COLOURS)
    angle = 2 * np.pi * (_START / 3 + 1 + _ROTATIONS * lightness)
    amplitude = _HUE * lightness * (1 - lightness) / 2
    directions = np.array([[-0.14861, 1.78277], [-0.29227, -0.90649], [1.97294, 0.0]])
    colours = lightness + amplitude * (directions @ np.stack([np.cos(angle), np.sin(angle)]))
    return np.asarray(np.rint(255 * colours.T.clip(0, 1)), np.uint8)
