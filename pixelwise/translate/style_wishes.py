"""Styles as a command line asks for them, of whole pictures or of single classes: what is to be made in which style."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
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


@dataclass(frozen=True)
class StyleWishes:
    """How things are to look; as it stands, nothing is wished.

    Attributes:
        picture: a picture whose look is wanted, or a folder of them, one for each input.
        labels, instances: the maps of the one picture, if it does not show what the inputs do.
        of_classes: classes that are to look as in pictures of their own.
        drawn: classes that the jobs' seeds draw anew while the rest stays.
    """

    picture: Path | None = None
    labels: Path | None = None
    instances: Path | None = None
    of_classes: tuple[ClassStyle, ...] = ()
    drawn: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """What is read besides ``picture``."""
        of_classes = (path for each in self.of_classes for path in (each.picture, *each.maps))
        return tuple(path for path in (self.labels, self.instances, *of_classes) if path is not None)

    def groups(self, translator: Translator, jobs: Sequence[Job]) -> Iterable[tuple[Sequence[Job], Style | None]]:
        """The jobs, with the style that they are to be done in; None: that of each job's own picture, if it has one.

        Raises:
            InputError: maps without the one picture that they belong to, or a picture without the label map that is
                needed; or, later, see ``_by_class``.
        """
        base = self._found(translator)
        if not (self.of_classes or self.drawn):
            return [(jobs, base)]
        if self.picture is not None and base is None:
            raise InputError(
                f"--style {self.picture}: with --class-style or --redraw its label map is needed, --style-labels"
            )
        return self._by_class(translator, jobs, base)

    def _found(self, translator: Translator) -> Style | None:
        """The picture's style, of what its maps say; None without maps."""
        if self.labels is None and self.instances is None:
            return None
        if self.picture is None or not self.picture.is_file():
            raise InputError(
                f"--style {self.picture or 'is missing'}: expected the picture that the given maps belong to"
            )
        return translator.styles.of_file(self.picture, self.labels, self.instances)

    def _by_class(
        self, translator: Translator, jobs: Sequence[Job], base: Style | None
    ) -> Iterator[tuple[list[Job], Style]]:
        """The jobs, those of one seed together, with the style that they are to be done in.

        Args:
            translator: the model, whose classes have styles of their own.
            jobs: what is to be done.
            base: how all the rest is to look; None: drawn, by the jobs' seeds, or by 0 where ``drawn`` says what these
                are for.

        Raises:
            InputError: a style of whole pictures, a class that is not there, a picture that cannot be read, a model
                that draws no styles and has to, or seeds where nothing is left to chance.
        """
        styles = translator.styles
        pictures = {each.label: styles.of_file(each.picture, *each.maps) for each in self.of_classes}
        by_seed = defaultdict(list)
        for job in jobs:
            by_seed[job.seed or 0].append(job)
        if base is not None and not self.drawn and (seeds := [job.seed for job in jobs if job.seed is not None]):
            translator.seeds.check(seeds, styled=True)
        for seed, some in by_seed.items():
            style = base or styles.draw(0 if self.drawn else seed)
            for label, picture in pictures.items():
                style = style.with_class(label, picture)
            for label in self.drawn:
                style = style.with_class(label, styles.draw(seed))
            # A style that is given leaves a seed nothing to say, unless the model draws noise too.
            yield some if translator.seeds.matter(styled=True) else [replace(job, seed=None) for job in some], style
