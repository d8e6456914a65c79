"""Is a data set sound? Reads every file and tells what is in it, before a training run finds out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from pixelwise import images
from pixelwise.check.inspection import Progress, inspect
from pixelwise.check.soundness import Problem, Report
from pixelwise.check.starting_spec import starting_spec
from pixelwise.data import DATASETS, dataset_named
from pixelwise.data.layout import (
    LABEL_KINDS,
    Folder,
    Layout,
    aliases,
    mirrored_folder,
    mirrored_splits,
)
from pixelwise.data.paired_folder import SPEC_FILE, FolderSpec
from pixelwise.errors import InputError
from pixelwise.labels import LabelSpec

KNOWN_KINDS = ("label", "inst", "image", "depth", "ab")
"""Names of folders that tell what is in them; the usual other names of these count too."""

_MOST_IDS_OF_A_MAP = 64


def check_dataset(
    root: Path | str, name: str, *, progress: Progress | None = None, num_threads: int | None = None
) -> Report:
    """Read every file of a data set in its publisher's layout, all splits that are there.

    Args:
        root: what ``DATASETS[name]`` opens.
        name: one of ``DATASETS``, which knows files, classes and formats.
        progress, num_threads: see ``inspect``.

    Raises:
        InputError: an unknown name, or ``root`` is no folder or holds no split. What is wrong with single files is in
            the report.
    """
    root = _existing(root)
    dataset = dataset_named(name)
    layouts = dataset.layouts(root)
    if not layouts:
        wanted = dataset.layout(root, "train").folders.values()
        places = dict.fromkeys(str(folder.path) for folder in wanted)
        raise InputError(f"{root}: holds no split of {name}; there is no {', no '.join(places)}, nor of other splits")
    return inspect(root, layouts, progress, num_threads)


def check_folder(
    root: Path | str,
    *,
    labels: LabelSpec | None = None,
    spec: FolderSpec | None = None,
    progress: Progress | None = None,
    num_threads: int | None = None,
) -> Report:
    """Read every file of a user's own pairs.

    Args:
        root: holds ``<split>/<kind>/…``, ``<split>_<kind>/…``, ``<kind>/…`` or just files. Kinds have the names in
            ``KNOWN_KINDS`` or those that ``spec.json`` mentions; just files are label maps if the folder is named so
            or the first one is a palette or grey image of few values.
        labels: the classes; None: those of the spec, or else whatever occurs is listed.
        spec: which kinds there are and how they are stored; None: as ``spec.json`` says, if it is there.
        progress, num_threads: see ``inspect``.

    Raises:
        InputError: ``root`` is no folder or without images, ``spec.json`` is wrong, or there is none and the folder
            looks like a published data set. What is wrong with single files is in the report, and that pairs have no
            ``spec.json``.
    """
    root = _existing(root)
    if spec is None and (root / SPEC_FILE).is_file():
        spec = FolderSpec.read(root)
    if spec is None:
        _refuse_published(root)
    labels = labels or (None if spec is None else spec.labels)
    layouts = _layouts(root, spec, labels) or {"": _single_kind(root, labels)}
    report = inspect(root, layouts, progress, num_threads)
    return report if spec is not None or labels is not None else _with_missing_spec(report)


def _with_missing_spec(report: Report) -> Report:
    content = starting_spec(report)
    if content is None:
        return report
    path = Path(report.root) / SPEC_FILE
    text = f"{path}: no such file, and training needs it; for these pairs it may begin as {json.dumps(content)}"
    return replace(report, problems=(*report.problems, Problem(str(path), text)))


def _existing(root: Path | str) -> Path:
    root = Path(root)
    if not root.is_dir():
        raise InputError(f"{root}: no such folder")
    return root


def _refuse_published(root: Path) -> None:
    """Read as mirrored folders, a published data set would look like one without label maps."""
    for name, dataset in DATASETS.items():
        if dataset.resembles(root):
            raise InputError(
                f"{root}: looks like {name}, for it has {' and '.join(dataset.signs)}: use --dataset {name}, "
                "or lay out pairs of your own as SPLIT/KIND/STEM.EXT"
            )


def _layouts(root: Path, spec: FolderSpec | None, labels: LabelSpec | None) -> dict[str, Layout]:
    """All splits with folders of known kinds. Each has every kind that the spec names or that any split has."""
    needed = () if spec is None else (*spec.condition, spec.target)
    pictures = {} if spec is None else spec.pictures
    known = (*needed, *(kind for kind in KNOWN_KINDS if not set(aliases(kind)) & set(needed)))
    splits = mirrored_splits(root, known) or ("",)
    found = {split: {kind: mirrored_folder(root, split, kind) for kind in known} for split in splits}
    present = [kind for kind in known if any(folders[kind].path.is_dir() for folders in found.values())]
    if not present:
        return {}
    return {
        split: Layout(
            {kind: folder for kind, folder in folders.items() if kind in (*needed, *present)},
            labels=labels,
            images=pictures,
        )
        for split, folders in found.items()
    }


def _single_kind(root: Path, labels: LabelSpec | None) -> Layout:
    folder = Folder(root)
    files = folder.files(complain=lambda path, text: None)
    if not files:
        raise InputError(f"{root}: no images in it, nor in folders named {', '.join(KNOWN_KINDS)}")
    first = next(iter(files.values()))
    holds_ids = labels is not None or root.resolve().name in LABEL_KINDS or _looks_like_ids(first)
    return Layout({"label" if holds_ids else "image": folder}, labels=labels)


def _looks_like_ids(path: Path) -> bool:
    try:
        ids = images.read_ids(path)
    except InputError:
        return False
    return ids.ndim == 2 and len(np.unique(ids)) <= _MOST_IDS_OF_A_MAP
