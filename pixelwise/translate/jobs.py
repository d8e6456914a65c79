"""Many files through one Translator, and how each of it went."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from torch import Tensor

from pixelwise.allocator import keep_freed_memory
from pixelwise.atomic import check_free, replacement
from pixelwise.codecs import to_bytes
from pixelwise.condition import Condition, stack_conditions
from pixelwise.errors import InputError
from pixelwise.images import ImageSpec, TargetSpec
from pixelwise.labels import LabelSpec
from pixelwise.rasters import writing
from pixelwise.render.window import Region
from pixelwise.translate.job_plan import Job
from pixelwise.translate.overlap import ahead, behind, one_thread
from pixelwise.translate.preview import preview, preview_path, previewed
from pixelwise.translate.restoration import Form
from pixelwise.translate.style import Style
from pixelwise.translate.translator import Translator

_FAILURES = (InputError, RuntimeError, MemoryError)
"""What may be wrong with a single picture; a RuntimeError is torch's for one that is too large."""

_NUM_WAITING = 2
"""Pictures that have been read, and as many that are to be written: one would do if all took equally long."""


@dataclass(frozen=True)
class Outcome:
    """How a job went.

    Attributes:
        job: the job.
        size: (height, width) of the picture in pixels; (0, 0) if there is none.
        seconds: its share of the model's time, reading and writing not included.
        error: why there is no new picture, naming the source; None when there is one.
        remarks: what is to be told of a picture that there is.
    """

    job: Job
    size: tuple[int, int] = (0, 0)
    seconds: float = 0.0
    error: str | None = None
    remarks: tuple[str, ...] = ()


def run(
    translator: Translator,
    jobs: Sequence[Job],
    batch_size: int = 1,
    overwrite: bool = False,
    region: Region | None = None,
    scale: float = 1.0,
    style: Style | None = None,
    previews: bool = True,
) -> Generator[Outcome, None, None]:
    """Does the jobs, one outcome each, in their order. One that fails does not keep the others from being done.

    One thread reads what comes next and one writes what is done, while this one computes. When it is interrupted, what
    has been computed is still written; the outcomes of all pictures that are there come first, then the interruption.

    Args:
        translator: the model.
        jobs: what is to be done. At most a batch of it is in memory, and a few pictures more.
        batch_size: neighbours of one size are translated together, up to so many.
        overwrite: whether a picture that is there is replaced; otherwise its job fails.
        region, scale: what is wanted of every picture: see ``Translator``.
        style: for all pictures, in the place of the jobs' style pictures.
        previews: whether a picture whose values count something, such as depth, gets a coloured one beside it.

    Raises:
        InputError: before anything is done, when no job can succeed: a file format that cannot keep the model's output,
            instance maps that are missing or not read, style pictures that are not read, seeds for a model that draws
            nothing, a region without pixels, a scale that is not positive, or a preview in the place of something else.
    """
    shown = previewed(translator.manifest.target) if previews else None
    _check_model(translator, jobs)
    if shown is not None:
        _check_previews(jobs)
    _check_wishes(translator, jobs, style)
    _check_view(region, scale)
    keep_freed_memory()
    with one_thread("pixelwise-reader") as reader, one_thread("pixelwise-writer") as writer:
        readings = ahead(reader, partial(_read, translator, style, overwrite, shown is not None), jobs, _NUM_WAITING)
        pictures = _translate_all(partial(_translate, translator, region, scale), readings, batch_size)
        yield from behind(writer, partial(_write, region, scale, shown), pictures, _NUM_WAITING)


def speed_text(outcomes: Sequence[Outcome]) -> str:
    """What the model took per image and per megapixel made, over the pictures that are there; empty without any."""
    done = [outcome for outcome in outcomes if outcome.error is None]
    if not done:
        return ""
    milliseconds = 1e3 * sum(outcome.seconds for outcome in done)
    megapixels = sum(outcome.size[0] * outcome.size[1] for outcome in done) / 1e6
    return f"{milliseconds / len(done):.0f} ms per image, {milliseconds / megapixels:.0f} ms per megapixel"


@dataclass(frozen=True)
class _Reading:
    """A job whose input has been read."""

    job: Job
    condition: Condition
    form: Form

    @property
    def kind(self) -> tuple[object, ...]:
        """Equal for those that may be translated together."""
        style = self.condition.style
        return self.condition.size, None if style is None else style.shape[-2:], self.job.seed


@dataclass(frozen=True)
class _Picture:
    """A job whose output is to be stored: B C H W or class indices B H W, see ``Form.stored``."""

    job: Job
    image: Tensor
    form: Form
    seconds: float


