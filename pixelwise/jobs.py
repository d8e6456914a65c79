"""Many files through one Translator: what is to be done, and how each of it went."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pixelwise import images
from pixelwise.codecs import SUFFIXES, to_bytes
from pixelwise.condition import Condition, stack_conditions
from pixelwise.data.layout import Folder, files_below
from pixelwise.errors import InputError
from pixelwise.translate import Translator

WILDCARDS = "*?["

_FAILURES = (InputError, RuntimeError, MemoryError)
"""What may be wrong with a single picture; a RuntimeError is torch's for one that is too large."""


@dataclass(frozen=True)
class Job:
    """One file to translate.

    Attributes:
        source: the label map or image.
        destination: the picture to write.
        instances: the instance map that belongs to it.
    """

    source: Path
    destination: Path
    instances: Path | None = None


@dataclass(frozen=True)
class Outcome:
    """How a job went.

    Attributes:
        job: the job.
        size: (height, width) in pixels; (0, 0) if it could not be read.
        seconds: its share of the model's time, reading and writing not included.
        error: why there is no new picture, naming the source; None when there is one.
    """

    job: Job
    size: tuple[int, int] = (0, 0)
    seconds: float = 0.0
    error: str | None = None


def plan(inputs: Sequence[str], out: Path, suffix: str = ".png", instances: Path | None = None) -> list[Job]:
    """What files, folders and globs mean.

    Args:
        inputs: a file gives ``out/<stem>``; a folder is searched through, and its tree is mirrored under ``out``; so is
            what a glob matches, from the last folder before its first wildcard. ``out`` itself is left out where it
            lies within one of them.
        out: where pictures go.
        suffix: of the pictures.
        instances: a folder with the same tree of instance maps, matched by stem.

    Raises:
        InputError: an input that is not there, a folder without images, two instance maps of one name, two inputs that
            would become the same picture, or a picture that would take the place of an input.
    """
    jobs = []
    partners = {} if instances is None else Folder(instances).files()
    for source, root in dict.fromkeys(found for text in inputs for found in _expand(text, out)):
        name = source.relative_to(root).with_suffix("")
        # Where there is none, a path that cannot be read and names what is missing.
        partner = None if instances is None else partners.get(name.as_posix(), instances / f"{name}.png")
        jobs.append(Job(source, out / f"{name}{suffix}", partner))
    _check_destinations(jobs)
    return jobs


def run(translator: Translator, jobs: Sequence[Job], batch_size: int = 1, overwrite: bool = False) -> Iterator[Outcome]:
    """Does the jobs, one outcome each. One that fails does not keep the others from being done.

    Args:
        translator: the model.
        jobs: what is to be done. At most a batch of it is in memory, and one picture more.
        batch_size: neighbours of one size are translated together, up to so many.
        overwrite: whether a picture that is there is replaced; otherwise its job fails.

    Raises:
        InputError: before anything is done, when no job can succeed: a file format that cannot keep the model's output,
            or instance maps that are missing or not read.
    """
    _check_model(translator, jobs)
    batch: list[tuple[Job, Condition]] = []
    for job in jobs:
        try:
            condition = _read(translator, job, overwrite)
        except _FAILURES as error:
            yield _failed(job, error)
            continue
        if batch and condition.size != batch[0][1].size:
            yield from _translate(translator, batch)
            batch = []
        batch.append((job, condition))
        if len(batch) == batch_size:
            yield from _translate(translator, batch)
            batch = []
    if batch:
        yield from _translate(translator, batch)


def speed_text(outcomes: Sequence[Outcome]) -> str:
    """What the model took per image and per megapixel, over the pictures that were made; empty when there are none."""
    done = [outcome for outcome in outcomes if outcome.error is None]
    if not done:
        return ""
    milliseconds = 1e3 * sum(outcome.seconds for outcome in done)
    megapixels = sum(outcome.size[0] * outcome.size[1] for outcome in done) / 1e6
    return f"{milliseconds / len(done):.0f} ms per image, {milliseconds / megapixels:.0f} ms per megapixel"


