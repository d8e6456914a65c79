"""Who is evaluated: a model that translates, or a folder of pictures that something else has made."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from pixelwise import images
from pixelwise.checkpoint import bundled, read_manifest, resolve
from pixelwise.codecs import ID_MODES, IMAGE_MODES
from pixelwise.condition import Condition, PairedSample
from pixelwise.data.layout import Folder
from pixelwise.digest import sha256_of
from pixelwise.errors import InputError, listed
from pixelwise.evaluation.examination import Examination, misfit
from pixelwise.images import ImageSpec
from pixelwise.labels import LabelSpec
from pixelwise.model_name import model_name
from pixelwise.rasters import open_raster
from pixelwise.translate import Translator, load
from pixelwise.translate.preview import preview_path
from pixelwise.translate.restoration import Form, Restoration

Translate = Callable[[Condition], Tensor]
"""From a condition, B = 1, to its picture, 1 C H W in [-1, 1], or class indices 1 H W."""

Make = Callable[[PairedSample], Tensor]
"""The same from a sample, B = 1, for those that do not translate: a file, the target itself."""


def is_folder(entrant: str) -> bool:
    """Whether it is a folder of finished pictures; a bundled name is none, whatever lies under it."""
    return bundled(entrant) is None and Path(entrant).is_dir()


def named_apart(entrants: Sequence[str], taken: Sequence[str] = ()) -> dict[str, str]:
    """Entrants by name. Raises InputError for none at all, for two of one name, or one that is ``taken``."""
    names = [model_name(entrant) for entrant in entrants]
    for name in names:
        if names.count(name) > 1 or name in taken:
            raise InputError(f"{', '.join(entrants)}: each must have a name of its own, other than {name!r}")
    if not names:
        raise InputError("nothing to evaluate: give bundled names, .safetensors files or folders of pictures")
    return dict(zip(names, entrants, strict=True))


def check_entrant(entrant: str, examination: Examination) -> None:
    """Raises InputError, as ``maker`` would, before anything is made."""
    if is_folder(entrant):
        _files_of(Path(entrant), examination)
    elif reason := misfit(read_manifest(resolve(entrant)), examination.samples):
        raise InputError(f"{entrant}: {examination.protocol.name}: {reason}")


def digest_of(entrant: str) -> str:
    """SHA-256 of a model's file; of a folder's names, sizes and times of change: a changed picture is noticed."""
    if not is_folder(entrant):
        return sha256_of(resolve(entrant))
    files = Folder(Path(entrant)).files()
    lines = [f"{name} {path.stat().st_size} {path.stat().st_mtime_ns}" for name, path in files.items()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def maker(entrant: str, examination: Examination, device: str) -> Make:
    """What makes an entrant's pictures.

    Args:
        entrant: a bundled model's name, a ``.safetensors`` file, or a folder of pictures under the samples' names.
        examination: what it is asked.
        device: where a model runs.

    Raises:
        InputError: a model that does not suit the samples; a folder that lacks pictures, or has others or some of
            another size: they are listed.
    """
    if is_folder(entrant):
        return _from_files(_files_of(Path(entrant), examination), examination)
    return made_by(load(entrant, device), examination)


def made_by(translator: Translator, examination: Examination) -> Make:
    """What a model makes of samples. Raises InputError for one that does not suit them."""
    examination.check_suits(translator)
    restoration = translator.reader.restoration
    translate = translator.translate if restoration is None else partial(_restored, translator, restoration)
    return shown_to(translate, examination)


def shown_to(translate: Translate, examination: Examination) -> Make:
    """Translates what the protocol shows of a sample."""
    return lambda sample: translate(examination.protocol.shown(sample.condition))


def _restored(translator: Translator, restoration: Restoration, condition: Condition) -> Tensor:
    """A photo of any channels, as the model would restore it."""
    assert condition.image is not None
    planes = restoration.fitted(condition.image)
    made = translator.translate(Condition(image=planes))
    return Form(ImageSpec(condition.image.shape[1])).coloured(made)


def _files_of(folder: Path, examination: Examination) -> Mapping[str, Path]:
    """The samples' pictures in a folder, by name; previews that `pixelwise translate` wrote beside them are none."""
    files, names = Folder(folder).files(), examination.samples.names
    if missing := [name for name in names if name not in files]:
        raise InputError(f"{folder}: lacks {len(missing)} of {len(names)} pictures: {listed(missing)}")
    made = {name: files.pop(name) for name in names}
    previews = {preview_path(path) for path in made.values()}
    if surplus := [name for name, path in files.items() if path not in previews]:
        raise InputError(f"{folder}: has {len(surplus)} pictures that are none of the samples': {listed(surplus)}")
    _check_sizes([*made.values()], examination)
    return made


def _check_sizes(paths: Sequence[Path], examination: Examination) -> None:
    modes = ID_MODES if isinstance(examination.samples.target, LabelSpec) else IMAGE_MODES
    differing = []
    for index, path in enumerate(paths):
        with open_raster(path, modes) as raster:
            size = raster.size
        if size != (wanted := examination.sample(index).condition.size):
            differing.append(f"{path} is {_text(size)} for {_text(wanted)}")
    if differing:
        raise InputError(f"{len(differing)} pictures are of another size (width x height): {listed(differing)}")


def _from_files(files: Mapping[str, Path], examination: Examination) -> Make:
    target = examination.samples.target

    def read(sample: PairedSample) -> Tensor:
        path = files[sample.names[0]]
        if isinstance(target, LabelSpec):
            return torch.from_numpy(images.read_labels(path, target))[None]
        return images.to_tensor(images.read(path), target, path)[None]

    return read


def _text(size: tuple[int, int]) -> str:
    return f"{size[1]}x{size[0]}"
