"""Pictures that do not fit in memory, through one model: rows in, rows out.

A network of which a pixel depends on its surroundings only goes tile by tile, see ``models/tiled.py``. The field of an
ASAP-Net comes from a low-resolution stream that reads the picture several times from top to bottom and keeps its layers
on the disk; then each row of cells is rendered and written. There are no seams, since nothing is cut: the numbers are
those that the whole picture would give.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pixelwise.allocator import keep_freed_memory
from pixelwise.atomic import check_free
from pixelwise.codecs import ID_MODES, IMAGE_MODES, PHOTO_MODES, SUFFIXES
from pixelwise.condition import Condition
from pixelwise.data.layout import check_sizes
from pixelwise.errors import InputError
from pixelwise.labels import LabelSpec
from pixelwise.metadata import Metadata
from pixelwise.models import family_of
from pixelwise.models.family import GeneratorConfig, WindowGenerator
from pixelwise.rasters import Raster, check_space, open_raster, write_deep_zoom, write_pyramid, writing
from pixelwise.render.window import Region, Window
from pixelwise.translate.job_plan import Job
from pixelwise.translate.restoration import Form, Restoration, noise_in
from pixelwise.translate.translator import Translator

WritePyramid = Callable[
    [Path, tuple[int, int], int, str, Metadata], AbstractContextManager[Callable[[np.ndarray], None]]
]

PYRAMIDS: Mapping[str, WritePyramid] = {".tif": write_pyramid, ".tiff": write_pyramid, ".dzi": write_deep_zoom}

Progress = Callable[[int, int], object]
"""Called with the rows that are done and all rows."""


def goes_by_rows(translator: Translator, job: Job) -> bool:
    """Whether a job's picture is made by ``translate_large``: in a file of any size, and of its source alone.

    A TIFF is an ordinary file too, for a model that cannot go by rows.
    """
    suffixes = PYRAMIDS.keys() if translator.has_rows else PYRAMIDS.keys() - set(SUFFIXES)
    return job.destination.suffix.lower() in suffixes and job.style is None and job.seed is None


def translate_large(
    translator: Translator,
    source: Path,
    destination: Path,
    *,
    instances: Path | None = None,
    region: Region | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    remark: Callable[[str], object] = lambda text: None,
) -> tuple[int, int]:
    """Translates one picture of any size, or a region of it, in bounded memory.

    A region costs as much of the picture as its pixels depend on. Of an ASAP-Net that is the whole low-resolution
    stream; and what lies above the region is rendered, too, though not written.

    Args:
        translator: a model with a field, or one whose pixels depend on their surroundings only.
        source: a label map or photo, best a TIFF or an NPY file: others are decoded whole.
        destination: a .tif file, which becomes a tiled pyramid (BigTIFF where it must), or a .dzi file, Deep Zoom. It
            is there when all is done, or not at all.
        instances: the instance map, for a model that reads one.
        region: (top, left, height, width) of the part wanted, in pixels; None for all.
        overwrite: whether what is there is replaced.
        progress: is told of the rendered rows.
        remark: is told what people should know of the picture.

    Returns:
        (height, width) of what was made.

    Raises:
        InputError: a model of whole pictures; an input that cannot be read or does not fit the model; a region without
            pixels or beyond the picture; a destination of another kind, that is an input or there already, or on a disk
            without room for it and for the stream's layers.
    """
    _check_destination(destination, [path for path in (source, instances) if path is not None], overwrite)
    ready = _in_parts(translator, destination)
    with writing(destination):
        destination.parent.mkdir(parents=True, exist_ok=True)
    keep_freed_memory()
    with ExitStack() as stack:
        picture = stack.enter_context(_open(translator, source, instances, region))
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=destination.parent, prefix=".pixelwise-")))
        form, size = picture.form(0, 1), (picture.wanted.height, picture.wanted.width)
        count = picture.num_conditions(form)
        check_space(destination, count * ready.scratch_bytes(picture.size))
        channels = form.colours.channels + (form.alpha is not None)
        push = stack.enter_context(
            PYRAMIDS[destination.suffix.lower()](destination, size, channels, form.colours.dtype, form.metadata)
        )
        done = 0
        for image in _within(picture.wanted, _bands(ready, picture, count, scratch)):
            if image.isnan().any():
                raise InputError(f"{source}: the model's output is NaN in rows {done} to {done + image.shape[2] - 1}")
            push(picture.form(done, done + image.shape[2]).stored(image.clamp(-1, 1)))
            done += image.shape[2]
            if progress is not None:
                progress(done, size[0])
        for text in picture.remarks(form, destination.suffix.lower()):
            remark(text)
        return size


def _check_destination(destination: Path, inputs: list[Path], overwrite: bool) -> None:
    if destination.suffix.lower() not in PYRAMIDS:
        raise InputError(f"{destination}: large pictures are written as {', '.join(PYRAMIDS)}")
    check_free(destination, overwrite)
    if destination.resolve() in {path.resolve() for path in inputs}:
        raise InputError(f"{destination}: is an input and would be replaced by a picture; choose another name")


def _in_parts(translator: Translator, destination: Path) -> WindowGenerator:
    if translator.ready is None:
        raise InputError(f"this {translator.manifest.family} model cannot translate a picture in parts")
    if isinstance(translator.manifest.target, LabelSpec):
        raise InputError(f"{destination}: the model makes label maps, which are written as .png only")
    return translator.ready


def _bands(ready: WindowGenerator, picture: _Picture, count: int, scratch: Path) -> Iterator[Tensor]:
    """What the model makes from top to bottom, B C rows W.

    Of a photo that it takes channel by channel, each has a stream of its own: so memory is that of one.
    """
    streams = []
    for number in range(count):
        (folder := scratch / str(number)).mkdir()
        streams.append(ready.by_rows(picture.size, partial(picture.rows, number), folder))
    for bands in zip(*streams, strict=True):
        yield torch.cat(bands).cpu()


def _within(window: Window, bands: Iterator[Tensor]) -> Iterator[Tensor]:
    """Of a picture that comes from top to bottom, B C rows W each, a window; what lies below is not asked for."""
    top = 0
    for band in bands:
        bottom = top + band.shape[2]
        if bottom > window.top:
            yield band[:, :, max(window.top - top, 0) : window.bottom - top, window.left : window.right]
        if bottom >= window.bottom:
            return
        top = bottom


@dataclass(frozen=True)
class _Picture:
    """A condition on the disk, or a part of it, and the form of what is made of it.

    Attributes:
        translator: the model.
        source, instances: the files.
        part: what is read of them.
        wanted: what is made of that, in pixels of the part.
        noise_levels: what was found in the rows that were read.
    """

    translator: Translator
    source: Raster
    instances: Raster | None
    part: Window
    wanted: Window
    noise_levels: list[float | None] = field(default_factory=list)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of what is read."""
        return self.part.height, self.part.width

    def num_conditions(self, form: Form) -> int:
        """How many the model takes the picture as, given the form of what it makes of it."""
        return 1 if self._restoration is None else self._restoration.num_photos(form.colours.channels)

    def rows(self, number: int, start: int, stop: int) -> Condition:
        """Rows of one of its conditions, on the model's device."""
        return self._rows(start, stop)[number : number + 1].to(self.translator.device)

    def _rows(self, start: int, stop: int) -> Condition:
        instances = None if self.instances is None else self._stored(self.instances, start, stop)
        try:
            if self._restoration is None:
                return self.translator.condition(self._stored(self.source, start, stop), instances)
            planes = self._restoration.planes(self._photo(start, stop))
        except InputError as error:
            rows = f"rows {self.part.top + start} to {self.part.top + stop - 1}"
            raise InputError(f"{self.source.path}: {rows}: {error}") from error
        self.noise_levels.append(noise_in(planes))
        return Condition(image=self._restoration.fitted(planes))

    def form(self, start: int, stop: int) -> Form:
        """Of these rows of what is wanted. They are at hand if they were among those read last."""
        if self._restoration is None:
            return Form(self.translator.manifest.target)
        photo = self._photo(self.wanted.top + start, self.wanted.top + stop)
        return self._restoration.form(
            photo[:, self.wanted.left : self.wanted.right], self.source.path, self.source.metadata
        )

    def remarks(self, form: Form, suffix: str) -> Iterator[str]:
        """What is to be told of the picture, when all its rows were read."""
        if form.colours.unit:
            yield "no preview of a picture that is streamed"
        if self._restoration is None:
            return
        metadata = self.source.metadata
        yield from self._restoration.channel_remarks(form.colours.channels)
        yield from self._restoration.noise_remarks(*self.noise_levels)
        # Neither writer of pyramids knows of EXIF data.
        lost = dict.fromkeys((*metadata.lost_in(suffix), *(["EXIF data"] if metadata.exif else [])))
        if lost:
            yield f"a pyramid does not keep: {', '.join(lost)}"

    @property
    def _restoration(self) -> Restoration | None:
        return self.translator.reader.restoration

    def _photo(self, start: int, stop: int) -> np.ndarray:
        stored = self._stored(self.source, start, stop)
        return stored[..., None] if stored.ndim == 2 else stored

    def _stored(self, raster: Raster, start: int, stop: int) -> np.ndarray:
        """Rows of the part, H W or H W C."""
        return raster.rows(self.part.top + start, self.part.top + stop)[:, self.part.left : self.part.right]


