"""How far the set of a model's pictures is from sets of real ones, by features that a network finds in them.

Both sets that papers compare with are: photos of the training split, and those of the split that is evaluated itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from pixelwise.condition import PairedSample
from pixelwise.data.paired_data import PairedData
from pixelwise.evaluation.journal import Journal
from pixelwise.evaluation.measure import Figures, Measure
from pixelwise.evaluation.protocol import Protocol
from pixelwise.metrics.frechet import frechet_distance, read_statistics, statistics_of
from pixelwise.metrics.kernel_distance import kernel_distance

SUBSET, NUM_SUBSETS = 1000, 100
"""Of a kernel distance, as published; of fewer pictures a subset is half of the smaller set."""

Features = Callable[[Tensor], Tensor]
"""From pictures B C H W in [-1, 1] to B D."""


@dataclass(frozen=True)
class RealSet:
    """Real pictures that a model's are compared with, and their features, which are found when first asked for.

    Attributes:
        name: of the split.
        protocol: brings them to their size.
        samples: whose targets they are.
        journal: for what was found: in memory, or in a file that outlives an interruption.
    """

    name: str
    protocol: Protocol
    samples: PairedData
    journal: Journal

    def features(self, kind: str, network: Features) -> Sequence[np.ndarray]:
        for index in self.journal.missing([kind], len(self.samples)):
            target = self.protocol.sample(self.samples, index).target
            self.journal.add(index, {kind: network(target)[0].cpu().numpy()})
        return self.journal.observations(kind)


def distances(
    kind: str,
    frechet: str,
    kernel: str,
    network: Features,
    real_sets: Sequence[RealSet],
    published: Path | None = None,
) -> Measure:
    """Fréchet and kernel distances to sets of real pictures.

    Args:
        kind: which features they are: the network, and how pictures are brought to its size.
        frechet, kernel: what the distances are called, with ``_SPLIT`` behind.
        network: finds the features.
        real_sets: what is compared with.
        published: ``.npz`` of reference statistics, for one more Fréchet distance, ``_published``.

    Raises:
        InputError: statistics that cannot be read.
    """
    reference = None if published is None else read_statistics(published)

    def observe(picture: Tensor, sample: PairedSample) -> np.ndarray:
        return network(picture)[0].cpu().numpy()

    def conclude(found: Sequence[np.ndarray]) -> Figures:
        ours = statistics_of(found, kind)
        figures: dict[str, float] = {}
        for real in real_sets:
            features = real.features(kind, network)
            figures[f"{frechet}_{real.name}"] = frechet_distance(ours, statistics_of(features, kind))
            size = min(SUBSET, len(found) // 2, len(features) // 2)
            estimated = kernel_distance(found, features, size, NUM_SUBSETS)
            figures[f"{kernel}_{real.name}"] = estimated.value
            figures[f"{kernel}_{real.name}_error"] = estimated.standard_error
        if reference is not None:
            figures[f"{frechet}_published"] = frechet_distance(ours, reference)
        return figures

    return Measure(kind, observe, conclude, without_target=True)
