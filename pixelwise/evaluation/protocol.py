"""What a figure means: on which pictures, made how, compared how. The same weights score up to 0.6 dB apart where that
is left open (clipped or rounded noise, rounded results, another draw).

A protocol never changes once it has been used; a better one gets the next number.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from pathlib import Path

from pixelwise.condition import Condition, PairedSample
from pixelwise.data.augment import resized, scaled
from pixelwise.data.paired_data import PairedData
from pixelwise.data.stored_set import StoredSet
from pixelwise.errors import InputError
from pixelwise.evaluation.contents import found, recorded
from pixelwise.labels import LabelSpec
from pixelwise.metrics.fidelity import LEAST_SIDES


@dataclass(frozen=True)
class Protocol:
    """A measurement that can be repeated.

    Attributes:
        name: with its version.
        data: the set.
        split: of the set.
        names_digest: SHA-256 of the samples' names, one a line, in order; empty where their publisher's list was not at
            hand: figures are then of the same pictures if their own digests are equal.
        measures: names of ``MEASURES``: what is said of a model, if the networks that this takes are there.
        rounded: whether pictures are rounded to what a file would hold before they are compared; they are clipped to
            the range of the targets in any case.
        text: the rest, for people.
        size: (height, width) that samples are brought to: pictures bilinear and antialiased, ids by nearest neighbour;
            None to leave them as they are.
        judged: the classes that a segmenter finds, by their names among the label maps'; pixels of others do not count.
            None for all.
        source_size: (height, width) that conditions are reduced to, and enlarged from again, before a model reads them;
            None to leave them. See ``from_source``.
        contents: the list of its files' SHA-256, see ``contents.recorded``; empty where none was made.
    """

    name: str
    data: StoredSet
    split: str
    names_digest: str
    measures: tuple[str, ...]
    rounded: bool
    text: str
    size: tuple[int, int] | None = None
    judged: LabelSpec | None = None
    source_size: tuple[int, int] | None = None
    contents: str = ""

    @property
    def split_name(self) -> str:
        """The split as names have it: ``all`` for a set that is not split."""
        return self.split or "all"

    def at(self, size: tuple[int, int]) -> Protocol:
        """The same measurement of pictures brought to one size, under a name that says so. For a protocol without one.
        Measures that need larger pictures are left out.

        Args:
            size: (height, width).
        """
        sides = "x".join(map(str, size))
        stem, version = self.name.rsplit("-", 1)
        text = f"{self.text}; samples brought to {sides} (height x width)"
        measures = tuple(name for name in self.measures if min(size) >= LEAST_SIDES.get(name, 1))
        return replace(self, name=f"{stem}-{sides}-{version}", text=text, size=size, measures=measures)

    def from_source(self, size: tuple[int, int]) -> Protocol:
        """The same measurement of what models make of less: targets stay as they are, conditions lose their detail.

        It is MSG U-Net's ablation (Laxman et al., 2021, Sec. 3.2, Tables 2 and 3). The networks are the same, and any
        family's may be asked: so it is no option of a model, but another protocol, with a name of its own.

        Args:
            size: (height, width) of the conditions that the models' are enlarged from.
        """
        sides = "x".join(map(str, size))
        text = f"{self.text}; inputs reduced to {sides} (height x width) and enlarged again, ids by nearest neighbour"
        return replace(self, name=f"{self.name}-from{sides}", text=text, source_size=size)

    def shown(self, condition: Condition) -> Condition:
        """What a model is shown of a sample. Raises InputError for a condition that is smaller than the source size."""
        if self.source_size is None:
            return condition
        if any(side < wanted for side, wanted in zip(condition.size, self.source_size, strict=True)):
            raise InputError(
                f"{self.name}: inputs of (height, width) {condition.size} cannot be reduced to {self.source_size}"
            )
        return resized(resized(condition, self.source_size), condition.size)

    def open(self, root: Path) -> PairedData:
        """The samples, in order.

        Args:
            root: where the data set lies.

        Raises:
            InputError: they are not there, or not the protocol's.
        """
        samples = self.data(root, self.split)
        if self.names_digest and (names_digest := digest(samples.names)) != self.names_digest:
            first, last = samples.names[0], samples.names[-1]
            raise InputError(
                f"{root}: the {len(samples)} pictures of split {self.split}, {first} to {last}, are not those of "
                f"{self.name}: the digest of their names is {names_digest[:12]}, expected {self.names_digest[:12]}"
            )
        return samples

    def caveat(self, root: Path) -> str | None:
        """What must be said beside figures of files that are not those the protocol was recorded with; None: nothing.

        They are not refused: the recorded files are a copy too, and its publisher's own, or one packed tighter with the
        same pixels, must not lose to it. Whether figures compare, their targets' digests tell.
        """
        if not self.contents:
            return None
        known, files = recorded(self.contents), found(self.data.layout(root, self.split))
        differing = [file for file, sha256 in files.items() if sha256 != known.get(file)]
        if not differing:
            return None
        return (
            f"{len(differing)} of {len(files)} files, the first of them {differing[0]}, are not those that {self.name} "
            "was recorded with: figures compare only with those of the same targets_sha256"
        )

    def sample(self, samples: PairedData, index: int) -> PairedSample:
        """One of the samples that ``open`` gave, at the protocol's size."""
        sample = samples[index]
        return sample if self.size is None else scaled(sample, self.size)


def name_and_source(name: str) -> tuple[str, tuple[int, int] | None]:
    """A protocol's name without ``-fromHEIGHTxWIDTH`` behind it, and that size; see ``Protocol.from_source``."""
    match = re.fullmatch(r"(.+)-from([1-9]\d*)x([1-9]\d*)", name)
    return (name, None) if match is None else (match[1], (int(match[2]), int(match[3])))


def digest(names: tuple[str, ...]) -> str:
    """SHA-256 of names, one a line."""
    return hashlib.sha256("\n".join(names).encode()).hexdigest()