def _read(translator: Translator, job: Job, overwrite: bool) -> Condition:
    if job.destination.exists() and not overwrite:
        raise InputError(f"{job.destination} is there already, and may be replaced with --overwrite only")
    return translator.read_condition(job.source, job.instances)


def _translate(translator: Translator, batch: list[tuple[Job, Condition]]) -> Iterator[Outcome]:
    start = time.perf_counter()
    try:
        pictures = translator.translate(stack_conditions([condition for _, condition in batch])).cpu()
    except _FAILURES as error:
        if len(batch) == 1:
            yield _failed(batch[0][0], error)
        else:
            for single in batch:
                yield from _translate(translator, [single])
        return
    seconds = (time.perf_counter() - start) / len(batch)
    for (job, condition), picture in zip(batch, pictures, strict=True):
        try:
            images.write(job.destination, images.from_tensor(picture, translator.manifest.target))
            yield Outcome(job, condition.size, seconds)
        except _FAILURES as error:
            yield _failed(job, error)


def _failed(job: Job, error: Exception) -> Outcome:
    text = str(error) if isinstance(error, InputError) else str(error).partition("\n")[0] or type(error).__name__
    return Outcome(job, error=text if text.startswith(str(job.source)) else f"{job.source}: {text}")


def _check_model(translator: Translator, jobs: Sequence[Job]) -> None:
    manifest = translator.manifest
    pixel = np.zeros((1, 1, manifest.target.channels), manifest.target.dtype)
    for suffix in {job.destination.suffix for job in jobs}:
        to_bytes(Path(f"*{suffix}"), pixel)
    given = any(job.instances is not None for job in jobs)
    if manifest.spec.instances and not given:
        raise InputError("the model reads instance maps too: name the folder that they lie in")
    if given and not manifest.spec.instances:
        raise InputError("a folder of instance maps was named, but the model reads none")


def _check_destinations(jobs: Sequence[Job]) -> None:
    sources = defaultdict(list)
    for job in jobs:
        sources[job.destination].append(str(job.source))
    for destination, names in sources.items():
        if len(names) > 1:
            raise InputError(
                f"{', '.join(names)} would all become {destination}; translate them to different folders, or give the "
                "folder above them, whose tree is kept"
            )
    present = [path for path in sources if path.exists()]
    read = {path.resolve() for job in jobs for path in (job.source, job.instances) if path is not None and present}
    if replaced := [path for path in present if path.resolve() in read]:
        raise InputError(f"{replaced[0]}: is an input and would be replaced by a picture; choose another folder")


def _expand(text: str, out: Path) -> list[tuple[Path, Path]]:
    """Files with the folder that their names are relative to."""
    path = Path(text)
    if not text:
        raise InputError("an input is the empty text; expected a file, a folder or a glob")
    if path.is_file():
        return [(path, path.parent)]
    if path.is_dir():
        root, files = path, sorted(files_below(path))
    elif any(sign in text for sign in WILDCARDS):
        fixed = next(index for index, part in enumerate(path.parts) if any(sign in part for sign in WILDCARDS))
        root = Path(*path.parts[:fixed])
        files = _glob(root, str(Path(*path.parts[fixed:])))
    else:
        raise InputError(f"{text}: no such file or folder")
    earlier = _place_within(root, out)
    pictures = [file for file in files if _is_picture(file.relative_to(root), earlier) and not file.is_dir()]
    if not pictures:
        raise InputError(f"{text}: no images there; expected files ending in {', '.join(SUFFIXES)}")
    return [(file, root) for file in pictures]


def _glob(root: Path, pattern: str) -> list[Path]:
    try:
        return sorted(root.glob(pattern))
    except ValueError as error:
        raise InputError(f"{root / pattern}: {error}") from error


def _is_picture(name: Path, earlier: Path | None) -> bool:
    hidden = any(part.startswith(".") for part in name.parts)
    return name.suffix.lower() in SUFFIXES and not hidden and (earlier is None or not name.is_relative_to(earlier))


def _place_within(root: Path, out: Path) -> Path | None:
    """Where below ``root`` earlier pictures lie, which are no inputs; None when ``out`` is elsewhere or ``root``."""
    root, out = root.resolve(), out.resolve()
    return out.relative_to(root) if root in out.parents else None
