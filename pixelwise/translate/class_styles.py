"""Styles of single classes, as a command line asks for them: what is to be made in which style."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pixelwise.errors import InputError
from pixelwise.translate.job_plan import Job
from pixelwise.translate.style import Style
from pixelwise.translate.translator import Translator


@dataclass(frozen=True)
class ClassStyle:
    """A class that is to look as in a picture.

    Attributes:
        label: the class's name, or its index.
        picture: the picture.
        maps: its label map, and its instance map for models that read one.
    """

    label: str
    picture: Path
    maps: tuple[Path, ...]

    @classmethod
    def read(cls, text: str) -> ClassStyle:
        """From CLASS=PICTURE,LABELS or CLASS=PICTURE,LABELS,INSTANCES. Raises InputError for anything else."""
        label, _, files = text.partition("=")
        picture, *maps = files.split(",")
        if not (label and picture and 1 <= len(maps) <= 2 and all(maps)):
            raise InputError(f"class style {text!r}: expected CLASS=PICTURE,LABELS, such as hair=friend.jpg,friend.png")
        return cls(label, Path(picture), tuple(map(Path, maps)))


def styled(
    translator: Translator, jobs: Sequence[Job], base: Style | None, wanted: Sequence[ClassStyle], drawn: Sequence[str]
) -> Iterator[tuple[list[Job], Style]]:
    """The jobs, those of one seed together, with the style that they are to be done in.

    Args:
        translator: the model, whose classes have styles of their own.
        jobs: what is to be done.
        base: how all the rest is to look; None: drawn, by the jobs' seeds, or by 0 where ``drawn`` says what these are
            for.
        wanted: classes that are to look as in pictures.
        drawn: classes that the jobs' seeds draw anew while the rest stays.

    Raises:
        InputError: a style of whole pictures, a class that is not there, a picture that cannot be read, a model that
            draws no styles and has to, or seeds where nothing is left to chance.
    """
    pictures = {each.label: translator.styles.of_file(each.picture, *each.maps) for each in wanted}
    by_seed = defaultdict(list)
    for job in jobs:
        by_seed[job.seed or 0].append(job)
    if base is not None and not drawn and (seeds := [job.seed for job in jobs if job.seed is not None]):
        translator.seeds.check(seeds, styled=True)
    for seed, some in by_seed.items():
        style = base or translator.styles.draw(0 if drawn else seed)
        for label, picture in pictures.items():
            style = style.with_class(label, picture)
        for label in drawn:
            style = style.with_class(label, translator.styles.draw(seed))
        # A style that is given leaves a seed nothing to say, unless the model draws noise too.
        yield some if translator.seeds.matter(styled=True) else [replace(job, seed=None) for job in some], style
