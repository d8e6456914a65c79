"""Is a folder of pairs sound? Reads every file and tells what is in it, before a training run finds out."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from pixelwise import images
from pixelwise.data.paired_folder import (
    INSTANCE_KINDS,
    LABEL_KINDS,
    SPEC_FILE,
    Folder,
    FolderSpec,
    aliases,
    check_sizes,
)
from pixelwise.errors import InputError
from pixelwise.images import ImageSpec
from pixelwise.labels import LabelSpec
from pixelwise.soundness import ClassShare, Problem, Report, Split

KNOWN_KINDS = (*LABEL_KINDS, *INSTANCE_KINDS, "image", "images", "img", "depth", "ab")
"""Names of folders that tell what is in them."""

_MOST_IDS_OF_A_MAP = 64
_SAMPLES_AT_ONCE = 256


_Files = dict[str, Path]
"""The files of one sample, by kind."""


@dataclass(frozen=True)
class _Expected:
    """What is known beforehand: the classes, and how the images of a kind are stored."""

    labels: LabelSpec | None
    pictures: Mapping[str, ImageSpec]

    @classmethod
    def of(cls, labels: LabelSpec | None, spec: FolderSpec | None) -> _Expected:
        if spec is None:
            return cls(labels, {})
        kinds = (*spec.picture_kinds(), spec.target)
        pictures = {name: spec.images.get(kind, ImageSpec()) for kind in kinds for name in aliases(kind)}
        return cls(labels or spec.labels, pictures)


@dataclass
class _Findings:
    """What one sample holds, or many together."""

    sizes: Counter[str] = field(default_factory=Counter)
    formats: dict[str, dict[str, list[Path]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    pixels: Counter[int | str] = field(default_factory=Counter)
    maps: Counter[int | str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)

    def add(self, other: _Findings) -> None:
        self.sizes += other.sizes
        self.pixels += other.pixels
        self.maps += other.maps
        self.problems += other.problems
        for kind, formats in other.formats.items():
            for text, paths in formats.items():
                self.formats[kind][text] += paths


def check_folder(
    root: Path | str,
    *,
    labels: LabelSpec | None = None,
    spec: FolderSpec | None = None,
    progress: Callable[[int, int], object] | None = None,
    num_threads: int | None = None,
) -> Report:
    """Read every file of a data set.

    Args:
        root: holds ``<split>/<kind>/…``, ``<split>_<kind>/…``, ``<kind>/…`` or just files. Kinds have the names in
            ``KNOWN_KINDS`` or those that ``spec.json`` mentions; just files are label maps if the folder is named so
            or the first one is a palette or grey image of few values.
        labels: the classes; None: those of the spec, or else whatever occurs is listed.
        spec: which kinds there are and how they are stored; None: as ``spec.json`` says, if it is there.
        progress: called with the samples done and all samples, after each.
        num_threads: readers; None: one for each processor, at most 8.

    Raises:
        InputError: ``root`` is no folder or without images, or ``spec.json`` is wrong. What is wrong with single files
            is in the report.
    """
    root = Path(root)
    if not root.is_dir():
        raise InputError(f"{root}: no such folder")
    if spec is None and (root / SPEC_FILE).is_file():
        spec = FolderSpec.read(root)
    expected = _Expected.of(labels, spec)
    known = KNOWN_KINDS if spec is None else (*KNOWN_KINDS, *spec.condition, spec.target)
    total = _Findings()
    splits: list[Split] = []
    samples: list[_Files] = []
    layout = _layout(root, known)
    total.problems += _missing_kinds(root, layout, spec)
    for name, folders in (layout or _single_kind(root, expected.labels)).items():
        files = {kind: _list(path, total.problems) for kind, path in folders.items()}
        found = _samples(files, total.problems)
        splits.append(_split(name, files, found))
        samples += found
    for done, findings in enumerate(_read_all(samples, expected, num_threads), start=1):
        total.add(findings)
        if progress is not None:
            progress(done, len(samples))
    total.problems += _odd_formats(total.formats, expected)
    return Report(
        root=str(root),
        splits=tuple(splits),
        sizes=dict(total.sizes.most_common()),
        formats={k: {text: len(paths) for text, paths in v.items()} for k, v in total.formats.items()},
        classes=_shares(total, expected.labels),
        problems=tuple(total.problems),
    )


def _layout(root: Path, known: Collection[str]) -> dict[str, dict[str, Path]]:
    """Folders by split and kind, for the kinds that are known; empty when there are none."""
    children = _folders(root)
    if kinds := {path.name: path for path in children if path.name in known}:
        return {"": kinds}
    splits: dict[str, dict[str, Path]] = defaultdict(dict)
    for child in children:
        split, _, kind = child.name.rpartition("_")
        if split and kind in known:
            splits[split][kind] = child
        for path in _folders(child):
            if path.name in known:
                splits[child.name][path.name] = path
    return dict(splits)


def _missing_kinds(root: Path, layout: Mapping[str, Collection[str]], spec: FolderSpec | None) -> Iterator[Problem]:
    """Folders that the spec names, or that other splits have, and a split has not."""
    needed = (*spec.condition, spec.target) if spec else dict.fromkeys(k for kinds in layout.values() for k in kinds)
    for split, kinds in layout.items():
        if missing := [kind for kind in needed if not set(aliases(kind)) & set(kinds)]:
            place = root / split
            yield Problem(str(place), f"{place}: has no folder for {', '.join(missing)}")


def _single_kind(root: Path, labels: LabelSpec | None) -> dict[str, dict[str, Path]]:
    first = next(iter(Folder(root).files().values()))
    holds_ids = labels is not None or root.resolve().name in LABEL_KINDS or _looks_like_ids(first)
    return {"": {"label" if holds_ids else "image": root}}


def _looks_like_ids(path: Path) -> bool:
    try:
        ids = images.read_ids(path)
    except InputError:
        return False
    return ids.ndim == 2 and len(np.unique(ids)) <= _MOST_IDS_OF_A_MAP


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))


def _list(folder: Path, problems: list[Problem]) -> dict[str, Path]:
    try:
        return Folder(folder).files()
    except InputError as error:
        problems.append(Problem(str(folder), str(error)))
        return {}


def _samples(files: Mapping[str, Mapping[str, Path]], problems: list[Problem]) -> list[_Files]:
    """All samples; one that lacks a file is a problem, and what it has is read all the same."""
    names = sorted(set().union(*files.values()))
    samples = [{kind: found[name] for kind, found in files.items() if name in found} for name in names]
    for sample in samples:
        if missing := [kind for kind in files if kind not in sample]:
            first = str(next(iter(sample.values())))
            problems.append(Problem(first, f"{first}: has no partner of the same name in {', '.join(missing)}"))
    return samples


def _split(name: str, files: Mapping[str, Mapping[str, Path]], samples: list[_Files]) -> Split:
    num_complete = sum(len(sample) == len(files) for sample in samples)
    return Split(name, {kind: len(found) for kind, found in files.items()}, num_complete)


def _read_all(samples: list[_Files], expected: _Expected, num_threads: int | None) -> Iterator[_Findings]:
    read = partial(_read_sample, expected=expected)
    with ThreadPoolExecutor(num_threads or min(8, os.cpu_count() or 1)) as pool:
        # A pool queues all it is given at once: in portions, a million samples need no more memory than a few.
        for start in range(0, len(samples), _SAMPLES_AT_ONCE):
            yield from pool.map(read, samples[start : start + _SAMPLES_AT_ONCE])


def _read_sample(files: _Files, expected: _Expected) -> _Findings:
    findings = _Findings()
    shapes: dict[Path, tuple[int, ...]] = {}
    for kind, path in files.items():
        with _noting(path, findings.problems):
            if kind in LABEL_KINDS:
                array = images.read_ids(path)
                _note_labels(path, array, expected.labels, findings)
            elif kind in INSTANCE_KINDS:
                array = images.read_instances(path)
            else:
                array = images.read(path)
                _note_picture(path, array, kind, expected, findings)
            shapes[path] = array.shape
    findings.sizes.update({f"{shape[1]}x{shape[0]}" for shape in shapes.values()})
    with _noting(next(iter(files.values())), findings.problems):
        check_sizes(shapes)
    return findings


def _note_labels(path: Path, stored: np.ndarray, labels: LabelSpec | None, findings: _Findings) -> None:
    colours = stored.ndim == 3
    packed = stored.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], np.int32) if colours else stored
    values, counts = np.unique(packed, return_counts=True)
    keys = [f"#{value:06x}" if colours else value for value in values.tolist()]
    findings.pixels.update(dict(zip(keys, counts.tolist(), strict=True)))
    findings.maps.update(keys)
    if labels is not None:
        with _noting(path, findings.problems):
            labels.index_colours(stored, path) if colours else labels.index(stored, path)


def _note_picture(path: Path, array: np.ndarray, kind: str, expected: _Expected, findings: _Findings) -> None:
    findings.formats[kind][f"{array.shape[2]} x {array.dtype}"].append(path)
    if kind in expected.pictures:
        with _noting(path, findings.problems):
            images.to_tensor(array, expected.pictures[kind], path)


@contextmanager
def _noting(path: Path, problems: list[Problem]) -> Iterator[None]:
    try:
        yield
    except InputError as error:
        problems.append(Problem(str(path), str(error)))


def _odd_formats(formats: Mapping[str, Mapping[str, list[Path]]], expected: _Expected) -> Iterator[Problem]:
    """Images that differ in channels or depth from most of their kind, where no spec says what they should be."""
    for kind, files in formats.items():
        usual = max(files, key=lambda text: len(files[text]))
        for text in files.keys() - {usual} if kind not in expected.pictures else ():
            for path in files[text]:
                yield Problem(str(path), f"{path}: is {text}, most of {kind!r} are {usual} (channels x type)")


def _shares(findings: _Findings, labels: LabelSpec | None) -> tuple[ClassShare, ...]:
    names: dict[int | str, str] = {}
    if labels is not None and findings.pixels:
        channels = [*labels.names, "don't care"][: labels.num_channels]
        ids = [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in labels.colours]
        if not any(isinstance(value, str) for value in findings.pixels):
            ids = labels.file_ids(np.arange(labels.num_channels)).tolist()
        names = dict(zip(ids, channels, strict=True))
    num_pixels = findings.pixels.total()
    rows = [
        ClassShare(value, names.get(value, ""), count, count / num_pixels, findings.maps[value])
        for value, count in findings.pixels.most_common()
    ]
    unseen = [ClassShare(value, name, 0, 0.0, 0) for value, name in names.items() if value not in findings.pixels]
    return (*rows, *unseen)