@contextmanager
def _open(translator: Translator, source: Path, instances: Path | None, region: Region | None) -> Iterator[_Picture]:
    restores = translator.reader.restoration is not None
    modes = PHOTO_MODES if restores else IMAGE_MODES if translator.manifest.spec.labels is None else ID_MODES
    with ExitStack() as stack:
        raster = stack.enter_context(open_raster(source, modes))
        of_instances = None if instances is None else stack.enter_context(open_raster(instances, ID_MODES))
        if of_instances is not None:
            check_sizes({source: raster.size, of_instances.path: of_instances.size})
        whole = Window(0, 0, *raster.size)
        wanted = whole if region is None else Window.of(region)
        if not whole.contains(wanted):
            raise InputError(f"{source}: the window {wanted} reaches beyond the image, which is {whole}")
        part = _surroundings(translator.generator.config, wanted, whole)
        there = replace(wanted, top=wanted.top - part.top, left=wanted.left - part.left)
        yield _Picture(translator, raster, of_instances, part, there)


def _surroundings(config: GeneratorConfig, window: Window, whole: Window) -> Window:
    """The part of a picture that a window of what the model makes of it depends on."""
    reach = family_of(config).reach(config)
    if reach is None:
        return whole
    top, left = max(window.top - reach, 0), max(window.left - reach, 0)
    bottom, right = min(window.bottom + reach, whole.bottom), min(window.right + reach, whole.right)
    return Window(top, left, bottom - top, right - left)
