"""One model at work: a label map or photo in, a picture of the same size out."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor, nn

from pixelwise import images
from pixelwise.checkpoint import Checkpoint, load_checkpoint, resolve
from pixelwise.codecs import ID_MODES, IMAGE_MODES, shape_text
from pixelwise.condition import Condition
from pixelwise.data.layout import check_sizes
from pixelwise.errors import InputError
from pixelwise.images import ImageSpec
from pixelwise.models import for_inference
from pixelwise.render import Window
from pixelwise.session import Plane, Region, Session

_UNSIGNED = (torch.uint16, torch.uint32, torch.uint64)
"""What torch stores but hardly reckons with."""

DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
"""What a model may compute in, by the names of a command line."""

Picture = TypeVar("Picture", Image.Image, np.ndarray, Tensor)


def load(
    model: str | Path,
    device: torch.device | str = "auto",
    engine: str = "auto",
    dtype: torch.dtype = torch.float32,
) -> Translator:
    """A model, ready to translate.

    Args:
        model: the name of a bundled model, or a ``.safetensors`` file that pixelwise wrote.
        device: where it runs, as torch names it; "auto" for the GPU if there is one.
        engine: what renders a pixelwise model: a name of ``render.ENGINES``; "auto" for the fastest that can run here.
        dtype: in which a pixelwise model computes: float32, or on a GPU float16 or bfloat16.

    Raises:
        InputError: see ``resolve`` and ``load_checkpoint``; a device or engine that is not there; or a ``dtype`` that
            cannot be had with them.
    """
    device = find_device(device)
    return Translator(load_checkpoint(resolve(model), device), device, engine, dtype)


class Translator:
    """A generator, with what its manifest says of files and numbers around it.

    Args:
        checkpoint: the model; its generator is moved to ``device`` and set to eval mode.
        device, engine, dtype: as for ``load``.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: torch.device | str = "auto",
        engine: str = "auto",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.manifest = checkpoint.manifest
        self.device = find_device(device)
        self.generator = checkpoint.generator
        assert isinstance(self.generator, nn.Module)
        self.generator.to(self.device).eval()
        self.ready = for_inference(checkpoint.generator, engine, dtype)

    def __call__(
        self,
        picture: Picture,
        *,
        instances: Image.Image | np.ndarray | Tensor | None = None,
        region: Region | None = None,
        scale: float = 1.0,
    ) -> Picture:
        """Translates one picture, or a batch of tensors.

        Args:
            picture: what the model reads. A label map as PIL image or array holds what a file would: ids as integers
                H W, or the spec's colours, H W 3 uint8; as a tensor class indices, H W or B H W. A photo as PIL image
                or array H W C has the manifest's channels and dtype; as a tensor it is C H W or B C H W in [-1, 1].
            instances: the instance map, for models that read one: H W integers or colours, as a tensor also B H W.
            region: (top, left, height, width) of the part wanted, in pixels of the output: the same pixels as of the
                whole, without the others' cost. None for all.
            scale: pixels of the output per pixel of the input; a pixelwise model is evaluated between pixels.

        Returns:
            The same kind, of the same height and width, those of the region, or ``scale`` times as large: a PIL image;
            an array H W C of the dtype that the manifest states for outputs; or a tensor C H W or B C H W float32 in
            [-1, 1], on the picture's device.

        Raises:
            InputError: wrong channels, dtype or values; a class that the label spec does not know; an instance map that
                is missing, not read, or of another size; a model that reads labels and a photo (see ``translate``); a
                region beyond the picture, a scale that is not positive, or either for a model that has neither.
        """
        condition = self.condition(picture, instances)
        image = self.translate(condition, region, scale)
        if isinstance(picture, Tensor):
            batched = picture.dim() == getattr(condition, self._part).dim()
            return (image if batched else image[0]).to(picture.device)
        array = images.from_tensor(image[0], self.manifest.target)
        return _to_pil(array) if isinstance(picture, Image.Image) else array

    @torch.inference_mode()
    def translate(self, condition: Condition, region: Region | None = None, scale: float = 1.0) -> Tensor:
        """Conditions of any size as pictures B C H W float32 in [-1, 1] (what lies outside is clipped), on ``device``.

        Args:
            condition: B H W.
            region, scale: see ``__call__``.

        Raises:
            InputError: a part that the model reads is missing or has other channels, labels beyond its classes, an
                output that is not a number, or a region or scale that cannot be had.
        """
        condition = condition.to(self.device)
        if self.ready is not None:
            translation = self.ready(condition, None if region is None else Window(*region), scale)
        elif region is None and scale == 1:
            translation = self.generator(condition)
        else:
            raise InputError(f"a {self.manifest.family} model renders whole pictures only, of the input's size")
        return translation.picture()

    def begin(
        self, condition: Condition | Plane, *, instances: Plane | None = None, approximate: bool = False
    ) -> Session:
        """A session in which a condition is edited, and rendered where it is looked at.

        ::

            session = translator.begin(label_map)
            picture = session.render((0, 0, 512, 512))
            session.update((100, 200, 32, 32), torch.full((32, 32), grass))
            picture = session.render((0, 0, 512, 512))

        Pictures are those that ``translate`` makes of the edited condition. What is near an edit, as far as the
        low-resolution stream sees, is computed again, and so are cells that come into view for the first time. A
        model with instance norms sees everywhere: with it an update costs the whole stream at the next rendering.

        Args:
            condition: B = 1; or one picture of what the model reads, in the forms that a call takes. It is copied.
            instances: with a picture: see ``__call__``.
            approximate: leaves instance norms the statistics that they have now, so that edits stay local. The picture
                is exact until the first edit and strays from ``translate`` as more of the condition changes: with the
                bundled facades at 512 x 512 by 0.2 of 255 levels in the mean (4 at most) after an edit of 0.4 % of the
                pixels, by 1 (21) after 1.6 %, by 4 (82) after 6 %. Beginning a new session sets it right. Without
                instance norms it changes nothing.

        Raises:
            InputError: as ``__call__`` and ``translate``; more than one condition; or a model that renders whole
                pictures only, or that has nothing to keep.
        """
        if self.ready is None:
            raise InputError(f"a {self.manifest.family} model renders whole pictures only: it has no editing sessions")
        if not isinstance(condition, Condition):
            condition = self.condition(condition, instances)
        elif instances is not None:
            raise InputError("instances: a condition holds them itself")
        with torch.inference_mode():
            editing = self.ready.edit(condition.to(self.device), approximate)
        spec = self.manifest.spec
        readers = {"labels": self._labels, "instances": _instances, "image": self._image}
        is_read = {"labels": spec.labels is not None, "instances": spec.instances, "image": spec.image_channels > 0}
        return Session(editing, {name: reader for name, reader in readers.items() if is_read[name]})

    def read_condition(self, path: Path, instances: Path | None = None) -> Condition:
        """One condition (B = 1) from a file with what the model reads, and one with the instance map.

        Raises:
            InputError: naming the file: unreadable, other channels or dtype, ids or colours unknown to the label spec,
                an instance map that is missing, not read, or of another size.
        """
        spec = self.manifest.spec
        self._check_instances(instances is not None, path)
        if self._part == "labels" and spec.labels is not None:
            plane = torch.from_numpy(images.read_labels(path, spec.labels))
        else:
            plane = images.to_tensor(images.read(path), self._image_spec, path)
        if instances is None:
            return Condition(**{self._part: plane[None]})
        ids = torch.from_numpy(images.read_instances(instances))
        check_sizes({path: tuple(plane.shape[-2:]), instances: tuple(ids.shape)})
        return Condition(**{self._part: plane[None], "instances": ids[None]})

    @property
    def _part(self) -> str:
        """Which part of a condition the one picture is that this model reads."""
        spec = self.manifest.spec
        if (spec.labels is None) == (spec.image_channels == 0) or spec.style:
            raise InputError("this model does not read just one picture: make a Condition and call translate()")
        return "image" if spec.labels is None else "labels"

    @property
    def _image_spec(self) -> ImageSpec:
        return self.manifest.image or ImageSpec(self.manifest.spec.image_channels)

    def condition(self, picture: Plane, instances: Plane | None = None) -> Condition:
        """What the model reads, from pictures in the forms that a call takes; see there for these and for errors."""
        self._check_instances(instances is not None, "input")
        plane = self._labels(picture) if self._part == "labels" else self._image(picture)
        return Condition(
            **{self._part: plane}, instances=None if instances is None else _instances(instances).to(plane.device)
        )

    def _labels(self, picture: Image.Image | np.ndarray | Tensor) -> Tensor:
        """B H W class indices."""
        if isinstance(picture, Tensor):
            return _batched(picture, num_dims=3, floating=False, expected="class indices H W or B H W")
        spec = self.manifest.spec.labels
        assert spec is not None
        stored = images.check_ids(_stored(picture, ID_MODES), "label map")
        return torch.from_numpy(images.index_labels(stored, spec))[None]

    def _image(self, picture: Image.Image | np.ndarray | Tensor) -> Tensor:
        """B C H W in [-1, 1]."""
        if isinstance(picture, Tensor):
            expected = "floats C H W or B C H W in [-1, 1]"
            return _in_range(_batched(picture, num_dims=4, floating=True, expected=expected).float())
        array = _stored(picture, IMAGE_MODES)
        if not array.size:
            raise InputError(f"image: is {shape_text(array)}, expected at least one pixel")
        return images.to_tensor(array[..., None] if array.ndim == 2 else array, self._image_spec)[None]

    def _check_instances(self, given: bool, source: str | Path) -> None:
        if self.manifest.spec.instances and not given:
            raise InputError(f"{source}: the model reads an instance map too, and there is none")
        if given and not self.manifest.spec.instances:
            raise InputError(f"{source}: comes with an instance map, which the model does not read")


