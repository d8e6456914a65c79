"""What files, folders and globs on a command line mean."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pixelwise.codecs import SUFFIXES
from pixelwise.data.layout import Folder, files_below
from pixelwise.errors import InputError

WILDCARDS = "*?["


def find_pictures(text: str, out: Path | None) -> list[tuple[Path, Path]]:
    """The files that an input means, each with the folder that its name is relative to.

    Args:
        text: a file, whatever its name; a folder, which is searched through; or a glob.
        out: the folder of the new pictures; earlier ones are left out where they lie within the input. None for no such
            folder.

    Raises:
        InputError: nothing is there.
    """
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
    earlier = None if out is None else _place_within(root, out)
    pictures = [file for file in files if _is_picture(file.relative_to(root), earlier) and not file.is_dir()]
    if not pictures:
        raise InputError(f"{text}: no images there; expected files ending in {', '.join(SUFFIXES)}")
    return [(file, root) for file in pictures]


def is_picture_name(out: Path) -> bool:
    """Whether what is to be made bears a picture's name, and is no folder that does."""
    return out.suffix.lower() in (*SUFFIXES, ".dzi") and not out.is_dir()


def partners(place: Path | None) -> Callable[[Path], Path | None]:
    """From the name of an input, without suffix, to the file that belongs to it.

    Args:
        place: a file, which belongs to all; a folder with a file of each name; or None for no files.

    Raises:
        InputError: two files of one name, or no files, in a folder; or nothing is there.
    """
    if place is None or place.is_file():
        return lambda name: place
    if not place.exists():
        raise InputError(f"{place}: no such file or folder")
    files = Folder(place).files()
    # Where there is none, a path that cannot be read and names what is missing.
    return lambda name: files.get(name.as_posix(), place / f"{name}.png")


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
