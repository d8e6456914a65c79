"""A data set by name: which splits it has, where their files lie, and how they are opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pixelwise.data.layout import Layout, mirrored_splits
from pixelwise.data.paired_data import PairedData


@dataclass(frozen=True)
class StoredSet:
    """A data set as it lies in a folder. Called with that folder and a split's name, it opens the split.

    Attributes:
        layout: from the folder and a split's name to where that split's files lie. What is missing is left to those
            who read.
        open: from a layout to the pairs. Raises InputError when they are incomplete.
        splits: those that its publisher names; mirrored folders may have others.
        signs: files and folders that together tell it from other data sets; empty when nothing does.
    """

    layout: Callable[[Path, str], Layout]
    open: Callable[[Layout], PairedData]
    splits: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()

    def __call__(self, root: Path, split: str) -> PairedData:
        """The pairs of one split; an empty name is for folders without splits. Raises InputError as ``open``."""
        return self.open(self.layout(Path(root), split))

    def layouts(self, root: Path) -> dict[str, Layout]:
        """Every split of which there is something in ``root``, by name; one of an empty name where there are none."""
        flat = self.layout(root, "")
        names = dict.fromkeys((*self.splits, *mirrored_splits(root, flat.folders)))
        found = {split: self.layout(root, split) for split in names}
        if there := {split: layout for split, layout in found.items() if layout.is_there}:
            return there
        # Some sets take any folder for a split: that the root itself exists says nothing then.
        is_flat = flat.is_there and all(folder.path != root for folder in flat.folders.values())
        return {"": flat} if is_flat else {}

    def resembles(self, root: Path) -> bool:
        """Whether ``root`` bears the signs of this data set."""
        return bool(self.signs) and all((root / sign).exists() for sign in self.signs)
