"""Many files through one Translator, and how each of it went."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from pixelwise.allocator import keep_freed_memory
from pixelwise.atomic import check_free, replacement
from pixelwise.condition import Condition, stack_conditions
from pixelwise.encoding import store, to_bytes
from pixelwise.errors import InputError
from pixelwise.images import ImageSpec
from pixelwise.native.errands import Errands
from pixelwise.rasters import writing
from pixelwise.render.window import Region, wanted
from pixelwise.translate.feasibility import check_model, check_previews, check_style, check_view
from pixelwise.translate.job_plan import Job
from pixelwise.translate.large import RowsDone, goes_by_rows, translate_large
from pixelwise.translate.overlap import ahead, behind, workers
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
        seconds: its share of the model's time; with what the model's threads read and write on the way.
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
    progress: RowsDone | None = None,
) -> Generator[Outcome, None, None]:
    """Does the jobs, one outcome each, in their order. One that fails does not keep the others from being done.

    What comes next is read and what is done is encoded and stored while this thread computes. What is too large for
    memory goes by rows when its turn comes, see ``goes_by_rows``. When it is interrupted, what has been computed is
    still stored; the outcomes of all pictures that are there come first, then the interruption.

    Args:
        translator: the model.
        jobs: what is to be done. At most a batch of it is in memory, and a few pictures more.
        batch_size: neighbours of one size are translated together, up to so many.
        overwrite: whether a picture that is there is replaced; otherwise its job fails.
        region, scale: what is wanted of every picture: see ``Translator``.
        style: for all pictures, in the place of the jobs' style pictures.
        previews: whether a picture whose values count something, such as depth, gets a coloured one beside it.
        progress: is told of the rows of a picture that goes by rows.

    Raises:
        InputError: before anything is done, when no job can succeed: a file format that cannot keep the model's output,
            instance maps that are missing or not read, style pictures that are not read, seeds for a model that draws
            nothing, a region without pixels, a region or scale that the model makes of no input, or a preview in the
            place of something else.
    """
    order = _Order(translator, overwrite, region, scale, style, previews, progress)
    check_model(translator, jobs)
    if order.shown is not None:
        check_previews(jobs)
    check_style(translator, jobs, style)
    check_view(translator, region, scale)
    keep_freed_memory()
    # A single thread has none that could do them on the way.
    errands = Errands() if translator.does_errands and torch.get_num_threads() > 1 else None
    with workers(errands) as (reader, encoder, storer):
        readings = ahead(reader, order.read, jobs, _NUM_WAITING)
        pictures = order.translate_all(readings, batch_size)
        pictures = pictures if errands is None else errands.during(pictures)
        yield from behind((encoder, order.encode), (storer, _stored), pictures, _NUM_WAITING)


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


@dataclass(frozen=True)
class _Encoded:
    """A job whose output has become files that are to be stored.

    Attributes:
        outcome: of the job, once they are.
        content: of the picture's file.
        preview: of its preview's file, if it gets one.
    """

    outcome: Outcome
    content: bytes
    preview: bytes | None


@dataclass(frozen=True)
class _Order:
    """What is wanted of all jobs, as ``run`` says, and what is done with each."""

    translator: Translator
    overwrite: bool
    region: Region | None
    scale: float
    style: Style | None
    previews: bool
    progress: RowsDone | None

    @property
    def shown(self) -> ImageSpec | None:
        """How the pictures are stored that get a preview; None where none do."""
        return previewed(self.translator.manifest.target) if self.previews else None

    def read(self, job: Job) -> _Reading | Job | Outcome:
        """The job alone, if it goes by rows."""
        try:
            if self.style is None and goes_by_rows(self.translator, job, self.region, self.scale):
                return job
            for path in [job.destination, *([] if self.shown is None else [preview_path(job.destination)])]:
                check_free(path, self.overwrite)
            picture = None if self.style else job.style
            condition, form = self.translator.read_file(job.source, job.instances, picture)
            condition = condition if self.style is None else self.translator.styles.given(condition, self.style)
            window = wanted(condition.size, self.region, self.scale)
            return _Reading(job, condition, form.within(job.destination, (window.height, window.width)))
        except _FAILURES as error:
            return _failed(job, error)

    def translate_all(
        self, readings: Iterable[_Reading | Job | Outcome], batch_size: int
    ) -> Iterator[_Picture | Outcome]:
        """What has been read, in batches of one size and seed; all else keeps its place between them."""
        batch: list[_Reading] = []
        for reading in readings:
            if batch and not (isinstance(reading, _Reading) and reading.kind == batch[0].kind):
                yield from self.translate(batch)
                batch = []
            if not isinstance(reading, _Reading):
                yield self.translate_by_rows(reading) if isinstance(reading, Job) else reading
                continue
            batch.append(reading)
            if len(batch) == batch_size:
                yield from self.translate(batch)
                batch = []
        if batch:
            yield from self.translate(batch)

    def translate(self, batch: list[_Reading]) -> Iterator[_Picture | Outcome]:
        start = time.perf_counter()
        try:
            conditions = [reading.condition for reading in batch]
            condition = stack_conditions(conditions) if len(batch) > 1 else conditions[0]
            pictures = self.translator.translate(condition, self.region, self.scale, batch[0].job.seed).cpu()
        except _FAILURES as error:
            if len(batch) == 1:
                yield _failed(batch[0].job, error)
            else:
                for single in batch:
                    yield from self.translate([single])
            return
        seconds = (time.perf_counter() - start) / len(batch)
        parts = pictures.split([len(reading.condition) for reading in batch])
        for reading, part in zip(batch, parts, strict=True):
            yield _Picture(reading.job, part, reading.form, seconds)

    def translate_by_rows(self, job: Job) -> Outcome:
        """Reads and writes too."""
        remarks: list[str] = []
        try:
            size, seconds = translate_large(
                self.translator,
                job.source,
                job.destination,
                instances=job.instances,
                region=self.region,
                scale=self.scale,
                overwrite=self.overwrite,
                previews=self.previews,
                progress=self.progress,
                remark=remarks.append,
            )
        except _FAILURES as error:
            return _failed(job, error)
        return Outcome(job, size, seconds, remarks=tuple(remarks))

    def encode(self, picture: _Picture | Outcome) -> _Encoded | Outcome:
        if isinstance(picture, Outcome):
            return picture
        path, form = picture.job.destination, picture.form
        try:
            stored = form.stored(picture.image, self.region, self.scale)
            content = form.to_bytes(path, stored)
            shown = None if self.shown is None else to_bytes(preview_path(path), preview(stored, self.shown))
        except _FAILURES as error:
            return _failed(picture.job, error)
        height, width = picture.image.shape[-2:]
        outcome = Outcome(picture.job, (height, width), picture.seconds, remarks=form.remarks)
        return _Encoded(outcome, content, shown)


def _stored(encoded: _Encoded | Outcome) -> Outcome:
    if isinstance(encoded, Outcome):
        return encoded
    path = encoded.outcome.job.destination
    try:
        with _previewing(preview_path(path), encoded.preview):
            store(path, encoded.content)
    except _FAILURES as error:
        return _failed(encoded.outcome.job, error)
    return encoded.outcome


@contextmanager
def _previewing(path: Path, content: bytes | None) -> Iterator[None]:
    """Stores a picture's preview, if it has one; it is there when the picture is."""
    if content is None:
        yield
        return
    with writing(path), replacement(path) as beside:
        beside.write_bytes(content)
        yield


def _failed(job: Job, error: Exception) -> Outcome:
    text = str(error) if isinstance(error, InputError) else str(error).partition("\n")[0] or type(error).__name__
    return Outcome(job, error=text if text.startswith(str(job.source)) else f"{job.source}: {text}")
