"""Mirrored folders: the files of one sample have the same name in a folder for each part of it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from pixelwise import codecs, images
from pixelwise.condition import Condition, ConditionSpec, PairedSample
from pixelwise.errors import InputError
from pixelwise.fields import from_fields
from pixelwise.images import ImageSpec
from pixelwise.labels import LabelSpec

LABEL_KINDS = ("label", "labels")
INSTANCE_KINDS = ("inst", "instance", "instances")
SPEC_FILE = "spec.json"
_ALIASES = (LABEL_KINDS, INSTANCE_KINDS, ("image", "images", "img"))


@dataclass(frozen=True)
class Folder:
    """The files of one part of the samples, sub-folders included.

    Attributes:
        path: the folder.
        ending: how its files' names end; what stands before is the sample's name. Empty: any image suffix.
    """

    path: Path
    ending: str = ""

    def files(self) -> dict[str, Path]:
        """Files by sample name (``city/stem`` where sub-folders are mirrored), in the order of the names.

        Raises:
            InputError: no such folder, no image in it, or two files of one name.
        """
        if not self.path.is_dir():
            raise InputError(f"{self.path}: no such folder")
        found: dict[str, Path] = {}
        for path in files_below(self.path):
            name = self._name(path)
            if name in found:
                raise InputError(f"{path}: has the same name as {found[name].name}; keep one of them")
            if name is not None:
                found[name] = path
        if not found:
            raise InputError(f"{self.path}: no images in it (names ending in {self.ending or list(codecs.SUFFIXES)})")
        return dict(sorted(found.items()))

    def _name(self, path: Path) -> str | None:
        relative = path.relative_to(self.path).as_posix()
        if self.ending:
            return relative[: -len(self.ending)] if relative.endswith(self.ending) else None
        return relative[: -len(path.suffix)] if path.suffix.lower() in codecs.SUFFIXES else None


@dataclass(frozen=True)
class FolderSpec:
    """Which folders make a sample, and how they are to be read; as JSON it lies in the data set's ``spec.json``.

    Attributes:
        condition: names of the folders that a generator is given: ``label`` and ``inst`` are read as ids, at most one
            other as an image.
        target: name of the folder with the pictures to be made.
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
        if self.target in (*LABEL_KINDS, *INSTANCE_KINDS):
            raise InputError(f"the target must be an image, not {self.target!r}")
        if shared := [kind for kind in aliases(self.target) if kind in self.condition]:
            raise InputError(f"the folder {shared[0]!r} cannot be condition and target at once")
        if unused := self.images.keys() - {*self.condition, self.target}:
            raise InputError(f"images names {sorted(unused)}, but the folders are {[*self.condition, self.target]}")

    def picture_kinds(self) -> tuple[str, ...]:
        """The folders of the condition that hold images rather than ids."""
        return tuple(kind for kind in self.condition if kind not in (*LABEL_KINDS, *INSTANCE_KINDS))

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
            labels = content.get("labels")
            pictures = {kind: ImageSpec.from_json(spec) for kind, spec in content.get("images", {}).items()}
            labels = None if labels is None else LabelSpec.from_json(labels)
            return from_fields(cls, {**content, "labels": labels, "images": pictures})
        except (AttributeError, TypeError, InputError) as error:
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
            raise InputError(f"{path}: no such file; it names the classes, or pass a spec") from error
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror}") from error
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path}: {error}") from error


