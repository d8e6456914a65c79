"""How things look in a picture, as a model sees it: to be given to other pictures, whole or class by class."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from pixelwise.chance import seeded, seeds_from
from pixelwise.condition import Condition
from pixelwise.data.layout import check_sizes
from pixelwise.errors import InputError
from pixelwise.labels import LabelSpec
from pixelwise.models import family_of
from pixelwise.models.family import Generator
from pixelwise.translate.pictures import PictureReader, Plane


@dataclass(frozen=True)
class Style:
    """What ``StyleSource`` returns, for the model that it belongs to.

    Attributes:
        latent: 1 Z, what ``Condition.latent`` is to be.
        labels: the classes, each of which has its own part of the latent, don't care included; None when the style is
            of the whole picture.
    """

    latent: Tensor
    labels: LabelSpec | None = None

    def with_class(self, label: str | int, other: Style) -> Style:
        """This style, but with one class looking as in another one.

        ::

            face, friend = translator.styles.of(photo, labels), translator.styles.of(other_photo, other_labels)
            picture = translator(labels, style=face.with_class("hair", friend))

        Args:
            label: the class's name, or its index (a command line's too, a string of digits).
            other: of the same model.

        Raises:
            InputError: a style of whole pictures, a class that is not there, or a style of another model.
        """
        if self.labels is None:
            raise InputError("this style is of the whole picture: it has no parts that belong to classes")
        if other.labels != self.labels or other.latent.shape != self.latent.shape:
            raise InputError("the two styles are of different models: their classes or their lengths differ")
        parts = self.latent.reshape(1, self.labels.num_channels, -1).clone()
        index = _index_of(label, self.labels)
        parts[:, index] = other.latent.reshape(parts.shape)[:, index]
        return replace(self, latent=parts.flatten(1))


def _for_each(part: Tensor, condition: Condition) -> Tensor:
    """A style or its picture for each condition of a batch: one for all, or as many as there are."""
    if len(part) not in (1, len(condition)):
        raise InputError(f"got {len(part)} styles for {len(condition)} conditions, expected one, or one for each")
    return part.to(condition.device).expand(len(condition), *part.shape[1:])


def _index_of(label: str | int, labels: LabelSpec) -> int:
    if isinstance(label, str) and label in labels.names:
        return labels.names.index(label)
    if isinstance(label, str) and label.isdecimal():
        label = int(label)
    if isinstance(label, int) and not isinstance(label, bool) and 0 <= label < labels.num_channels:
        return label
    raise InputError(
        f"there is no class {label!r}, expected 0..{labels.num_channels - 1} or one of {', '.join(labels.names)}"
    )


class StyleSource:
    """How a model comes by styles: from pictures, from files, or by chance.

    Its methods raise InputError for what the model's family, as it is configured, cannot do.

    Args:
        generator: the model's, in eval mode.
        reader: of what it reads.
        device: where it is.
    """

    def __init__(self, generator: Generator, reader: PictureReader, device: torch.device) -> None:
        family = family_of(generator.config)
        self._name = f"this {family.name} model"
        self._styling = family.styling(generator)
        self._reads_pictures = family.reads_style(generator.config)
        self._reader = reader
        self._device = device

    @property
    def can_draw(self) -> bool:
        """Whether a condition without a style gets one that is drawn."""
        return self._styling is not None and self._styling.draw is not None

    def of(self, picture: Plane, labels: Plane | None = None, instances: Plane | None = None) -> Style:
        """How things look in a picture, in the forms that a call of ``Translator`` takes.

        Args:
            picture: as those that the model makes.
            labels: what it shows, of its size, for a model whose classes have styles of their own.
            instances: its instance map, if the model reads instance maps.
        """
        self._check_maps(labels is not None, instances is not None)
        layout = None if labels is None else self._reader.condition(labels, instances)
        return self._encoded(self._reader.read_style(picture), layout)

    def of_file(self, path: Path, labels: Path | None = None, instances: Path | None = None) -> Style:
        """As ``of``, from files, which errors name."""
        self._check_maps(labels is not None, instances is not None)
        layout = None if labels is None else self._reader.condition_of_files(labels, instances)
        picture = self._reader.style_of_file(path)
        if layout is not None and labels is not None:
            check_sizes({path: tuple(picture.shape[-2:]), labels: layout.size})
        return self._encoded(picture, layout)

    @torch.inference_mode()
    def draw(self, seed: int = 0) -> Style:
        """A style by chance; where classes have styles of their own, one for each."""
        if self._styling is None or self._styling.draw is None:
            raise InputError(f"{self._name} draws no styles")
        (first,) = seeds_from(seed, 1)
        with seeded(first, self._device):
            return self._style(self._styling.draw(1))

    def given(self, condition: Condition, style: Plane | Style) -> Condition:
        """The condition with a style, or with a picture whose style is to be found, for each of its batch."""
        if isinstance(style, Style):
            self.check_latent()
            return replace(condition, latent=_for_each(style.latent, condition))
        self.check_picture()
        picture = self._reader.read_style(style)
        if self._by_class and picture.shape[-2:] != condition.size:
            raise InputError(
                f"style picture: is {picture.shape[-1]}x{picture.shape[-2]}, the input {condition.size[1]}x"
                f"{condition.size[0]} (width x height); as classes have styles of their own, it must show the same, or "
                "come with a label map: see Translator.styles.of"
            )
        return replace(condition, style=_for_each(picture, condition))

    def given_file(self, condition: Condition, source: Path, path: Path) -> Condition:
        """As ``given``: the picture in a file, for the condition (B = 1) of another."""
        self.check_picture()
        picture = self._reader.style_of_file(path)
        height, width = picture.shape[-2:]
        if self._by_class and (height, width) != condition.size:
            raise InputError(
                f"{path}: is {width}x{height}, {source} is {condition.size[1]}x{condition.size[0]} (width x height); "
                "as classes have styles of their own, it must show the same, or come with its label map, --style-labels"
            )
        return replace(condition, style=picture)

    def check(self, condition: Condition) -> None:
        """Whether the model reads the style or latent that a condition has."""
        if condition.style is not None:
            self.check_picture()
        if condition.latent is not None:
            self.check_latent()

    def check_picture(self) -> None:
        if not self._reads_pictures:
            raise InputError(f"{self._name} reads no style pictures")

    def check_latent(self) -> None:
        if self._styling is None:
            raise InputError(f"{self._name} has no styles")

    def _check_maps(self, labels: bool, instances: bool) -> None:
        """Whether pictures are read, and together with these maps."""
        self.check_picture()
        if self._by_class and not labels:
            raise InputError(f"{self._name} has a style for each class: the picture needs a label map")
        if not self._by_class and (labels or instances):
            raise InputError(f"{self._name} has styles of whole pictures: it reads no maps of them")

    @property
    def _by_class(self) -> bool:
        return self._styling is not None and self._styling.by_class

    @torch.inference_mode()
    def _encoded(self, picture: Tensor, layout: Condition | None) -> Style:
        if len(picture) != 1:
            raise InputError(f"a style is found in one picture, got {len(picture)}")
        if layout is not None and picture.shape[-2:] != layout.size:
            raise InputError(
                f"style picture: is {picture.shape[-1]}x{picture.shape[-2]}, its label map {layout.size[1]}x"
                f"{layout.size[0]} (width x height)"
            )
        # What has styles of whole pictures reads nothing else of the condition.
        condition = Condition(image=picture, style=picture) if layout is None else replace(layout, style=picture)
        assert self._styling is not None
        return self._style(self._styling.encode(condition.to(self._device)))

    def _style(self, latent: Tensor) -> Style:
        return Style(latent, self._reader.spec.labels if self._by_class else None)
