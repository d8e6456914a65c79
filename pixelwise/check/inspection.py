"""Reads every file of a data set and notes what is in it and what is wrong, without stopping at any fault."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pixelwise import images
from pixelwise.check.soundness import ClassShare, Problem, Report, Split
from pixelwise.data.layout import INSTANCE_KINDS, LABEL_KINDS, Layout, check_sizes
from pixelwise.errors import InputError
from pixelwise.labels import LabelSpec

Progress = Callable[[int, int], object]
"""Called with the samples done and all samples, after each."""

_SAMPLES_AT_ONCE = 256


@dataclass(frozen=True)
class _Sample:
    """The files of one sample, by kind, and what they should hold."""

    files: Mapping[str, Path]
    layout: Layout


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

    def complain(self, path: Path, text: str) -> None:
        self.problems.append(Problem(str(path), f"{path}: {text}"))

    @contextmanager
    def noting(self, path: Path) -> Iterator[None]:
        """Makes an InputError a problem of ``path``."""
        try:
            yield
        except InputError as error:
            self.problems.append(Problem(str(path), str(error)))


def inspect(
    root: Path, layouts: Mapping[str, Layout], progress: Progress | None = None, num_threads: int | None = None
) -> Report:
    """Read every file of some splits.

    Args:
        root: named in the report.
        layouts: where the files of each split lie. All splits have the same classes and formats.
        progress: told after each sample.
        num_threads: readers; None: one for each processor, at most 8.
    """
    total = _Findings()
    splits: list[Split] = []
    samples: list[_Sample] = []
    for name, layout in layouts.items():
        files = {kind: folder.files(total.complain) for kind, folder in layout.folders.items()}
        found = _samples(files, layout, total)
        num_complete = sum(len(sample.files) == len(layout.folders) for sample in found)
        splits.append(Split(name, {kind: len(paths) for kind, paths in files.items()}, num_complete))
        samples += found
    for done, findings in enumerate(_read_all(samples, num_threads), start=1):
        total.add(findings)
        if progress is not None:
            progress(done, len(samples))
    _note_odd_formats(total, layouts)
    return Report(
        root=str(root),
        splits=tuple(splits),
        sizes=dict(total.sizes.most_common()),
        formats={k: {text: len(paths) for text, paths in v.items()} for k, v in total.formats.items()},
        classes=_shares(total, next(iter(layouts.values())).labels),
        # Kinds that share a folder miss it together.
        problems=tuple(dict.fromkeys(total.problems)),
    )


def _samples(files: Mapping[str, Mapping[str, Path]], layout: Layout, findings: _Findings) -> list[_Sample]:
    """All samples; one that lacks a file is a problem, and what it has is read all the same."""
    # A kind without any file is one problem, and noted already.
    present = {kind: paths for kind, paths in files.items() if paths}
    samples = []
    for name in sorted(set().union(*present.values())):
        found = {kind: paths[name] for kind, paths in present.items() if name in paths}
        if missing := [layout.folders[kind].place(name) for kind in present if kind not in found]:
            findings.complain(next(iter(found.values())), f"has no partner {', '.join(missing)}")
        samples.append(_Sample(found, layout))
    return samples


def _read_all(samples: list[_Sample], num_threads: int | None) -> Iterator[_Findings]:
    with ThreadPoolExecutor(num_threads or min(8, os.cpu_count() or 1)) as pool:
        # A pool queues all it is given at once: in portions, a million samples need no more memory than a few.
        for start in range(0, len(samples), _SAMPLES_AT_ONCE):
            yield from pool.map(_read_sample, samples[start : start + _SAMPLES_AT_ONCE])


def _read_sample(sample: _Sample) -> _Findings:
    findings = _Findings()
    shapes: dict[Path, tuple[int, ...]] = {}
    for kind, path in sample.files.items():
        with findings.noting(path):
            if kind in LABEL_KINDS:
                array = images.read_ids(path)
                _note_labels(path, array, sample.layout.labels, findings)
            elif kind in INSTANCE_KINDS:
                array = images.read_instances(path)
            else:
                array = images.read(path)
                _note_picture(path, array, kind, sample.layout, findings)
            shapes[path] = array.shape
            sample.layout.check_shape(path, array.shape)
    findings.sizes.update({f"{shape[1]}x{shape[0]}" for shape in shapes.values()})
    with findings.noting(next(iter(sample.files.values()))):
        check_sizes(shapes)
    return findings


def _note_labels(path: Path, stored: np.ndarray, labels: LabelSpec | None, findings: _Findings) -> None:
    colours = stored.ndim == 3
    values, counts = np.unique(images.pack_ids(stored), return_counts=True)
    keys = [f"#{value:06x}" if colours else value for value in values.tolist()]
    findings.pixels.update(dict(zip(keys, counts.tolist(), strict=True)))
    findings.maps.update(keys)
    if labels is not None:
        with findings.noting(path):
            images.index_labels(stored, labels, path)


def _note_picture(path: Path, array: np.ndarray, kind: str, layout: Layout, findings: _Findings) -> None:
    findings.formats[kind][f"{array.shape[2]} x {array.dtype}"].append(path)
    if kind in layout.images:
        with findings.noting(path):
            images.to_tensor(array, layout.images[kind], path)


def _note_odd_formats(findings: _Findings, layouts: Mapping[str, Layout]) -> None:
    """Images that differ in channels or depth from most of their kind, where nothing says what they should be."""
    stated = {kind for layout in layouts.values() for kind in layout.images}
    for kind, files in findings.formats.items():
        usual = max(files, key=lambda text: len(files[text]))
        for text in files.keys() - {usual} if kind not in stated else ():
            for path in files[text]:
                findings.complain(path, f"is {text}, most of {kind!r} are {usual} (channels x type)")


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
