"""What is to be done with many files: which picture comes from which inputs."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pixelwise.chance import seeds_from
from pixelwise.errors import InputError, listed
from pixelwise.render.window import Region
from pixelwise.translate.inputs import find_pictures, is_picture_name, partners


@dataclass(frozen=True)
class Job:
    """One file to translate.

    Attributes:
        source: the label map or image.
        destination: the picture to write.
        instances: the instance map that belongs to it.
        style: the picture that it is to look like.
        seed: where random numbers begin.
        style_files: what else says how it is to look: maps of that picture, pictures and maps of single classes.
        is_named: whether the destination was named itself, not the folder that it lies in.
    """

    source: Path
    destination: Path
    instances: Path | None = None
    style: Path | None = None
    seed: int | None = None
    style_files: tuple[Path, ...] = ()
    is_named: bool = False

    @property
    def inputs(self) -> tuple[Path, ...]:
        """All files that are read for it, and must never be replaced."""
        named = (self.source, self.instances, self.style, *self.style_files)
        return tuple(path for path in named if path is not None)


def plan(
    inputs: Sequence[str],
    out: Path | None,
    suffix: str = ".png",
    instances: Path | None = None,
    style: Path | None = None,
    seed: int | None = None,
    samples: int | None = None,
    model: str = "",
    style_files: tuple[Path, ...] = (),
    remark: Callable[[str], object] = lambda text: None,
) -> list[Job]:
    """What files, folders and globs mean.

    Args:
        inputs: a file gives ``out/<stem>``; a folder is searched through, and its tree is mirrored under ``out``; so is
            what a glob matches, from the last folder before its first wildcard. ``out`` itself is left out where it
            lies within one of them.
        out: the folder where pictures go; or, of one file, its picture; or None: they go beside their inputs. Then
            a file gives ``<stem>_<model>`` in its own folder, and ``out`` of a folder, or of what a glob matches, is
            ``<folder>_<model>``. What an earlier call has made of another input is left out.
        suffix: of the pictures in a folder.
        instances, style: a folder with the same tree of instance maps or style pictures, matched by stem; or one file.
        seed: where random numbers begin.
        samples: so many pictures of each input, of the seeds ``seed``, ``seed + 1``, … , which end their names:
            ``out/<stem>-<seed>``.
        model: its name, for pictures that go beside their inputs.
        style_files: of every job; see ``Job``.
        remark: is told how many pictures of earlier calls were left out.

    Raises:
        InputError: an input that is not there, a folder without images, two instance maps of one name, two inputs that
            would become the same picture, a picture's name for several of them, a picture that would take the place of
            an input, or no such seeds.
    """
    single = None if out is None or not is_single(inputs, out) else out
    if single is not None and samples is not None:
        raise InputError(f"{out}: is one picture's name, but {samples} samples are wanted; expected a folder's")
    jobs = []
    drawn = seed is not None or samples is not None
    seeds = seeds_from(seed, 1 if samples is None else samples) if drawn else [None]
    find_instances, find_style = partners(instances), partners(style)
    named = set(map(Path, inputs))
    found = [each for text in inputs for each in find_pictures(text, out)]
    for source, root in _without_earlier(found, named, model, remark) if out is None else dict.fromkeys(found):
        name = source.relative_to(root).with_suffix("")
        stem = _beside(source, root, source in named, model) if out is None else out / name
        for number in seeds:
            destination = single or Path(f"{stem}{suffix}" if samples is None else f"{stem}-{number}{suffix}")
            partner_files = find_instances(name), find_style(name)
            jobs.append(Job(source, destination, *partner_files, number, style_files, is_named=single is not None))
    _check_destinations(jobs)
    return jobs


def place_of(jobs: Sequence[Job]) -> Path:
    """The picture of a single job, or the last folder above those of all; where they have none, the first one's."""
    if len(jobs) == 1:
        return jobs[0].destination
    folders = [job.destination.parent.absolute() for job in jobs]
    return Path(os.path.commonpath(folders)) if len({folder.drive for folder in folders}) == 1 else folders[0]


