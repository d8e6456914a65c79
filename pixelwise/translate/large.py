"""Pictures that do not fit in memory, through one model: rows in, rows out.

A network of which a pixel depends on its surroundings only goes tile by tile, see ``models/tiled.py``. The field of an
ASAP-Net comes from a low-resolution stream that reads the picture several times from top to bottom and keeps its layers
on the disk; then each row of cells is rendered and written. There are no seams, since nothing is cut: the numbers are
those that the whole picture would give.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from pixelwise.allocator import keep_freed_memory
from pixelwise.atomic import check_free
from pixelwise.codecs import SUFFIXES
from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.images import ImageSpec
from pixelwise.labels import LabelSpec
from pixelwise.metadata import Metadata
from pixelwise.models.family import WindowGenerator
from pixelwise.rasters import (
    check_space,
    is_big,
    stored_size,
    write_deep_zoom,
    write_jpeg,
    write_png,
    write_pyramid,
    writing,
)
from pixelwise.render.window import Region, wanted
from pixelwise.translate.job_plan import Job
from pixelwise.translate.preview import preview, preview_path, previewed
from pixelwise.translate.restoration import Form, loss_remarks
from pixelwise.translate.stored_condition import StoredCondition, open_condition
from pixelwise.translate.translator import Translator

WriteRows = Callable[[Path, tuple[int, int], int, str, Metadata], AbstractContextManager[Callable[[np.ndarray], None]]]

_PYRAMIDS: Mapping[str, WriteRows] = {".tif": write_pyramid, ".tiff": write_pyramid, ".dzi": write_deep_zoom}
_WRITERS = {**_PYRAMIDS, ".png": write_png, ".jpg": write_jpeg, ".jpeg": write_jpeg}

_LARGE = 1 << 25
"""Pixels from which a picture is made by rows unasked: 36 million took the bundled denoiser 2.6 GB as a whole."""

RowsDone = Callable[[int, int], object]
"""Called with the rows of a picture that are done and all rows."""


def goes_by_rows(translator: Translator, job: Job, region: Region | None = None, scale: float = 1.0) -> bool:
    """Whether a job's picture is made by ``translate_large``: of its source alone, and a pyramid that was asked for by
    its name, or too large for memory, or made of what is.

    TIFF, PNG and JPEG are ordinary files too, for smaller pictures and for a model that cannot go by rows.

    Args:
        translator: the model.
        job: what is to be done.
        region, scale: what is wanted of the picture; see ``Translator``.

    Raises:
        InputError: the source is not there or damaged at its beginning; or it has no picture at this scale.
    """
    suffix = job.destination.suffix.lower()
    if job.style is not None or job.seed is not None or (suffix in SUFFIXES and not translator.has_rows):
        return False
    if suffix in _PYRAMIDS and job.is_named:
        return True
    if suffix not in _WRITERS or isinstance(translator.manifest.target, LabelSpec):
        return False
    if (size := stored_size(job.source)) is None:
        return False
    window = wanted(size, region, scale)
    return max(math.prod(size), window.height * window.width) > _LARGE


def translate_large(
    translator: Translator,
    source: Path,
    destination: Path,
    *,
    instances: Path | None = None,
    region: Region | None = None,
    scale: float = 1.0,
    overwrite: bool = False,
    previews: bool = True,
    progress: RowsDone | None = None,
    remark: Callable[[str], object] = lambda text: None,
) -> tuple[tuple[int, int], float]:
    """Translates one picture of any size, or a region of it, at any scale, in bounded memory.

    A region costs as much of the picture as its pixels depend on. Of an ASAP-Net that is the whole low-resolution
    stream.

    Args:
        translator: a model with a field, or one whose pixels depend on their surroundings only.
        source: a label map or photo, best a TIFF or an NPY file: others are decoded whole.
        destination: a .tif file, which becomes a tiled pyramid (BigTIFF where it must), a .dzi file, Deep Zoom, or a
            .png or .jpg file. It is there when all is done, or not at all.
        instances: the instance map, for a model that reads one.
        region: (top, left, height, width) of the part wanted, in pixels of the output; None for all.
        scale: pixels of the output per pixel of the input.
        overwrite: whether what is there is replaced.
        previews: whether a picture whose values count something, such as depth, gets a coloured one beside it; of a
            pyramid there is none, which is told then.
        progress: is told of the rendered rows.
        remark: is told what people should know of the picture.

    Returns:
        (height, width) of what was made, and the seconds that the model took, its own reading and writing not included.

    Raises:
        InputError: a model of whole pictures, or of no such scale; an input that cannot be read or does not fit the
            model; a region without pixels or beyond the picture; a destination of another kind, that is an input or
            there already, or on a disk without room for it and for the stream's layers.
    """
    inputs = [path for path in (source, instances) if path is not None]
    suffix = destination.suffix.lower()
    shown = previewed(translator.manifest.target) if previews and suffix not in _PYRAMIDS else None
    _check_destination(destination, inputs, overwrite)
    if shown is not None:
        _check_destination(preview_path(destination), inputs, overwrite)
    ready = _in_parts(translator, destination)
    ready.check_scale(scale)
    with writing(destination):
        destination.parent.mkdir(parents=True, exist_ok=True)
    keep_freed_memory()
    with writing(destination), ExitStack() as stack:
        picture = stack.enter_context(open_condition(translator, source, instances, region, scale))
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=destination.parent, prefix=".pixelwise-")))
        form, size = picture.form(0, 1), (picture.wanted.height, picture.wanted.width)
        count = picture.num_conditions(form)
        # Both are there at the end; what the picture's kind of file adds, its writer asks for.
        picture_bytes = math.prod(size) * form.num_channels * np.dtype(form.colours.dtype).itemsize
        check_space(destination, count * ready.scratch_bytes(picture.size) + picture_bytes)
        push = stack.enter_context(_write(destination, size, form.kept_in(suffix), shown))
        row = picture.wanted.top
        files, start = _Stopwatch(), perf_counter()
        for image in _bands(ready, picture, count, scratch, files):
            bottom = row + image.shape[2]
            if image.isnan().any():
                raise InputError(f"{source}: the model's output is NaN in rows {row} to {bottom - 1}")
            with files:
                push(picture.stored(image.clamp(-1, 1), row, suffix))
            row = bottom
            if progress is not None:
                progress(row - picture.wanted.top, size[0])
        seconds = perf_counter() - start - files.seconds
        for text in _remarks(picture, form, suffix, previews):
            remark(text)
        return size, seconds


def _check_destination(destination: Path, inputs: list[Path], overwrite: bool) -> None:
    if destination.suffix.lower() not in _WRITERS:
        raise InputError(f"{destination}: large pictures are written as {', '.join(_WRITERS)}")
    check_free(destination, overwrite)
    if destination.resolve() in {path.resolve() for path in inputs}:
        raise InputError(f"{destination}: is an input and would be replaced by a picture; choose another name")


def _in_parts(translator: Translator, destination: Path) -> WindowGenerator:
    if translator.ready is None:
        raise InputError(f"this {translator.manifest.family} model cannot translate a picture in parts")
    if isinstance(translator.manifest.target, LabelSpec):
        raise InputError(f"{destination}: the model makes label maps, which are written as .png only")
    return translator.ready


@contextmanager
def _write(
    destination: Path, size: tuple[int, int], form: Form, shown: ImageSpec | None
) -> Iterator[Callable[[np.ndarray], None]]:
    """What takes the rows of a picture, and writes its preview too where it is to be ``shown``."""
    write = _WRITERS[destination.suffix.lower()]
    picture = write(destination, size, form.num_channels, form.colours.dtype, form.metadata)
    if shown is None:
        with picture as push:
            yield push
        return
    # The picture is the first to be complete: without it there is no preview either.
    with write_png(preview_path(destination), size, 3, "uint8") as push_preview, picture as push:

        def push_both(rows: np.ndarray) -> None:
            push(rows)
            push_preview(preview(rows, shown))

        yield push_both


def _bands(
    ready: WindowGenerator, picture: StoredCondition, count: int, scratch: Path, files: _Stopwatch
) -> Iterator[Tensor]:
    """What is wanted of what the model makes, from top to bottom, B C rows W.

    Of a photo that it takes channel by channel, each has a stream of its own: so memory is that of one.
    """

    def read(number: int, start: int, stop: int) -> Condition:
        with files:
            return picture.rows(number, start, stop)

    streams = []
    for number in range(count):
        (folder := scratch / str(number)).mkdir()
        streams.append(ready.by_rows(picture.size, partial(read, number), folder, picture.wanted, picture.scale))
    for bands in zip(*streams, strict=True):
        yield torch.cat(bands).cpu()


def _remarks(picture: StoredCondition, form: Form, suffix: str, previews: bool) -> Iterator[str]:
    """What is to be told of a picture, when all its rows were read."""
    is_pyramid = suffix in _PYRAMIDS
    if previews and form.colours.unit and is_pyramid:
        yield "no preview of a pyramid"
    if picture.restoration is None:
        return
    yield from picture.restoration.channel_remarks(form.colours.channels)
    yield from picture.restoration.noise_remarks(*picture.noise_levels)
    size = picture.wanted.height, picture.wanted.width
    too_big = is_pyramid and is_big(size, form.num_channels, form.colours.dtype)
    exif = ["EXIF data"] if form.metadata.exif and too_big else []
    yield from loss_remarks("a BigTIFF" if exif else suffix, (*form.lost_in(suffix), *exif))


class _Stopwatch:
    """The seconds that were spent within it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __enter__(self) -> None:
        self._start = perf_counter()

    def __exit__(self, *raised: object) -> None:
        self.seconds += perf_counter() - self._start
