"""What a model reads of pictures that do not fit in memory, by rows, and the form of what it makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from pixelwise.codecs import ID_MODES, IMAGE_MODES, PHOTO_MODES
from pixelwise.condition import Condition
from pixelwise.data.layout import check_sizes
from pixelwise.errors import InputError
from pixelwise.models import family_of
from pixelwise.models.family import GeneratorConfig
from pixelwise.rasters import Raster, open_raster
from pixelwise.render.window import Region, Window
from pixelwise.translate.restoration import Form, Restoration, noise_in
from pixelwise.translate.translator import Translator


@dataclass(frozen=True)
class StoredCondition:
    """A condition on the disk, or a part of it, and the form of what is made of it. Rows are numbered in the part.

    Attributes:
        translator: the model.
        source, instances: the files.
        part: what is read of them.
        wanted: what is made of that, in pixels of the part.
        noise_levels: what was found in the rows that were read.
    """

    translator: Translator
    source: Raster
    instances: Raster | None
    part: Window
    wanted: Window
    noise_levels: list[float | None] = field(default_factory=list)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of what is read."""
        return self.part.height, self.part.width

    def num_conditions(self, form: Form) -> int:
        """How many the model takes the picture as, given the form of what it makes of it."""
        return 1 if self.restoration is None else self.restoration.num_photos(form.colours.channels)

    def rows(self, number: int, start: int, stop: int) -> Condition:
        """Rows of one of its conditions, on the model's device."""
        return self._rows(start, stop)[number : number + 1].to(self.translator.device)

    def _rows(self, start: int, stop: int) -> Condition:
        instances = None if self.instances is None else self._stored(self.instances, start, stop)
        try:
            if self.restoration is None:
                return self.translator.condition(self._stored(self.source, start, stop), instances)
            planes = self.restoration.planes(self._photo(start, stop))
        except InputError as error:
            raise InputError(f"{self.source.path}: {self.rows_text(start, stop)}: {error}") from error
        self.noise_levels.append(noise_in(planes))
        return Condition(image=self.restoration.fitted(planes))

    def form(self, start: int, stop: int) -> Form:
        """Of what is made of these rows, as far as it is wanted. They are at hand if they were among the last read."""
        if self.restoration is None:
            return Form(self.translator.manifest.target)
        photo = self._photo(start, stop)[:, self.wanted.left : self.wanted.right]
        return self.restoration.form(photo, self.source.path, self.source.metadata)

    def rows_text(self, start: int, stop: int) -> str:
        """What messages call these rows: by their numbers in the file."""
        return f"rows {self.part.top + start} to {self.part.top + stop - 1}"

    @property
    def restoration(self) -> Restoration | None:
        """Of a model that restores photos."""
        return self.translator.reader.restoration

    def _photo(self, start: int, stop: int) -> np.ndarray:
        stored = self._stored(self.source, start, stop)
        return stored[..., None] if stored.ndim == 2 else stored

    def _stored(self, raster: Raster, start: int, stop: int) -> np.ndarray:
        """Rows of the part, H W or H W C."""
        return raster.rows(self.part.top + start, self.part.top + stop)[:, self.part.left : self.part.right]


@contextmanager
def open_condition(
    translator: Translator, source: Path, instances: Path | None, region: Region | None
) -> Iterator[StoredCondition]:
    """The files open for reading by rows.

    Args:
        translator: the model.
        source: a label map or photo.
        instances: the instance map, for a model that reads one.
        region: (top, left, height, width) of what is wanted of the picture that is made, in pixels; None for all.

    Raises:
        InputError: see ``open_raster``; files of two sizes; a region without pixels or beyond the picture.
    """
    restores = translator.reader.restoration is not None
    modes = PHOTO_MODES if restores else IMAGE_MODES if translator.manifest.spec.labels is None else ID_MODES
    with ExitStack() as stack:
        raster = stack.enter_context(open_raster(source, modes))
        of_instances = None if instances is None else stack.enter_context(open_raster(instances, ID_MODES))
        if of_instances is not None:
            check_sizes({source: raster.size, of_instances.path: of_instances.size})
        whole = Window(0, 0, *raster.size)
        wanted = whole if region is None else Window.of(region)
        if not whole.contains(wanted):
            raise InputError(f"{source}: the window {wanted} reaches beyond the image, which is {whole}")
        part = _surroundings(translator.generator.config, wanted, whole)
        there = replace(wanted, top=wanted.top - part.top, left=wanted.left - part.left)
        yield StoredCondition(translator, raster, of_instances, part, there)


def _surroundings(config: GeneratorConfig, window: Window, whole: Window) -> Window:
    """The part of a picture that a window of what the model makes of it depends on."""
    reach = family_of(config).reach(config)
    if reach is None:
        return whole
    top, left = max(window.top - reach, 0), max(window.left - reach, 0)
    bottom, right = min(window.bottom + reach, whole.bottom), min(window.right + reach, whole.right)
    return Window(top, left, bottom - top, right - left)
