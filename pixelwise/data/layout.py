"""Where the files of a data set lie and what is in them: all that one must know to read them one by one."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pixelwise import codecs
from pixelwise.errors import InputError
from pixelwise.images import ImageSpec
from pixelwise.labels import LabelSpec

LABEL_KINDS = ("label", "labels")
INSTANCE_KINDS = ("inst", "instance", "instances")
_ALIASES = (LABEL_KINDS, INSTANCE_KINDS, ("image", "images", "img"))

Complain = Callable[[Path, str], None]
"""Told of a file or folder and of what is wrong with it."""


def _raise(path: Path, text: str) -> None:
    raise InputError(f"{path}: {text}")


@dataclass(frozen=True)
class Folder:
    """The files of one part of the samples, sub-folders included.

    Attributes:
        path: the folder.
        ending: how its files' names end; what stands before is the sample's name. Empty: any image suffix.
        elsewhere: where it was looked for in vain, if ``path`` is no folder either.
    """

    path: Path
    ending: str = ""
    elsewhere: tuple[Path, ...] = ()

    @classmethod
    def first(cls, *places: Path) -> Folder:
        """The first of several places that is a folder."""
        found = [place for place in places if place.is_dir()]
        return cls(found[0]) if found else cls(places[0], elsewhere=places[1:])

    def files(self, complain: Complain = _raise) -> dict[str, Path]:
        """Files by sample name (``city/stem`` where sub-folders are mirrored), in the order of the names.

        Args:
            complain: told when there is no such folder, no image in it, or a second file of one name, which is then
                left out. By default the first of these is raised, as InputError.
        """
        if not self.path.is_dir():
            also = f", nor {', '.join(map(str, self.elsewhere))}" if self.elsewhere else ""
            complain(self.path, f"no such folder{also}")
            return {}
        found: dict[str, Path] = {}
        for path in sorted(files_below(self.path)):
            name = self._name(path)
            if name in found:
                complain(path, f"has the same name as {found[name].name}; keep one of them")
            elif name is not None:
                found[name] = path
        if not found:
            complain(self.path, f"no images in it (names ending in {self.ending or list(codecs.SUFFIXES)})")
        return dict(sorted(found.items()))

    def place(self, name: str) -> str:
        """Where the file of a sample lies or should lie, for people."""
        return f"{self.path / name}{self.ending or '.*'}"

    def _name(self, path: Path) -> str | None:
        relative = path.relative_to(self.path).as_posix()
        if self.ending:
            return relative[: -len(self.ending)] if relative.endswith(self.ending) else None
        return relative[: -len(path.suffix)] if path.suffix.lower() in codecs.SUFFIXES else None


@dataclass(frozen=True)
class Layout:
    """The files of one split.

    Attributes:
        folders: by kind; the files of one name in all of them make a sample. Kinds among ``LABEL_KINDS`` and
            ``INSTANCE_KINDS`` hold ids, all others pictures.
        target: the kind of the pictures to be made.
        labels: the classes of the label maps; None where they are not known.
        images: how the pictures of a kind are stored, where that is known.
        frame: pixels to be cut off on every side of every file.
        halves: whether every file holds two pictures of one width, side by side.
    """

    folders: Mapping[str, Folder]
    target: str = "image"
    labels: LabelSpec | None = None
    images: Mapping[str, ImageSpec] = field(default_factory=dict)
    frame: int = 0
    halves: bool = False

    @property
    def is_there(self) -> bool:
        """Whether at least one of the folders exists."""
        return any(folder.path.is_dir() for folder in self.folders.values())

    def check_shape(self, path: Path, shape: tuple[int, ...]) -> None:
        """Raise InputError, naming the file, when its shape H W or H W C does not fit ``frame`` or ``halves``."""
        height, width = shape[:2]
        if min(height, width) <= 2 * self.frame:
            raise InputError(f"{path}: is {width}x{height} pixels, too small to cut off {self.frame} on every side")
        if self.halves and width % 2:
            raise InputError(f"{path}: is {width} pixels wide, expected two halves of one width")


def check_sizes(shapes: Mapping[Path, tuple[int, ...]]) -> None:
    """Raise InputError, naming them, when the files of one sample (shapes H W or H W C) differ in height or width."""
    sizes = {path: f"{shape[1]}x{shape[0]}" for path, shape in shapes.items()}
    if len(set(sizes.values())) > 1:
        listed = ", ".join(f"{path} is {size}" for path, size in sizes.items())
        raise InputError(f"the files of one sample must have one size (width x height): {listed}")


def aliases(kind: str) -> tuple[str, ...]:
    """The usual names of a kind's folder, the given one first."""
    kinds = next((names for names in _ALIASES if kind in names), ())
    return (kind, *(name for name in kinds if name != kind))


def mirrored_folder(root: Path, split: str, kind: str) -> Folder:
    """``<root>/<split>/<kind>`` or ``<root>/<split>_<kind>`` (``<root>/<kind>`` without a split), by any usual name."""
    places = [place for name in aliases(kind) for place in _places(root, split, name)]
    return Folder.first(*places)


def mirrored_splits(root: Path, kinds: Collection[str]) -> tuple[str, ...]:
    """All splits for which ``mirrored_folder`` finds at least one of ``kinds``, in the order of their names."""
    names = {name for kind in kinds for name in aliases(kind)}
    splits = set()
    for folder in _folders(root):
        prefix, _, kind = folder.name.rpartition("_")
        if prefix and kind in names:
            splits.add(prefix)
        if any(child.name in names for child in _folders(folder)):
            splits.add(folder.name)
    return tuple(sorted(splits))


def files_below(folder: Path) -> Iterable[Path]:
    """All files in ``folder`` and its sub-folders, linked ones too, but for what is hidden."""
    for place, folders, names in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".") and not _leads_back(Path(place, name))]
        yield from (Path(place, name) for name in names if not name.startswith("."))


def _leads_back(path: Path) -> bool:
    """Whether a folder is a link to one above it, which would never end."""
    return path.is_symlink() and path.resolve() in {above.resolve() for above in path.parents}


def _places(root: Path, split: str, name: str) -> Iterable[Path]:
    return (root / split / name, root / f"{split}_{name}") if split else (root / name,)


def _folders(root: Path) -> list[Path]:
    return [path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")]
