"""An editing session: a condition that changes bit by bit, and its picture at the cost of what changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.models.family import Editing
from pixelwise.render import Window
from pixelwise.render.window import Region
from pixelwise.translate.pictures import Plane


class Session:
    """What ``Translator.begin`` returns; see there.

    Args:
        editing: the condition and its picture.
        readers: for each part of a condition that the model reads, by name, what makes the part (B = 1) of a picture.
    """

    def __init__(self, editing: Editing, readers: Mapping[str, Callable[[Plane], Tensor]]) -> None:
        self._editing = editing
        self._readers = readers

    @torch.inference_mode()
    def update(
        self,
        region: Region,
        labels: Plane | None = None,
        *,
        instances: Plane | None = None,
        image: Plane | None = None,
    ) -> None:
        """Changes a region of the condition. Nothing is computed before a picture is asked for.

        Args:
            region: in pixels of the condition.
            labels, instances, image: what is there from now on, each of the region's size, in the forms that a
                ``Translator`` takes: a tensor of labels holds class indices H W, an array what a file would. Those left
                out stay as they are.

        Raises:
            InputError: a region beyond the condition; a part of another size, with values that the model does not know,
                or that it does not read. The session is then as it was.
        """
        pictures = {"labels": labels, "instances": instances, "image": image}
        given = {name: picture for name, picture in pictures.items() if picture is not None}
        if unread := sorted(given.keys() - self._readers.keys()):
            raise InputError(f"{unread[0]}: the model reads {' and '.join(self._readers)} only")
        part = Condition(**{name: self._readers[name](picture) for name, picture in given.items()})
        self._editing.update(Window.of(region), part)

    @torch.inference_mode()
    def render(self, region: Region | None = None, scale: float = 1.0) -> Tensor:
        """The picture of the condition as it is now: what ``Translator.translate`` would make of it.

        Args:
            region: the part wanted, in pixels of the output; None for all.
            scale: pixels of the output per pixel of the condition.

        Returns:
            1 C height width, float32 in [-1, 1].

        Raises:
            InputError: a region or scale that cannot be had, or an output that is not a number.
        """
        return self._editing.render(None if region is None else Window.of(region), scale).picture()
