"""PIL images, arrays, tensors and files as the conditions that networks read, and pictures back as PIL images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from pixelwise import images
from pixelwise.codecs import ID_MODES, IMAGE_MODES, PHOTO_MODES, shape_text, unpacked
from pixelwise.condition import Condition, ConditionSpec
from pixelwise.data.layout import check_sizes
from pixelwise.errors import InputError
from pixelwise.images import ImageSpec, TargetSpec
from pixelwise.labels import LabelSpec
from pixelwise.metadata import NO_METADATA, metadata_of
from pixelwise.translate.restoration import Form, Restoration

Plane = Image.Image | np.ndarray | Tensor

_UNSIGNED = (torch.uint16, torch.uint32, torch.uint64)
"""What torch stores but hardly reckons with."""


@dataclass(frozen=True)
class PictureReader:
    """Makes the parts of a condition from what a caller has.

    As PIL image or array a label or instance map holds what a file would, ids or colours; a picture has the channels
    and dtype of its spec. As a tensor a label map holds class indices, H W or B H W, and a picture is C H W or B C H W
    in [-1, 1]. All methods raise InputError for anything else.

    Attributes:
        spec: what conditions carry.
        image: how their image is stored; None when they have none.
        target: how a picture is stored whose style is wanted: as those that the model makes. Label maps have none.
        restoration: of a model that restores photos.
    """

    spec: ConditionSpec
    image: ImageSpec | None
    target: TargetSpec
    restoration: Restoration | None = None

    @property
    def part(self) -> str:
        """Which part of a condition the one picture is that the model translates."""
        if (self.spec.labels is None) == (self.spec.image_channels == 0):
            raise InputError("this model does not read just one picture: make a Condition and call translate()")
        return "image" if self.spec.labels is None else "labels"

    def read_labels(self, picture: Plane) -> Tensor:
        """B H W class indices."""
        if isinstance(picture, Tensor):
            return _batched(picture, 3, floating=False, expected="class indices H W or B H W", source="label map")
        assert self.spec.labels is not None
        stored = images.check_ids(_stored(picture, ID_MODES, "label map"), "label map")
        return torch.from_numpy(images.index_labels(stored, self.spec.labels))[None]

    def read_instances(self, picture: Plane) -> Tensor:
        """B H W ids."""
        if isinstance(picture, Tensor):
            return _batched(picture, 3, floating=False, expected="instance ids H W or B H W", source="instance map")
        stored = images.check_ids(_stored(picture, ID_MODES, "instance map"), "instance map")
        return torch.from_numpy(images.pack_ids(stored))[None]

    def read_image(self, picture: Plane) -> Tensor:
        """B C H W in [-1, 1]; a photo that is restored comes as the model takes it, without its alpha."""
        assert self.image is not None
        if self.restoration is None:
            return _read_image(picture, self.image, "image")
        if isinstance(picture, Tensor):
            planes = self.restoration.checked(_read_tensor(picture, "image"))
        else:
            planes = self.restoration.planes(_stored_photo(picture, PHOTO_MODES, "image"))
        return self.restoration.fitted(planes)

    def read_style(self, picture: Plane) -> Tensor:
        """B C h w in [-1, 1]."""
        assert isinstance(self.target, ImageSpec)
        style = _read_image(picture, self.target, "style picture")
        if style.shape[1] != self.target.channels:
            raise InputError(f"style picture: has {style.shape[1]} channels, expected {self.target.channels}")
        return style

    def condition(self, picture: Plane, instances: Plane | None = None) -> Condition:
        """Of the one picture that the model translates, and its instance map, where the model reads one."""
        self._check_instances(instances is not None, "input")
        plane = self.read_labels(picture) if self.part == "labels" else self.read_image(picture)
        ids = None if instances is None else self.read_instances(instances).to(plane.device)
        return Condition(**{self.part: plane}, instances=ids)

    def read(self, picture: Plane, instances: Plane | None = None) -> tuple[Condition, Form]:
        """The same, and the form of what the model makes of it."""
        if self.restoration is None:
            return self.condition(picture, instances), Form(self.target)
        self._check_instances(instances is not None, "image")
        if isinstance(picture, Tensor):
            image, form = self.restoration.read_tensor(_read_tensor(picture, "image"))
            return Condition(image=image), form
        metadata = metadata_of(picture) if isinstance(picture, Image.Image) else NO_METADATA
        image, form = self.restoration.read(_stored_photo(picture, PHOTO_MODES, "image"), metadata=metadata)
        return Condition(image=image), form

    def read_files(self, path: Path, instances: Path | None = None) -> tuple[Condition, Form]:
        """The same of files, which errors name; B = 1, but of a colour photo for a grey model one for each channel."""
        if self.restoration is None:
            return self.condition_of_files(path, instances), Form(self.target)
        self._check_instances(instances is not None, path)
        stored, metadata = images.read_photo(path)
        image, form = self.restoration.read(stored, path, metadata)
        return Condition(image=image), form

    def condition_of_files(self, path: Path, instances: Path | None = None) -> Condition:
        """The same of files, which errors name; B = 1."""
        self._check_instances(instances is not None, path)
        if self.part == "labels" and self.spec.labels is not None:
            plane = torch.from_numpy(images.read_labels(path, self.spec.labels))
        else:
            assert self.image is not None
            plane = images.to_tensor(images.read(path), self.image, path)
        if instances is None:
            return Condition(**{self.part: plane[None]})
        ids = torch.from_numpy(images.read_instances(instances))
        check_sizes({path: tuple(plane.shape[-2:]), instances: tuple(ids.shape)})
        return Condition(**{self.part: plane[None], "instances": ids[None]})

    def style_of_file(self, path: Path) -> Tensor:
        """1 C h w in [-1, 1]."""
        assert isinstance(self.target, ImageSpec)
        return images.to_tensor(images.read(path), self.target, path)[None]

    def _check_instances(self, given: bool, source: str | Path) -> None:
        if self.spec.instances and not given:
            raise InputError(f"{source}: the model reads an instance map too, and there is none")
        if given and not self.spec.instances:
            raise InputError(f"{source}: comes with an instance map, which the model does not read")


def to_pil(array: np.ndarray, form: Form) -> Image.Image:
    """What ``Form.stored`` gives, file ids with a palette. Raises InputError where there is no such mode."""
    if isinstance(form.spec, LabelSpec):
        image = Image.fromarray(array)
        if array.dtype == np.uint8:
            image.putpalette(images.palette(form.spec).tobytes())
        return image
    try:
        image = Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)
    except TypeError as error:
        raise InputError(f"a PIL image cannot hold {shape_text(array)}; pass an array or a tensor") from error
    image.info.update(form.metadata.pillow_fields())
    return image


def _read_image(picture: Plane, spec: ImageSpec, source: str) -> Tensor:
    if isinstance(picture, Tensor):
        return _read_tensor(picture, source)
    return images.to_tensor(_stored_photo(picture, IMAGE_MODES, source), spec, source)[None]


def _read_tensor(picture: Tensor, source: str) -> Tensor:
    expected = "floats C H W or B C H W in [-1, 1]"
    return _in_range(_batched(picture, 4, floating=True, expected=expected, source=source).float(), source)


def _stored_photo(picture: Image.Image | np.ndarray, modes: dict[str, str], source: str) -> np.ndarray:
    """H W C, as a file of this photo would store it."""
    array = _stored(picture, modes, source)
    if array.ndim not in (2, 3) or not array.size:
        raise InputError(f"{source}: is {shape_text(array)}, expected height, width and perhaps channels")
    return array[..., None] if array.ndim == 2 else array


def _batched(tensor: Tensor, num_dims: int, *, floating: bool, expected: str, source: str) -> Tensor:
    fits = tensor.is_floating_point() == floating and not tensor.is_complex() and tensor.dtype not in _UNSIGNED
    if tensor.dim() not in (num_dims - 1, num_dims) or not fits or not tensor.numel():
        raise InputError(f"{source}: expected {expected}; got a tensor {tuple(tensor.shape)} of {tensor.dtype}")
    return tensor if tensor.dim() == num_dims else tensor[None]


def _in_range(image: Tensor, source: str) -> Tensor:
    low, high = (float(value) for value in torch.aminmax(image.detach()))
    # As far beyond the range as files of floats may be, for noise. Asked this way round, NaN fails too.
    if not (low >= -3 and high <= 3):
        raise InputError(f"{source}: values run from {low:g} to {high:g}, expected a tensor in [-1, 1]")
    return image


def _num_frames(picture: Image.Image) -> int:
    """Of an animation, which would give the one that it stands at; 1 of a picture that has left its file."""
    try:
        return int(getattr(picture, "n_frames", 1))
    except ValueError:
        return 1


def _stored(picture: Image.Image | np.ndarray, modes: dict[str, str], source: str) -> np.ndarray:
    """What a file of this picture would store."""
    if isinstance(picture, np.ndarray):
        return picture
    if not isinstance(picture, Image.Image):
        raise InputError(f"{source}: expected a PIL image, an array or a tensor, got a {type(picture).__name__}")
    if picture.mode not in modes:
        raise InputError(f"{source}: a PIL image of mode {picture.mode!r}, expected one of {', '.join(modes)}")
    if (num_frames := _num_frames(picture)) > 1 and picture.format != "MPO":
        raise InputError(f"{source}: is an animation of {num_frames} frames, expected one picture (such as its copy())")
    # As files are turned upright, so that both ways give the same picture.
    upright = ImageOps.exif_transpose(picture)
    return np.array(unpacked(upright) if modes is PHOTO_MODES else upright)
