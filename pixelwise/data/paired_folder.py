"""Pairs of files: those of one sample have the same name in a folder for each part of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from pixelwise import images
from pixelwise.condition import Condition, ConditionSpec, PairedSample
from pixelwise.data.layout import INSTANCE_KINDS, LABEL_KINDS, Folder, Layout, aliases, check_sizes, mirrored_folder
from pixelwise.data.stored_set import StoredSet
from pixelwise.errors import InputError
from pixelwise.fields import from_fields
from pixelwise.images import ImageSpec
from pixelwise.labels import LabelSpec

SPEC_FILE = "spec.json"


@dataclass(frozen=True)
class FolderSpec:
    """Which folders make a sample, and how they are to be read; as JSON it lies in the data set's ``spec.json``.

    Attributes:
        condition: names of the folders that a generator is given: ``label`` and ``inst`` are read as ids, at most one
            other as an image.
        target: name of the folder with the pictures to be made; ``label`` where classes are to be found.
        labels: the classes, needed with a label folder.
        images: how the images of a folder are stored; 8-bit RGB where nothing is said.
    """

    condition: tuple[str, ...] = ("label",)
    target: str = "image"
    labels: LabelSpec | None = None
    images: Mapping[str, ImageSpec] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "condition", tuple(self.condition))
        if not self.condition:
            raise InputError("a data set needs at least one folder as condition")
        if len(self.picture_kinds()) > 1:
            raise InputError(f"at most one image can be the condition, got the folders {self.picture_kinds()}")
        for kinds in (LABEL_KINDS, INSTANCE_KINDS):
            if len(alike := [kind for kind in self.condition if kind in kinds]) > 1:
                raise InputError(f"the folders {alike} would be the same part of a condition; keep one of them")
        if self.target in INSTANCE_KINDS:
            raise InputError(f"the target must be an image or a label map, not {self.target!r}")
        if shared := [kind for kind in aliases(self.target) if kind in self.condition]:
            raise InputError(f"the folder {shared[0]!r} cannot be condition and target at once")
        if unused := self.images.keys() - {*self.condition, self.target}:
            raise InputError(f"images names {sorted(unused)}, but the folders are {[*self.condition, self.target]}")

    def picture_kinds(self) -> tuple[str, ...]:
        """The folders of the condition that hold images rather than ids."""
        return tuple(kind for kind in self.condition if kind not in (*LABEL_KINDS, *INSTANCE_KINDS))

    def layout(self, root: Path, split: str, *, frame: int = 0) -> Layout:
        """Where the files of a split lie: ``<root>/<split>/<kind>``, or ``<root>/<split>_<kind>``.

        Args:
            root: the data set's folder.
            split: its part, such as ``train``; empty when the files lie in ``<root>/<kind>``.
            frame: pixels to be cut off on every side of every file.
        """
        return Layout(
            {kind: mirrored_folder(root, split, kind) for kind in (*self.condition, self.target)},
            self.target,
            self.labels,
            self.pictures,
            frame,
        )

    @property
    def pictures(self) -> dict[str, ImageSpec]:
        """How the images of every folder that holds some are stored."""
        made = () if self.target in LABEL_KINDS else (self.target,)
        return {kind: self.images.get(kind, ImageSpec()) for kind in (*self.picture_kinds(), *made)}

    def to_json(self) -> dict[str, Any]:
        return {
            "condition": list(self.condition),
            "target": self.target,
            "labels": None if self.labels is None else self.labels.to_json(),
            "images": {kind: spec.to_json() for kind, spec in self.images.items()},
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> FolderSpec:
        """The inverse of ``to_json``; every field may be left out. Raises InputError for unknown or wrong fields."""
        try:
            images = content.get("images", {}) if isinstance(content, Mapping) else content
            if not isinstance(images, Mapping):
                raise InputError(f"expected an object of fields, got {images!r:.80}")
            pictures = {kind: ImageSpec.from_json(spec) for kind, spec in images.items()}
            labels = None if content.get("labels") is None else LabelSpec.from_json(content["labels"])
            return from_fields(cls, {**content, "labels": labels, "images": pictures})
        except InputError as error:
            raise InputError(f"not a folder spec: {error}") from error

    @classmethod
    def read(cls, root: Path) -> FolderSpec:
        """What ``spec.json`` in ``root`` says. Raises InputError, naming the file, when it is missing or wrong."""
        return cls.read_file(root / SPEC_FILE)

    @classmethod
    def read_file(cls, path: Path) -> FolderSpec:
        """What a JSON file says. Raises InputError, naming the file, when it is missing or wrong."""
        try:
            # Windows' editors begin a file with a byte order mark.
            return cls.from_json(json.loads(path.read_text(encoding="utf-8-sig")))
        except FileNotFoundError as error:
            raise InputError(f"{path}: no such file; it says what is read and made, see `pixelwise check`") from error
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror}") from error
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path}: {error}") from error


class PairedFolder(Dataset[PairedSample]):
    """Samples whose parts lie in one folder each; files are read when a sample is asked for.

    Args:
        layout: which folders, and what is in them; pictures besides the target are what to start from.

    Raises:
        InputError: files without a partner (named), an empty or missing folder, label maps without classes; when a
            sample is read, files of different sizes (named), too small ones and all that ``pixelwise.images`` refuses.
    """

    def __init__(self, layout: Layout) -> None:
        folders = {_part(kind, layout.target): folder for kind, folder in layout.folders.items()}
        for kind, folder in layout.folders.items():
            if kind in LABEL_KINDS and layout.labels is None:
                raise InputError(f"{folder.path}: has label maps, but the data set's spec names no classes")
        pictures = {_part(kind, layout.target): spec for kind, spec in layout.images.items()}
        self.layout = layout
        self.target = pictures.get("target") or cast(LabelSpec, layout.labels)
        self.image = pictures.get("image")
        self.spec = ConditionSpec(
            labels=layout.labels if "labels" in folders else None,
            instances="instances" in folders,
            image_channels=0 if self.image is None else self.image.channels,
        )
        self.degrade = None
        self._files = _match(folders)
        self.names = tuple(self._files["target"])

    def __len__(self) -> int:
        return len(self.names)

    def files(self, index: int) -> dict[str, Path]:
        """The files of one sample, by part: target, labels, instances, image."""
        return {part: files[self.names[index]] for part, files in self._files.items()}

    def __getitem__(self, index: int) -> PairedSample:
        files = self.files(index)
        arrays = {part: self._read(part, path) for part, path in files.items()}
        check_sizes({files[part]: array.shape for part, array in arrays.items()})
        parts = {part: self._tensor(part, array, files[part])[None] for part, array in arrays.items()}
        target = parts.pop("target")
        valid = None if isinstance(self.target, LabelSpec) else images.measured(target[0], self.target)
        return PairedSample(Condition(**parts), target, (self.names[index],), None if valid is None else valid[None])

    def _read(self, part: str, path: Path) -> np.ndarray:
        labels = {"labels": self.spec.labels, "target": self.target}.get(part)
        if isinstance(labels, LabelSpec):
            return images.read_labels(path, labels)
        return images.read_instances(path) if part == "instances" else images.read(path)

    def _tensor(self, part: str, array: np.ndarray, path: Path) -> Tensor:
        self.layout.check_shape(path, array.shape)
        (height, width), frame = array.shape[:2], self.layout.frame
        array = array[frame : height - frame, frame : width - frame]
        spec = {"target": self.target, "image": self.image}.get(part)
        if isinstance(spec, ImageSpec):
            return images.to_tensor(array, spec, path)
        return torch.from_numpy(np.ascontiguousarray(array))


def _layout(root: Path, split: str) -> Layout:
    return FolderSpec.read(root).layout(root, split)


paired_folder = StoredSet(_layout, PairedFolder)
"""A user's own pairs in ``<root>/<split>/<kind>/<name>.<suffix>``, as ``<root>/spec.json`` says."""


def _part(kind: str, target: str) -> str:
    """Which part of a sample the files of a kind are."""
    if kind == target:
        return "target"
    if kind in LABEL_KINDS:
        return "labels"
    return "instances" if kind in INSTANCE_KINDS else "image"


def _match(folders: Mapping[str, Folder]) -> dict[str, dict[str, Path]]:
    """Files by part and name. Raises InputError, naming some, when a file has no partner."""
    files = {part: folder.files() for part, folder in folders.items()}
    everywhere = set.intersection(*(set(found) for found in files.values()))
    alone = [path for found in files.values() for name, path in found.items() if name not in everywhere]
    if alone:
        listed = ", ".join(str(path) for path in alone[:5]) + (", …" if len(alone) > 5 else "")
        partners = ", ".join(str(folder.path) for folder in folders.values())
        raise InputError(f"{len(alone)} files lack a partner of the same name in one of {partners}: {listed}")
    return files