class PairedFolder(Dataset[PairedSample]):
    """Samples whose parts lie in one folder each; files are read when a sample is asked for.

    Args:
        target: the pictures to be made.
        target_spec: how they are stored.
        labels: label maps, with their classes.
        instances: instance maps.
        image: the pictures to start from, with how they are stored.
        frame: pixels cut off on every side of every file.

    Raises:
        InputError: files without a partner (named), an empty or missing folder; when a sample is read, files of
            different sizes (named) and all that ``pixelwise.images`` refuses.
    """

    def __init__(
        self,
        target: Folder,
        target_spec: ImageSpec,
        *,
        labels: tuple[Folder, LabelSpec] | None = None,
        instances: Folder | None = None,
        image: tuple[Folder, ImageSpec] | None = None,
        frame: int = 0,
    ) -> None:
        self.target = target_spec
        self.image = None if image is None else image[1]
        self.spec = ConditionSpec(
            labels=None if labels is None else labels[1],
            instances=instances is not None,
            image_channels=0 if image is None else image[1].channels,
        )
        self.degrade = None
        self.frame = frame
        folders = {
            "target": target,
            "labels": labels and labels[0],
            "instances": instances,
            "image": image and image[0],
        }
        self.folders = {part: folder for part, folder in folders.items() if folder is not None}
        self._files = _match(self.folders)
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
        return PairedSample(target=parts.pop("target"), condition=Condition(**parts), names=(self.names[index],))

    def _read(self, part: str, path: Path) -> np.ndarray:
        if part == "labels" and self.spec.labels is not None:
            return images.read_labels(path, self.spec.labels)
        return images.read_instances(path) if part == "instances" else images.read(path)

    def _tensor(self, part: str, array: np.ndarray, path: Path) -> Tensor:
        height, width = array.shape[:2]
        if min(height, width) <= 2 * self.frame:
            raise InputError(f"{path}: is {width}x{height} pixels, too small to cut off {self.frame} on every side")
        array = array[self.frame : height - self.frame, self.frame : width - self.frame]
        spec = {"target": self.target, "image": self.image}.get(part)
        return torch.from_numpy(np.ascontiguousarray(array)) if spec is None else images.to_tensor(array, spec, path)


def paired_folder(root: Path, split: str, spec: FolderSpec | None = None, *, frame: int = 0) -> PairedFolder:
    """The pairs in ``<root>/<split>/<kind>/<name>.<suffix>``, or in ``<root>/<split>_<kind>/…``.

    Args:
        root: the data set's folder.
        split: its part, such as ``train``; empty when there are no parts and the files lie in ``<root>/<kind>/…``.
        spec: which kinds, and how to read them; None: as ``<root>/spec.json`` says.
        frame: pixels cut off on every side of every file.

    Raises:
        InputError: see ``FolderSpec.read`` and ``PairedFolder``.
    """
    root = Path(root)
    spec = FolderSpec.read(root) if spec is None else spec
    found = {kind: Folder(locate(root, split, kind)) for kind in (*spec.condition, spec.target)}
    label_folder = next((found[kind] for kind in spec.condition if kind in LABEL_KINDS), None)
    if label_folder is not None and spec.labels is None:
        raise InputError(f"{root}: has label maps, but its {SPEC_FILE} or the spec given names no classes")
    picture = next(iter(spec.picture_kinds()), None)
    return PairedFolder(
        found[spec.target],
        spec.images.get(spec.target, ImageSpec()),
        labels=None if label_folder is None or spec.labels is None else (label_folder, spec.labels),
        instances=next((found[kind] for kind in spec.condition if kind in INSTANCE_KINDS), None),
        image=None if picture is None else (found[picture], spec.images.get(picture, ImageSpec())),
        frame=frame,
    )


def aliases(kind: str) -> tuple[str, ...]:
    """The usual names of a kind's folder, the given one first."""
    kinds = next((names for names in _ALIASES if kind in names), ())
    return (kind, *(name for name in kinds if name != kind))


def locate(root: Path, split: str, kind: str) -> Path:
    """The folder of one kind in one split, under any of the kind's usual names. Raises InputError: there is none."""
    tried = [place for name in aliases(kind) for place in _places(root, split, name)]
    for place in tried:
        if place.is_dir():
            return place
    raise InputError(f"{root}: no folder for {kind!r} of split {split!r}; looked for {', '.join(map(str, tried))}")


def check_sizes(shapes: Mapping[Path, tuple[int, ...]]) -> None:
    """Raise InputError, naming them, when the files of one sample (shapes H W or H W C) differ in height or width."""
    sizes = {path: f"{shape[1]}x{shape[0]}" for path, shape in shapes.items()}
    if len(set(sizes.values())) > 1:
        listed = ", ".join(f"{path} is {size}" for path, size in sizes.items())
        raise InputError(f"the files of one sample must have one size (width x height): {listed}")


def _places(root: Path, split: str, name: str) -> Iterable[Path]:
    return (root / split / name, root / f"{split}_{name}") if split else (root / name,)


def files_below(folder: Path) -> Iterable[Path]:
    """All files in ``folder`` and its sub-folders, linked ones too, but for what is hidden."""
    for place, folders, names in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".") and not _leads_back(Path(place, name))]
        yield from (Path(place, name) for name in names if not name.startswith("."))


def _leads_back(path: Path) -> bool:
    """Whether a folder is a link to one above it, which would never end."""
    return path.is_symlink() and path.resolve() in {above.resolve() for above in path.parents}


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
