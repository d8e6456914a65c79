"""One model at work: a label map or photo in, a picture of the same size out."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar, overload

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from pixelwise.chance import seeded
from pixelwise.checkpoint import Checkpoint, give_bank, load_checkpoint, resolve
from pixelwise.condition import Condition
from pixelwise.device import find_device
from pixelwise.errors import InputError
from pixelwise.images import ImageSpec
from pixelwise.labels import LabelSpec
from pixelwise.layers.folded import folded
from pixelwise.machine import free_memory
from pixelwise.models import for_inference
from pixelwise.models.family import Translation
from pixelwise.render import Window
from pixelwise.render.window import Region, covered
from pixelwise.translate.pictures import PictureReader, Plane, to_pil
from pixelwise.translate.restoration import Form, Restoration
from pixelwise.translate.seeds import Seeds
from pixelwise.translate.session import Session
from pixelwise.translate.style import Style, StyleSource

Picture = TypeVar("Picture", Image.Image, np.ndarray, Tensor)


def load(
    model: str | Path,
    device: torch.device | str = "auto",
    engine: str = "auto",
    dtype: torch.dtype = torch.float32,
    bank: str | Path | None = None,
) -> Translator:
    """A model, ready to translate.

    Args:
        model: the name of a bundled model, or a ``.safetensors`` file that pixelwise wrote.
        device: where it runs, as torch names it; "auto" for the GPU if there is one.
        engine: what renders a pixelwise model: a name of ``render.ENGINES``; "auto" for the fastest that can run here.
        dtype: in which a pixelwise model computes: float32, or on a GPU float16 or bfloat16.
        bank: the file of the memory bank, for a model that draws from one, if it does not lie beside the model.

    Raises:
        InputError: see ``resolve``, ``load_checkpoint`` and ``give_bank``; a device or engine that is not there; or a
            ``dtype`` that cannot be had with them.
    """
    device, path = find_device(device), resolve(model)
    checkpoint = load_checkpoint(path, device)
    give_bank(checkpoint, path.parent, None if bank is None else Path(bank))
    return Translator(checkpoint, device, engine, dtype)


class Translator:
    """A generator, with what its manifest says of files and numbers around it.

    Args:
        checkpoint: the model; its generator is moved to ``device`` and set to eval mode.
        device, engine, dtype: as for ``load``.

    Attributes:
        styles: how things may look, for models with styles: found in pictures or drawn.
        seeds: what seeds mean to the model, and which make sense.
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
        if self.ready is None:
            self.generator = folded(self.generator)
        spec = self.manifest.spec
        image = self.manifest.image or (ImageSpec(spec.image_channels) if spec.image_channels else None)
        restores = self.manifest.restores and spec.labels is None
        restoration = Restoration(image, self.manifest.noise) if restores and image is not None else None
        self.reader = PictureReader(spec, image, self.manifest.target, restoration)
        self.styles = StyleSource(self.generator, self.reader, self.device)
        self.seeds = Seeds.of_model(self.generator.config, self.styles.can_draw)

    @property
    def has_rows(self) -> bool:
        """Whether a picture may be of any size: the model can make it by rows, here."""
        return self.ready is not None and self.ready.has_rows

    @property
    def does_errands(self) -> bool:
        """Whether compiled kernels make the pixels, whose threads may read and encode meanwhile."""
        return self.ready is not None and self.ready.does_errands

    @overload
    def __call__(
        self,
        picture: Picture,
        *,
        instances: Plane | None = None,
        style: Plane | Style | None = None,
        region: Region | None = None,
        scale: float = 1.0,
        seed: int | None = None,
    ) -> Picture: ...
    @overload
    def __call__(
        self,
        picture: Picture,
        *,
        instances: Plane | None = None,
        style: Plane | Style | None = None,
        region: Region | None = None,
        scale: float = 1.0,
        seed: int | None = None,
        samples: int,
    ) -> list[Picture]: ...
    def __call__(
        self,
        picture: Picture,
        *,
        instances: Plane | None = None,
        style: Plane | Style | None = None,
        region: Region | None = None,
        scale: float = 1.0,
        seed: int | None = None,
        samples: int | None = None,
    ) -> Picture | list[Picture]:
        """Translates one picture, or a batch of tensors.

        Args:
            picture: what the model reads. A label map as PIL image or array holds what a file would: ids as integers
                H W, or the spec's colours, H W 3 uint8; as a tensor class indices, H W or B H W. A photo as PIL image
                or array H W C has the manifest's channels and dtype; as a tensor it is C H W or B C H W in [-1, 1]. A
                model that restores photos takes any, see ``Restoration``.
            instances: the instance map, for models that read one: H W integers or colours, as a tensor also B H W.
            style: how things are to look, for models that read it: another picture, as those that the model makes; or
                a style from ``styles``. Where classes have styles of their own, a picture must show what ``picture``
                says, at the same size; of any other picture ``styles.of`` finds the style.
            region: (top, left, height, width) of the part wanted, in pixels of the output: the same pixels as of the
                whole, without the others' cost. None for all.
            scale: pixels of the output per pixel of the input; a pixelwise model is evaluated between pixels.
            seed: where random numbers begin, for models that draw a style or noise; 0 if None, so that a picture comes
                out the same each time. Each picture of a batch is drawn as it would be by itself. For models that make
                ``seeds.num_variants`` pictures of each input, the number of the one that is wanted, from 0 on.
            samples: that many pictures, of the seeds ``seed``, ``seed + 1``, … .

        Returns:
            The same kind, of the same height and width, those of the region, or ``scale`` times as large: a PIL image;
            an array H W C of the dtype that the manifest states for outputs, or, of a photo that is restored, of its
            own; or a tensor C H W or B C H W float32 in [-1, 1], on the picture's device. With ``samples`` a list of
            these. A model that finds classes gives what a label map's file would hold, a PIL image with a palette or an
            array H W of ids; or class indices H W or B H W int32 as a tensor.

        Raises:
            InputError: wrong channels, dtype or values; a class that the label spec does not know; an instance map that
                is missing, not read, or of another size; a model that reads labels and a photo (see ``translate``); a
                region beyond the picture, a scale that is not positive, or either for a model that has neither; a style
                that is missing, not read, or of another size where that matters; a seed or samples where nothing is
                left to chance, or beyond the variants that there are.
        """
        condition, form = self.reader.read(picture, instances)
        condition = condition if style is None else self.styles.given(condition, style)
        for remark in form.remarks:
            warnings.warn(remark, stacklevel=2)
        seeds = self.seeds.of(condition, seed, samples)
        pictures: list[Picture] = []
        for image in self._images(condition, region, scale, seeds):
            if isinstance(picture, Tensor):
                batched = picture.dim() == condition.planes()[self.reader.part].dim()
                pictures.append(form.coloured(image)[slice(None) if batched else 0].to(picture.device))
            else:
                array = form.stored(image, region, scale)
                pictures.append(to_pil(array, form) if isinstance(picture, Image.Image) else array)
        return pictures[0] if samples is None else pictures

    def translate(
        self, condition: Condition, region: Region | None = None, scale: float = 1.0, seed: int | None = None
    ) -> Tensor:
        """Conditions of any size as pictures B C H W float32 in [-1, 1] (what lies outside is clipped), on ``device``.

        Of a model that finds classes, their indices B H W int32.

        Args:
            condition: B H W.
            region, scale, seed: see ``__call__``.

        Raises:
            InputError: a part that the model reads is missing or has other channels, labels beyond its classes, an
                output that is not a number, or a region, scale, style or seed that cannot be had.
        """
        (image,) = self._images(condition, region, scale, self.seeds.of(condition, seed))
        return image

    @torch.inference_mode()
    def _images(
        self, condition: Condition, region: Region | None, scale: float, seeds: Sequence[int | None]
    ) -> Iterator[Tensor]:
        """The pictures B C H W of each seed, or the class indices B H W."""
        self.styles.check(condition)
        condition = condition.to(self.device)
        if self.seeds.num_variants > 1:
            translation = self._translation(condition, region, scale)
            yield from (self._made(translation, variant=seed or 0) for seed in seeds)
            return
        for seed in seeds:
            if seed is None:
                yield self._made(self._translation(condition, region, scale))
            else:
                yield self._drawn(condition, region, scale, seed)

    def _drawn(self, condition: Condition, region: Region | None, scale: float, seed: int) -> Tensor:
        pictures = []
        for number in range(len(condition)):
            with seeded(seed, self.device):
                pictures.append(self._made(self._translation(condition[number : number + 1], region, scale)))
        return torch.cat(pictures)

    def check_view(self, region: Region | None, scale: float) -> None:
        """Raises InputError for a region or a scale that this model makes of no input."""
        if self.ready is not None:
            self.ready.check_scale(scale)
        elif region is not None or scale != 1:
            raise InputError(f"this {self.manifest.family} model renders whole pictures only, of the input's size")

    def _translation(self, condition: Condition, region: Region | None, scale: float) -> Translation:
        self.check_view(region, scale)
        if self.ready is None:
            return self.generator(condition)
        window = None if region is None else Window.of(region)
        if scale > 1:
            self._check_room(len(condition), window or covered(condition.size, scale=scale))
        return self.ready(condition, window, scale)

    def _check_room(self, batch: int, window: Window) -> None:
        """Raises InputError for pictures that no memory holds: a scale makes them as large as one likes."""
        free = free_memory()
        num_bytes = 4 * batch * self.generator.config.out_channels * window.height * window.width
        if free is not None and num_bytes > free:
            raise InputError(
                f"a picture of {window.width}x{window.height} (width x height) takes {num_bytes / 1e9:.1f} GB, "
                f"{free / 1e9:.1f} GB of memory are free; ask for a region of it, or for a smaller scale"
            )

    def _made(self, translation: Translation, variant: int = 0) -> Tensor:
        return translation.labels() if isinstance(self.manifest.target, LabelSpec) else translation.picture(variant)

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
                is exact until the first edit (to 0.1 of 255 levels where a grid has few cells) and strays from
                ``translate`` as more of the condition changes: with the bundled facades at 512 x 512 by 0.4 of 255
                levels in the mean (7 at most) after an edit of 0.4 % of the pixels, by 2 (29) after 1.6 %, by 11 (123)
                after 6 %. Beginning a new session sets it right. Without instance norms it changes nothing.

        Raises:
            InputError: as ``__call__`` and ``translate``; more than one condition; or a model that renders whole
                pictures only, or that has nothing to keep.
        """
        if self.ready is None:
            raise InputError(f"this {self.manifest.family} model renders whole pictures only: no editing sessions")
        if isinstance(self.manifest.target, LabelSpec):
            raise InputError("this model finds classes: editing sessions are for models that make pictures")
        if not isinstance(condition, Condition):
            condition = self.condition(condition, instances)
        elif instances is not None:
            raise InputError("instances: a condition holds them itself")
        with torch.inference_mode():
            editing = self.ready.edit(condition.to(self.device), approximate)
        spec, reader = self.manifest.spec, self.reader
        readers = {"labels": reader.read_labels, "instances": reader.read_instances, "image": reader.read_image}
        is_read = {"labels": spec.labels is not None, "instances": spec.instances, "image": spec.image_channels > 0}
        return Session(editing, {name: reader for name, reader in readers.items() if is_read[name]})

    def read_condition(self, path: Path, instances: Path | None = None, style: Path | None = None) -> Condition:
        """One condition (B = 1) from a file with what the model reads, one with the instance map, and a style picture.

        Raises:
            InputError: naming the file: unreadable, other channels or dtype, ids or colours unknown to the label spec,
                an instance map that is missing, not read, or of another size; a style picture that is not read, or of
                another size where classes have styles of their own.
        """
        return self.read_file(path, instances, style)[0]

    def read_file(self, path: Path, instances: Path | None = None, style: Path | None = None) -> tuple[Condition, Form]:
        """The same, with the form of the picture that is to be made of it."""
        condition, form = self.reader.read_files(path, instances)
        return condition if style is None else self.styles.given_file(condition, path, style), form

    def condition(
        self, picture: Plane, instances: Plane | None = None, style: Plane | Style | None = None
    ) -> Condition:
        """What the model reads, from pictures in the forms that a call takes; see there for these and for errors."""
        condition = self.reader.read(picture, instances)[0]
        return condition if style is None else self.styles.given(condition, style)
