"""How far the set of a model's pictures is from sets of real ones, by features that a network finds in them.

Both sets that papers compare with are: photos of the training split, and those of the split that is evaluated itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from weakref import finalize

import numpy as np
from torch import Tensor

from pixelwise.data.paired_data import PairedData
from pixelwise.errors import InputError
from pixelwise.evaluation.journal import Journal, sample_digest
from pixelwise.evaluation.measure import Figures, Measure
from pixelwise.evaluation.protocol import Protocol, digest
from pixelwise.evaluation.setting import Setting, UnavailableError
from pixelwise.metrics.frechet import FeatureStatistics, frechet_caveat, frechet_distance, statistics_of
from pixelwise.metrics.kernel_distance import kernel_distance

SUBSET = 1000
"""Pictures in a kernel distance's subsets, as published; where there are few, half of the smaller set."""

Features = Callable[[Tensor], Tensor]
"""From pictures B C H W in [-1, 1] to B D."""


@dataclass(frozen=True)
class RealSet:
    """Real pictures that a model's are compared with, and their features: found, or seen to be known, when first asked
    for, and then not again: one set serves all models of an examination.

    Attributes:
        name: of the split.
        protocol: brings them to their size.
        samples: whose targets they are.
        folder: for what was found, so that it is there for the next examination too; None: a temporary
            file.
    """

    name: str
    protocol: Protocol
    samples: PairedData
    folder: Path | None
    _found: set[str] = field(default_factory=set, init=False, compare=False)

    @contextmanager
    def features(self, kind: str, network: Features) -> Iterator[Sequence[np.ndarray]]:
        """Of every picture in order, a vector of D, read when it is asked for."""
        with self._journal() as journal:
            if kind not in self._found:
                self._find(kind, network, journal)
                self._found.add(kind)
            yield journal.observations(kind)

    def _find(self, kind: str, network: Features, journal: Journal) -> None:
        for index in range(len(self.samples)):
            sample = self.protocol.sample(self.samples, index)
            now = sample_digest(sample, self.samples)
            if journal.lacks(index, now, [kind]):
                journal.add(index, now, {kind: _features_of(sample.target, network)})

    def _journal(self) -> AbstractContextManager[Journal]:
        if self.folder is None:
            return nullcontext(self._temporary)
        subject = f"{self.name} pictures of {self.protocol.name}, {digest(self.samples.names)[:16]}"
        return Journal(self.folder / f"real-{self.name}.sqlite", subject)

    @cached_property
    def _temporary(self) -> Journal:
        journal = Journal(None, self.name)
        finalize(self, journal.close)
        return journal

    def statistics(self, kind: str, network: Features) -> FeatureStatistics:
        """What a Fréchet distance needs to know of them."""
        with self.features(kind, network) as features:
            return statistics_of(features, kind)


def real_sets(setting: Setting, samples: PairedData) -> list[RealSet]:
    """Of the training split and of that which is evaluated, as far as they are there, with two pictures at least.

    Raises UnavailableError where nothing can be compared with the samples.
    """
    protocol, found = setting.protocol, []
    splits = {"train": "train", protocol.split_name: protocol.split}
    for name, split in splits.items():
        with suppress(InputError):
            found.append(RealSet(name, protocol, protocol.data(setting.root, split), setting.kept))
    found = [real for real in found if len(real.samples) > 1]
    if len(samples) < 2 or not (found or setting.statistics):
        raise UnavailableError(f"distances are of sets of two pictures or more, in split {' or '.join(splits)}")
    return found


def distances(
    kind: str,
    names: tuple[str, str],
    network: Features,
    real_sets: Sequence[RealSet],
    reference: FeatureStatistics | None = None,
) -> Measure:
    """Fréchet and kernel distances to sets of real pictures.

    Args:
        kind: which features they are: the network, and how pictures are brought to its size.
        names: what the two distances are called; ``_SPLIT`` is put behind.
        network: finds the features.
        real_sets: what is compared with.
        reference: statistics of other pictures, for one more Fréchet distance, ``_statistics``.
    """

    def conclude(found: Sequence[np.ndarray]) -> Figures:
        (frechet, kernel), ours = names, statistics_of(found, kind)
        figures: dict[str, float] = {}
        for real in real_sets:
            with real.features(kind, network) as features:
                figures[f"{frechet}_{real.name}"] = frechet_distance(ours, statistics_of(features, kind))
                estimated = kernel_distance(found, features, _subset_size(found, features))
            figures[f"{kernel}_{real.name}"] = estimated.value
            figures[f"{kernel}_{real.name}_error"] = estimated.standard_error
        if reference is not None:
            figures[f"{frechet}_statistics"] = frechet_distance(ours, reference)
        return figures

    def caveat(found: Sequence[np.ndarray]) -> str | None:
        fewest = min([len(found), *(len(real.samples) for real in real_sets)])
        return frechet_caveat(fewest, len(found[0]))

    return Measure(kind, lambda picture, sample: _features_of(picture, network), conclude, True, caveat)


def _subset_size(*sets: Sequence[np.ndarray]) -> int:
    return max(2, min(SUBSET, *(len(pictures) // 2 for pictures in sets)))


def _features_of(picture: Tensor, network: Features) -> np.ndarray:
    features: np.ndarray = network(picture)[0].cpu().numpy()
    return features