def _read(
    translator: Translator, style: Style | None, overwrite: bool, previewed: bool, job: Job
) -> _Reading | Outcome:
    try:
        written = [job.destination, *([preview_path(job.destination)] if previewed else [])]
        for path in written:
            check_free(path, overwrite)
        condition, form = translator.read_file(job.source, job.instances, None if style else job.style)
        condition = condition if style is None else translator.styles.given(condition, style)
        return _Reading(job, condition, form.within(job.destination.suffix.lower()))
    except _FAILURES as error:
        return _failed(job, error)


def _translate_all(
    translate: Callable[[list[_Reading]], Iterator[_Picture | Outcome]],
    readings: Iterable[_Reading | Outcome],
    batch_size: int,
) -> Iterator[_Picture | Outcome]:
    """What has been read, in batches of one size and seed; failures keep their place between them."""
    batch: list[_Reading] = []
    for reading in readings:
        if batch and (isinstance(reading, Outcome) or reading.kind != batch[0].kind):
            yield from translate(batch)
            batch = []
        if isinstance(reading, Outcome):
            yield reading
            continue
        batch.append(reading)
        if len(batch) == batch_size:
            yield from translate(batch)
            batch = []
    if batch:
        yield from translate(batch)


def _translate(
    translator: Translator, region: Region | None, scale: float, batch: list[_Reading]
) -> Iterator[_Picture | Outcome]:
    start = time.perf_counter()
    try:
        condition = stack_conditions([reading.condition for reading in batch])
        pictures = translator.translate(condition, region, scale, batch[0].job.seed).cpu()
    except _FAILURES as error:
        if len(batch) == 1:
            yield _failed(batch[0].job, error)
        else:
            for single in batch:
                yield from _translate(translator, region, scale, [single])
        return
    seconds = (time.perf_counter() - start) / len(batch)
    parts = pictures.split([len(reading.condition) for reading in batch])
    for reading, part in zip(batch, parts, strict=True):
        yield _Picture(reading.job, part, reading.form, seconds)


def _write(region: Region | None, scale: float, shown: ImageSpec | None, picture: _Picture | Outcome) -> Outcome:
    if isinstance(picture, Outcome):
        return picture
    path, form = picture.job.destination, picture.form
    try:
        stored = form.stored(picture.image, region, scale)
        with _previewing(path, stored, shown):
            form.write(path, stored)
    except _FAILURES as error:
        return _failed(picture.job, error)
    height, width = picture.image.shape[-2:]
    return Outcome(picture.job, (height, width), picture.seconds, remarks=form.remarks)


@contextmanager
def _previewing(path: Path, stored: np.ndarray, shown: ImageSpec | None) -> Iterator[None]:
    """Writes the picture's preview, if it is to be ``shown``; it is there when the picture is."""
    if shown is None:
        yield
        return
    place = preview_path(path)
    with writing(place), replacement(place) as beside:
        beside.write_bytes(to_bytes(place, preview(stored, shown)))
        yield


def _failed(job: Job, error: Exception) -> Outcome:
    text = str(error) if isinstance(error, InputError) else str(error).partition("\n")[0] or type(error).__name__
    return Outcome(job, error=text if text.startswith(str(job.source)) else f"{job.source}: {text}")


def _check_model(translator: Translator, jobs: Sequence[Job]) -> None:
    manifest = translator.manifest
    for suffix in {job.destination.suffix for job in jobs}:
        _check_format(Path(f"*{suffix}"), manifest.target)
    given = any(job.instances is not None for job in jobs)
    if manifest.spec.instances and not given:
        raise InputError("the model reads instance maps too: name the folder that they lie in")
    if given and not manifest.spec.instances:
        raise InputError("a folder of instance maps was named, but the model reads none")


def _check_format(path: Path, target: TargetSpec) -> None:
    if not isinstance(target, LabelSpec):
        to_bytes(path, np.zeros((1, 1, target.channels), target.dtype))
    elif path.suffix.lower() != ".png":
        raise InputError(f"{path}: the model makes label maps, which are written as .png only")


def _check_previews(jobs: Sequence[Job]) -> None:
    taken = {path.resolve() for job in jobs for path in (*job.inputs, job.destination)}
    for path in (preview_path(job.destination) for job in jobs):
        if path.resolve() in taken:
            raise InputError(f"{path}: is an input or a picture, and would be replaced by a preview; have none made")


def _check_wishes(translator: Translator, jobs: Sequence[Job], style: Style | None) -> None:
    with_picture = any(job.style is not None for job in jobs)
    if with_picture:
        translator.styles.check_picture()
    if seeds := [job.seed for job in jobs if job.seed is not None]:
        translator.seeds.check(seeds, with_picture or style is not None)


def _check_view(region: Region | None, scale: float) -> None:
    if region is not None and (min(region) < 0 or min(region[2:]) < 1):
        raise InputError(f"region {region}: expected top and left of 0 or more, height and width of 1 or more")
    if not 0 < scale < math.inf:
        raise InputError(f"scale must be a positive number, got {scale:g}")