def find_device(name: torch.device | str) -> torch.device:
    """The device that torch calls so; for "auto" the GPU if there is one. Raises InputError when it is not there."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:  # builds without CUDA assert
        reason = str(error).splitlines()[0]
        raise InputError(f"device {name}: not available here ({reason})") from error


def find_dtype(precision: str) -> torch.dtype:
    """The type of that name in ``DTYPES``. Raises InputError where there is none."""
    if precision not in DTYPES:
        raise InputError(f"precision {precision!r} is not one of {', '.join(DTYPES)}")
    return DTYPES[precision]


def _instances(picture: Image.Image | np.ndarray | Tensor) -> Tensor:
    """B H W ids."""
    if isinstance(picture, Tensor):
        return _batched(picture, num_dims=3, floating=False, expected="instance ids H W or B H W")
    stored = images.check_ids(_stored(picture, ID_MODES), "instance map")
    return torch.from_numpy(images.pack_instances(stored))[None]


def _batched(tensor: Tensor, num_dims: int, floating: bool, expected: str) -> Tensor:
    fits = tensor.is_floating_point() == floating and not tensor.is_complex() and tensor.dtype not in _UNSIGNED
    if tensor.dim() not in (num_dims - 1, num_dims) or not fits or not tensor.numel():
        raise InputError(f"expected {expected}; got a tensor {tuple(tensor.shape)} of {tensor.dtype}")
    return tensor if tensor.dim() == num_dims else tensor[None]


def _in_range(image: Tensor) -> Tensor:
    low, high = (float(value) for value in torch.aminmax(image.detach()))
    # As far beyond the range as files of floats may be, for noise. Asked this way round, NaN fails too.
    if not (low >= -3 and high <= 3):
        raise InputError(f"image: values run from {low:g} to {high:g}, expected a tensor in [-1, 1]")
    return image


def _stored(picture: Image.Image | np.ndarray, modes: dict[str, str]) -> np.ndarray:
    """What a file of this picture would store."""
    if isinstance(picture, np.ndarray):
        return picture
    if not isinstance(picture, Image.Image):
        raise InputError(f"expected a PIL image, an array or a tensor, got a {type(picture).__name__}")
    if picture.mode not in modes:
        raise InputError(f"a PIL image of mode {picture.mode!r}, expected one of {', '.join(modes)}")
    # As files are turned upright, so that both ways give the same picture.
    return np.array(ImageOps.exif_transpose(picture))


def _to_pil(array: np.ndarray) -> Image.Image:
    try:
        return Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)
    except TypeError as error:
        raise InputError(f"a PIL image cannot hold {shape_text(array)}; pass an array or a tensor") from error
