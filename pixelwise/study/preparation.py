"""A study of the pictures that lie in folders, one folder a model."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pixelwise import encoding
from pixelwise.atomic import check_writable
from pixelwise.data.layout import Folder
from pixelwise.digest import sha256_of
from pixelwise.errors import InputError, listed
from pixelwise.study.design import Catch, Picture, Rules, Scene, Study
from pixelwise.study.pictures import mosaic, read_shown
from pixelwise.study.store import check_free, create
from pixelwise.study.trials import shuffled

Progress = Callable[[int, int], object]
"""Is told how many pictures of how many were read."""


@dataclass(frozen=True)
class Sources:
    """Folders whose pictures belong together where their paths below them are equal but for the suffix.

    Attributes:
        models: what each model made, by the model's name.
        conditions: what they were given, or None.
        photos: the real ones, or None: then catch trials show a model's picture beside a mosaic of it.
    """

    models: Mapping[str, Path]
    conditions: Path | None = None
    photos: Path | None = None

    @property
    def folders(self) -> tuple[Path, ...]:
        """All of them, each once."""
        return tuple(dict.fromkeys([*self.models.values(), *filter(None, (self.conditions, self.photos))]))


@dataclass(frozen=True)
class _Read:
    """A picture that was read: its file, which picture it is, and its (height, width)."""

    path: Path
    picture: Picture
    size: tuple[int, int]


_ReadFolders = Mapping[Path, Mapping[str, _Read]]
"""By folder, then by the scene's name."""


def prepare(
    out: Path,
    sources: Sources,
    rules: Rules | None = None,
    common: bool = False,
    overwrite: bool = False,
    progress: Progress = lambda *_: None,
) -> Study:
    """Reads all pictures and writes the study: one file, in which the answers will be, too.

    Args:
        out: the SQLite file to write. It names the pictures as seen from its folder.
        sources: where they lie.
        rules: how raters are asked; by default ``Rules()``.
        common: leave out pictures that are not in all folders, instead of refusing them.
        overwrite: replace a study that has no answers yet. One that has some is never replaced.
        progress: see ``Progress``.

    Raises:
        InputError: something is at ``out`` already, or nothing can be written there; pictures whose names or sizes do
            not match, of which the first few are named; none that all folders have; a picture that cannot be read or
            that browsers do not show; models whose pictures are the same; photos, but no catch trials to show them in.
    """
    rules = rules or Rules()
    if sources.photos is not None and not rules.num_catches:
        raise InputError(f"--photos {sources.photos}: are shown in catch trials only, and --catches 0 asks for none")
    check_writable(out)
    check_free(out, overwrite)
    found = {folder: Folder(folder).files() for folder in sources.folders}
    names = _matching_names(sources, found, common)
    read = _read_all(names, found, out.parent.resolve(), progress)
    _check_sizes(sources, names, read)
    scenes = tuple(_scene(sources, name, read) for name in names)
    _check_models_differ(tuple(sources.models), scenes)
    catches, mosaics = _catches(sources, scenes, rules, read)
    study = Study(tuple(sources.models), rules, scenes, catches)
    create(out, study, mosaics, overwrite)
    return study


def _matching_names(sources: Sources, found: Mapping[Path, Mapping[str, Path]], common: bool) -> list[str]:
    made = sorted({name for folder in sources.models.values() for name in found[folder]})
    lacking = {name: [str(folder) for folder, files in found.items() if name not in files] for name in made}
    shared = [name for name in made if not lacking[name]]
    if not shared:
        first = ", ".join(f"{folder} begins with {next(iter(files))}" for folder, files in found.items())
        raise InputError(f"no picture has the same name in all folders: {first}")
    if len(shared) < len(made) and not common:
        faults = [f"{name} is not in {', '.join(folders)}" for name, folders in lacking.items() if folders]
        raise InputError(f"{listed(faults, '; ')}; --common uses only the {len(shared)} that all folders have")
    return shared


def _read_all(
    names: Sequence[str], found: Mapping[Path, Mapping[str, Path]], home: Path, progress: Progress
) -> _ReadFolders:
    """Every picture whole, for damage is to be found before raters see it."""
    read: dict[Path, dict[str, _Read]] = {folder: {} for folder in found}
    num_pictures = len(names) * len(found)
    for number, (folder, name) in enumerate(((folder, name) for folder in found for name in names), start=1):
        path = found[folder][name]
        height, width = read_shown(path).shape[:2]
        # As seen from the study, so that both can move together.
        seen = Path(os.path.relpath(path.parent.resolve() / path.name, home)).as_posix()
        read[folder][name] = _Read(path, Picture(sha256_of(path), seen), (height, width))
        progress(number, num_pictures)
    return read


def _check_sizes(sources: Sources, names: Sequence[str], read: _ReadFolders) -> None:
    faults = []
    for name in names:
        sizes = {folder: read[folder][name].size for folder in sources.models.values()}
        if len(set(sizes.values())) > 1:
            texts = ", ".join(f"{width}x{height} in {folder}" for folder, (height, width) in sizes.items())
            faults.append(f"{name} is {texts}")
    if faults:
        raise InputError(f"pictures that are compared must have one size (width x height): {listed(faults, '; ')}")


def _scene(sources: Sources, name: str, read: _ReadFolders) -> Scene:
    outputs = tuple(read[folder][name].picture for folder in sources.models.values())
    return Scene(name, outputs, None if sources.conditions is None else read[sources.conditions][name].picture)


def _check_models_differ(models: Sequence[str], scenes: Sequence[Scene]) -> None:
    made: dict[tuple[str, ...], str] = {}
    for number, model in enumerate(models):
        other = made.setdefault(tuple(scene.outputs[number].sha256 for scene in scenes), model)
        if other != model:
            raise InputError(f"{other} and {model}: all their pictures are the same, there is nothing to choose")


def _catches(
    sources: Sources, scenes: Sequence[Scene], rules: Rules, read: _ReadFolders
) -> tuple[tuple[Catch, ...], dict[str, bytes]]:
    """The catch trials, and the mosaics in them by their SHA-256."""
    folders = [sources.photos] if sources.photos else list(sources.models.values())
    catches, mosaics = [], {}
    for number, scene in enumerate(shuffled(scenes, f"{rules.seed}\ncatches")[: rules.num_catches]):
        intact = read[folders[number % len(folders)]][scene.name]
        content = _mosaic_of(intact.path)
        degraded = Picture(hashlib.sha256(content).hexdigest())
        mosaics[degraded.sha256] = content
        catches.append(Catch(scene.name, intact.picture, degraded, scene.condition))
    return tuple(catches), mosaics


def _mosaic_of(path: Path) -> bytes:
    """A PNG file."""
    picture = read_shown(path)
    spoilt = mosaic(picture)
    if np.array_equal(spoilt, picture):
        raise InputError(f"{path}: consists of a few even blocks, so no catch trial can be made of it")
    return encoding.to_bytes(path.with_suffix(".png"), spoilt)
