"""Photos through a model that gives them back, better: as deep, as coloured and as well described as they came."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np
import torch
from torch import Tensor

from pixelwise import images
from pixelwise.codecs import LOSSY_SUFFIXES, shape_text
from pixelwise.encoding import check_kept, to_bytes
from pixelwise.errors import InputError
from pixelwise.images import ImageSpec, TargetSpec
from pixelwise.labels import LabelSpec
from pixelwise.metadata import NO_METADATA, Metadata
from pixelwise.metrics.noise import noise_level
from pixelwise.render import Guide
from pixelwise.render.window import Region, Window, wanted

_WITH_ALPHA = (2, 4)
"""Channels of a photo whose last one says how opaque it is."""

_SIDE = 1024
"""Pixels of the part in which noise is looked for."""

_LEAST_SHARE, _GREATEST_SHARE, _TEXTURE = 0.7, 1.15, 5.0
"""How far estimates may be off. Of BSD68's pictures under noise of 25 they lie between 25 and 30, or, where the noisy
pictures are clipped to 8 bits as files are, between 17 and 29: what is clipped has less noise, texture adds some."""


@dataclass(frozen=True)
class Form:
    """What a picture is to be, besides what the model makes of it.

    Whatever the model, its input is turned upright as the file says before it is read; so what is made of it lies as
    viewers show the input. All else that a file says is about the photo in it: a profile about these very colours, EXIF
    and XMP data about how they were taken. So it goes with a photo that is given back, and with nothing else that is
    made of one, be it a map, depth or another photo: such pictures stand upright and say nothing.

    Attributes:
        spec: how its colours are stored, or the classes of a label map.
        alpha: of a photo that has it, H W of the colours' dtype; or a part of it, all that is read where it is wanted.
        origin: (top, left) pixel of the photo at which alpha begins.
        metadata: what its file is to say beside its pixels.
        remarks: what is to be told of it, for people.
    """

    spec: TargetSpec
    alpha: np.ndarray | None = None
    origin: tuple[int, int] = (0, 0)
    metadata: Metadata = NO_METADATA
    remarks: tuple[str, ...] = ()

    @property
    def colours(self) -> ImageSpec:
        """The spec of a picture's."""
        assert isinstance(self.spec, ImageSpec), "a label map has no colours of its own"
        return self.spec

    @property
    def num_channels(self) -> int:
        """Of a stored picture, alpha included."""
        return self.colours.channels + (self.alpha is not None)

    def coloured(self, image: Tensor) -> Tensor:
        """What the model made of ``Restoration``'s image, ... c H W, as pictures B C H W of the spec's channels.

        Class indices stay as they are.
        """
        if isinstance(self.spec, LabelSpec) or image.shape[1] == self.spec.channels:
            return image
        if self.spec.channels == 1:
            return image.mean(dim=1, keepdim=True)
        return image.reshape(-1, self.spec.channels, *image.shape[2:])

    def stored(self, image: Tensor, region: Region | None = None, scale: float = 1.0) -> np.ndarray:
        """What is to be written, H W C, of one picture as the model made it, with its alpha; or file ids H W.

        Args:
            image: B c H W, or class indices 1 H W.
            region, scale: what was made of the photo.
        """
        colours = images.stored(self.coloured(image)[0], self.spec)
        if self.alpha is None:
            return colours
        height, width = self.alpha.shape
        window = wanted((height, width), region, scale)
        return np.concatenate([colours, _alpha_at(self.alpha, self.origin, window, scale)[..., None]], axis=2)

    def to_bytes(self, path: Path, stored: np.ndarray) -> bytes:
        """A file of that name, of what ``stored`` gave. Raises InputError if it cannot hold that."""
        if isinstance(self.spec, LabelSpec):
            return images.ids_to_bytes(path, stored, self.spec)
        return to_bytes(path, stored, self.metadata)

    def within(self, path: Path, size: tuple[int, int]) -> Form:
        """As much of it as a file of that name holds; its remarks say what it does not.

        Args:
            path: of the picture.
            size: (height, width) of the picture.

        Raises:
            InputError: the file cannot hold its pixels at all.
        """
        suffix = path.suffix.lower()
        form = self.kept_in(suffix)
        if isinstance(self.spec, ImageSpec):
            check_kept(path, size, form.num_channels, form.colours.dtype)
        return replace(form, remarks=(*self.remarks, *loss_remarks(suffix, self.lost_in(suffix))))

    def kept_in(self, suffix: str) -> Form:
        """The same, without alpha where files of that suffix have none."""
        return replace(self, alpha=None) if suffix in LOSSY_SUFFIXES else self

    def lost_in(self, suffix: str) -> list[str]:
        """What files of that suffix do not hold of it, by name."""
        is_opaque = self.alpha is not None and self.kept_in(suffix).alpha is None
        return [*self.metadata.lost_in(suffix), *(["alpha"] if is_opaque else [])]


