"""What no job could do, found before any of them is begun."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pixelwise.encoding import check_kept
from pixelwise.errors import InputError
from pixelwise.images import TargetSpec
from pixelwise.labels import LabelSpec
from pixelwise.render.window import Region
from pixelwise.translate.job_plan import Job
from pixelwise.translate.preview import preview_path
from pixelwise.translate.style import Style
from pixelwise.translate.translator import Translator


def check_model(translator: Translator, jobs: Sequence[Job]) -> None:
    """Raises InputError for a file format that cannot keep what the model makes, and for instance maps that are missing
    or not read."""
    manifest = translator.manifest
    for suffix in {job.destination.suffix.lower() for job in jobs}:
        _check_format(Path(f"*{suffix}"), manifest.target)
    given = any(job.instances is not None for job in jobs)
    if manifest.spec.instances and not given:
        raise InputError("the model reads instance maps too: name the folder that they lie in")
    if given and not manifest.spec.instances:
        raise InputError("a folder of instance maps was named, but the model reads none")


def check_previews(jobs: Sequence[Job]) -> None:
    """Raises InputError for a preview in the place of something else."""
    taken = {path.resolve() for job in jobs for path in (*job.inputs, job.destination)}
    for path in (preview_path(job.destination) for job in jobs):
        if path.resolve() in taken:
            raise InputError(f"{path}: is an input or a picture, and would be replaced by a preview; have none made")


def check_style(translator: Translator, jobs: Sequence[Job], style: Style | None) -> None:
    """Raises InputError for style pictures that are not read, and for seeds where nothing is left to chance."""
    with_picture = any(job.style is not None for job in jobs)
    if with_picture:
        translator.styles.check_picture()
    if seeds := [job.seed for job in jobs if job.seed is not None]:
        translator.seeds.check(seeds, with_picture or style is not None)


def check_view(translator: Translator, region: Region | None, scale: float) -> None:
    """Raises InputError for a region without pixels, and for a region or scale that the model makes of no input."""
    if region is not None and (min(region) < 0 or min(region[2:]) < 1):
        raise InputError(f"region {region}: expected top and left of 0 or more, height and width of 1 or more")
    translator.check_view(region, scale)


def _check_format(path: Path, target: TargetSpec) -> None:
    if isinstance(target, LabelSpec):
        if path.suffix != ".png":
            raise InputError(f"{path}: the model makes label maps, which are written as .png only")
    elif path.suffix != ".dzi":  # which is no file of pixels, but tiles that its writer chooses
        check_kept(path, (1, 1), target.channels, target.dtype)
