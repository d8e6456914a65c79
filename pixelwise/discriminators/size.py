"""What discriminators that read whole pictures ask of their sizes."""

from __future__ import annotations

from torch import Tensor

from pixelwise.errors import InputError


def check_width(width: int) -> None:
    """Raises InputError unless a first layer can have so many channels."""
    if not isinstance(width, int) or width < 1:
        raise InputError(f"discriminator width is {width!r}, expected an integer of at least 1")


def check_larger(picture: Tensor, reduction: int, discriminator: str) -> None:
    """Raises InputError for pictures B C H W of which a single place would be left to normalise over.

    Args:
        picture: B C H W.
        reduction: how many pixels become one place, in height and in width.
        discriminator: what needs more, in words.
    """
    if max(picture.shape[-2:]) <= reduction:
        raise InputError(
            f"{discriminator} needs pictures of more than {reduction} pixels in height or width, "
            f"got (height, width) {tuple(picture.shape[-2:])}"
        )