@dataclass(frozen=True)
class Restoration:
    """How a model that restores photos reads those that are not stored as what it was trained on.

    Photos of 16 bits or of floats are read as they are, and written so. Alpha, the last of two or four channels, goes
    past the model, as does what a file says beside its pixels; tensors have none. A grey model takes each channel of a
    colour photo by itself; a colour model takes a grey one as equal channels, and the mean of what it makes is grey
    again.

    Attributes:
        spec: what the model was trained on.
        noise: the standard deviations in grey levels, from least to greatest, that it was trained for.
    """

    spec: ImageSpec
    noise: tuple[float, float] | None = None

    def read(
        self, stored: np.ndarray, source: str | Path = "image", metadata: Metadata = NO_METADATA
    ) -> tuple[Tensor, Form]:
        """Of a photo H W C as files store it: B c H W in [-1, 1] for the model, and the form of what it makes.

        Raises:
            InputError: naming the source: values beyond white, or channels or numbers that the model cannot take.
        """
        form = self.form(stored, source, metadata)
        planes = self.planes(stored, source)
        return self.fitted(planes), replace(form, remarks=self.remarks(planes))

    def form(self, stored: np.ndarray, source: str | Path = "image", metadata: Metadata = NO_METADATA) -> Form:
        """The same without remarks, which would take to look at the pixels. Raises InputError as ``read``."""
        return Form(self._spec(stored, source), self._split(stored)[1], metadata=metadata)

    def read_tensor(self, photos: Tensor, source: str | Path = "image") -> tuple[Tensor, Form]:
        """The same of photos B C H W in [-1, 1]. A tensor's channels are colours: it has no alpha.

        Raises:
            InputError: naming the source: two or four channels, unless the model was trained on so many.
        """
        planes = self.checked(photos, source)
        return self.fitted(planes), Form(ImageSpec(planes.shape[1]), remarks=self.remarks(planes))

    def checked(self, photos: Tensor, source: str | Path = "image") -> Tensor:
        """Photos B C H W as they are. Raises InputError as ``read_tensor``."""
        channels = photos.shape[1]
        if channels in _WITH_ALPHA and channels != self.spec.channels:
            raise InputError(
                f"{source}: has {channels} channels, but a tensor has no alpha; expected its colours alone"
            )
        return photos

    def _spec(self, stored: np.ndarray, source: str | Path) -> ImageSpec:
        """How the colours of a photo like this one are stored. Raises InputError as ``read``."""
        colours, _ = self._split(stored)
        channels, dtype = colours.shape[2], colours.dtype.name
        if (channels, dtype) == (self.spec.channels, self.spec.dtype):
            return self.spec
        if 1 not in (channels, self.spec.channels) and channels != self.spec.channels:
            expected = f"{self.spec.channels} channels, or 1 of a grey photo"
            raise InputError(f"{source}: is {shape_text(stored)}, expected {expected}")
        try:
            return self.spec.of_photo(channels, dtype)
        except InputError as error:
            raise InputError(f"{source}: is {shape_text(stored)}, but {error}") from error

    def planes(self, stored: np.ndarray, source: str | Path = "image") -> Tensor:
        """The photo's colours as 1 C H W in [-1, 1]. Raises InputError as ``read``."""
        return images.to_tensor(self._split(stored)[0], self._spec(stored, source), source)[None]

    def num_photos(self, channels: int) -> int:
        """As how many photos the model takes one of so many channels."""
        return channels if self.spec.channels == 1 else 1

    def fitted(self, planes: Tensor) -> Tensor:
        """Photos B C H W as the model takes them, ``num_photos`` for each: ... c H W."""
        channels = self.spec.channels
        if self.num_photos(planes.shape[1]) > 1:
            return planes.reshape(-1, 1, *planes.shape[2:])
        return planes.expand(-1, channels, -1, -1) if planes.shape[1] == 1 else planes

    def remarks(self, planes: Tensor) -> tuple[str, ...]:
        """What is to be told of photos B C H W."""
        return self.channel_remarks(planes.shape[1]) + self.noise_remarks(noise_in(planes))

    def channel_remarks(self, channels: int) -> tuple[str, ...]:
        """What is to be told of a photo of so many."""
        if channels == self.spec.channels:
            return ()
        if self.spec.channels == 1:
            return ("grey model on a colour photo: each channel by itself",)
        return (f"colour model on a grey photo: as {self.spec.channels} equal channels, the result is their mean",)

    def _split(self, stored: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Colours H W C, and alpha H W where there is some."""
        channels = stored.shape[2]
        if channels == self.spec.channels or channels not in _WITH_ALPHA:
            return stored, None
        return stored[..., :-1], stored[..., -1]

    def noise_remarks(self, *levels: float | None) -> tuple[str, ...]:
        """What is to be said of a photo in whose parts there is so much noise: nothing, unless it is clearly too much
        or too little for the model.
        """
        known = [level for level in levels if level is not None]
        if self.noise is None or not known:
            return ()
        (lowest, highest), level = self.noise, median(known)
        if _LEAST_SHARE * lowest <= level <= _GREATEST_SHARE * highest + _TEXTURE:
            return ()
        trained = f"{lowest:g}" if lowest == highest else f"{lowest:g} to {highest:g}"
        return (f"noise of about {level:.0f} grey levels, the model was trained for {trained}",)


def loss_remarks(kind: str, lost: Iterable[str]) -> tuple[str, ...]:
    """What is to be told of a kind of file, such as its suffix, that does not keep all: nothing, if nothing is lost."""
    names = ", ".join(dict.fromkeys(lost))
    return (f"{kind} does not keep: {names}",) if names else ()


def noise_in(image: Tensor) -> float | None:
    """Grey levels, see ``metrics.noise``, in the middle of photos B C H W."""
    top, left = (max(side - _SIDE, 0) // 2 for side in image.shape[-2:])
    return noise_level(image[..., top : top + _SIDE, left : left + _SIDE])


def _alpha_at(alpha: np.ndarray, origin: tuple[int, int], window: Window, scale: float) -> np.ndarray:
    """H W at a window's pixels: interpolated between pixels where colours are read, and no more averaged than these."""
    # torch warns of what cannot be written to, though nothing is.
    planes = torch.from_numpy(np.require(alpha, requirements="W"))[None, None]
    guide = Guide(None, 0, planes, origin=origin).around(window, scale)
    assert guide.image is not None
    found = replace(guide, image=guide.image.float()).image_at(window, scale)[0, 0].numpy()
    return found if alpha.dtype.kind == "f" else np.rint(found).astype(alpha.dtype)