def is_single(inputs: Sequence[str], out: Path) -> bool:
    """Whether ``out`` is the picture of one file. Raises InputError where it is named so, but cannot be, or an input is
    not there.
    """
    if not is_picture_name(out):
        return False
    if len(inputs) != 1 or not Path(inputs[0]).is_file():
        for text in inputs:
            find_pictures(text, None)
        raise InputError(f"{out}: is one picture's name, expected a folder's, or a single file as input")
    return True


def read_region(text: str) -> Region:
    """A region as a command line has it: TOP,LEFT,HEIGHT,WIDTH in pixels. Raises InputError for anything else."""
    if not re.fullmatch(r"\s*\d+\s*(,\s*\d+\s*){3}", text, re.ASCII):
        raise InputError(f"region {text!r}: expected TOP,LEFT,HEIGHT,WIDTH in pixels, such as 0,256,512,512")
    top, left, height, width = (int(number) for number in text.split(","))
    return top, left, height, width


def _without_earlier(
    found: Iterable[tuple[Path, Path]], named: Container[Path], model: str, remark: Callable[[str], object]
) -> list[tuple[Path, Path]]:
    """Files, each once, and the folders that they were found in; of what is named itself, its own."""
    roots: dict[Path, Path] = {}
    for source, root in found:
        roots.setdefault(source, source.parent if source in named else root)
    stems = {source.with_suffix("") for source in roots}
    earlier = [source for source in roots if not stems.isdisjoint(_originals(source.with_suffix(""), model))]
    if earlier:
        pictures = f"{len(earlier)} {'picture' if len(earlier) == 1 else 'pictures'}"
        remark(f"left out {pictures} that {model} has made of other inputs, such as {earlier[0]}")
    made = set(earlier)
    return [(source, root) for source, root in roots.items() if source not in made]


def _originals(stem: Path, model: str) -> Iterator[Path]:
    """Of what a picture was made if ``_beside`` named it, perhaps by a seed or as a preview; all without suffix."""
    if match := re.fullmatch(rf"(.+)_{re.escape(model)}(-\d+)?(_preview)?", stem.name):
        yield stem.with_name(match[1])
    names = {stem.name, re.sub(r"(?<=.)(-\d+)?(_preview)?$", "", stem.name)}
    for folder in stem.parents:
        if (name := folder.name.removesuffix(f"_{model}")) not in ("", folder.name):
            below = folder.with_name(name) / stem.relative_to(folder)
            yield from (below.with_name(name) for name in names)


def _beside(source: Path, root: Path, is_named: bool, model: str) -> Path:
    """Where the picture of a file that is named itself, or lies below a folder, goes unless told; without suffix."""
    if is_named:
        return source.with_name(f"{source.stem}_{model}")
    # Resolved only to find a name: what a link leads to may lie anywhere.
    folder = root.resolve() if root.name in ("", "..") else root
    return Path(f"{folder}_{model}") / source.relative_to(root).with_suffix("")


def _check_destinations(jobs: Sequence[Job]) -> None:
    sources = defaultdict(list)
    for job in jobs:
        sources[job.destination].append(str(job.source))
    if clashes := {destination: names for destination, names in sources.items() if len(names) > 1}:
        texts = [f"{', '.join(names)} would all become {path}" for path, names in clashes.items()]
        raise InputError(
            f"{listed(texts, '; ')}. Translate such files to different folders, or give the folder above "
            "theirs, whose tree is kept; of one folder, name those that are wanted (such as FOLDER/*.png)"
        )
    present = [path for path in sources if path.exists()]
    inputs = {path for job in jobs for path in job.inputs} if present else ()
    read = {path.resolve() for path in inputs}
    if replaced := [path for path in present if path.resolve() in read]:
        raise InputError(f"{replaced[0]}: is an input and would be replaced by a picture; choose another folder")
