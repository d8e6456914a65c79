"""What a model reads of pictures that do not fit in memory, by rows, and the form of what it makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from math import ceil, floor
from pathlib import Path

import numpy as np
from torch import Tensor

from pixelwise.codecs import ID_MODES, IMAGE_MODES, PHOTO_MODES
from pixelwise.condition import Condition
from pixelwise.data.layout import check_sizes
from pixelwise.errors import InputError
from pixelwise.rasters import Raster, open_raster
from pixelwise.render.window import Region, Window, centre, covered
from pixelwise.translate.restoration import Form, Restoration, noise_in
from pixelwise.translate.translator import Translator


@dataclass(frozen=True)
class StoredCondition:
    """A condition on the disk, and the form of what is made of it.

    Attributes:
        translator: the model.
        source, instances: the files.
        wanted: the part of the picture that is made of them, in its pixels.
        scale: pixels of the picture per pixel of the files.
        noise_levels: what was found in the rows that were read.
    """

    translator: Translator
    source: Raster
    instances: Raster | None
    wanted: Window
    scale: float
    noise_levels: list[float | None] = field(default_factory=list)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of what is read."""
        return self.source.size

    def num_conditions(self, form: Form) -> int:
        """How many the model takes the picture as, given the form of what it makes of it."""
        return 1 if self.restoration is None else self.restoration.num_photos(form.colours.channels)

    def rows(self, number: int, start: int, stop: int) -> Condition:
        """Rows of one of its conditions, on the model's device."""
        return self._rows(start, stop)[number : number + 1].to(self.translator.device)

    def _rows(self, start: int, stop: int) -> Condition:
        instances = None if self.instances is None else self.instances.rows(start, stop)
        try:
            if self.restoration is None:
                return self.translator.condition(self.source.rows(start, stop), instances)
            planes = self.restoration.planes(self._photo(start, stop))
        except InputError as error:
            raise InputError(f"{self.source.path}: rows {start} to {stop - 1}: {error}") from error
        self.noise_levels.append(noise_in(planes))
        return Condition(image=self.restoration.fitted(planes))

    def form(self, start: int, stop: int) -> Form:
        """Of these rows of the picture. What is read for them is at hand if it was among the last that was read."""
        if self.restoration is None:
            return Form(self.translator.manifest.target)
        # Where it is read between two rows, both.
        first = max(floor(centre(start, self.scale) - 0.5), 0)
        last = min(ceil(centre(stop - 1, self.scale) - 0.5), self.size[0] - 1)
        form = self.restoration.form(self._photo(first, last + 1), self.source.path, self.source.metadata)
        return replace(form, origin=(first, 0))

    def stored(self, image: Tensor, start: int, suffix: str) -> np.ndarray:
        """What is to be written, H W C, into a file of that suffix from row ``start`` on, of what the model made of all
        conditions, B C H W."""
        height, width = image.shape[2:]
        form = self.form(start, start + height).kept_in(suffix)
        return form.stored(image, (start, self.wanted.left, height, width), self.scale)

    @property
    def restoration(self) -> Restoration | None:
        """Of a model that restores photos."""
        return self.translator.reader.restoration

    def _photo(self, start: int, stop: int) -> np.ndarray:
        stored = self.source.rows(start, stop)
        return stored[..., None] if stored.ndim == 2 else stored


@contextmanager
def open_condition(
    translator: Translator, source: Path, instances: Path | None, region: Region | None, scale: float
) -> Iterator[StoredCondition]:
    """The files open for reading by rows.

    Args:
        translator: the model.
        source: a label map or photo.
        instances: the instance map, for a model that reads one.
        region: (top, left, height, width) of what is wanted of the picture that is made, in its pixels; None for all.
        scale: its pixels per pixel of the files.

    Raises:
        InputError: see ``open_raster``; files of two sizes; a region without pixels or beyond the picture; see
            ``covered``.
    """
    restores = translator.reader.restoration is not None
    modes = PHOTO_MODES if restores else IMAGE_MODES if translator.manifest.spec.labels is None else ID_MODES
    with ExitStack() as stack:
        raster = stack.enter_context(open_raster(source, modes))
        of_instances = None if instances is None else stack.enter_context(open_raster(instances, ID_MODES))
        if of_instances is not None:
            check_sizes({source: raster.size, of_instances.path: of_instances.size})
        whole = covered(raster.size, scale=scale)
        wanted = whole if region is None else Window.of(region)
        if not whole.contains(wanted):
            raise InputError(f"{source}: the window {wanted} reaches beyond the image, which is {whole}")
        yield StoredCondition(translator, raster, of_instances, wanted, scale)
