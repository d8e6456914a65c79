"""What is examined, and with what at hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pixelwise.data.paired_data import PairedData
from pixelwise.errors import InputError
from pixelwise.evaluation.protocol import Protocol
from pixelwise.images import ImageSpec
from pixelwise.published_weights import PublishedWeights


@dataclass(frozen=True)
class Setting:
    """What is examined, and with what at hand. A process can be given it.

    Attributes:
        protocol: what is measured.
        root: where its data lie.
        segmenter: the file of a network that finds the label maps' classes in photos; see ``segmenter_named``.
        weights: a folder of published weights under their published names, besides torch's cache.
        download: whether those that are not there are fetched.
        statistics: published statistics of Inception's features (``.npz``), for one more FID.
        device: where these networks run.
        kept: a folder for what was found in real pictures; None: it is found anew each time.
    """

    protocol: Protocol
    root: Path
    segmenter: str | None = None
    weights: Path | None = None
    download: bool = False
    statistics: Path | None = None
    device: str = "auto"
    kept: Path | None = None

    def __post_init__(self) -> None:
        if self.weights is not None and not self.weights.is_dir():
            raise InputError(f"{self.weights}: no such folder of weights")

    def at_hand(self, published: PublishedWeights) -> Path | None:
        """The file in the folder of weights, if it is there."""
        path = None if self.weights is None else self.weights / published.url.rpartition("/")[2]
        return path if path is not None and path.is_file() else None


class UnavailableError(Exception):
    """A measure that cannot be taken here, and why. Others can."""


def check_channels(samples: PairedData, *readable: int) -> None:
    """Raises UnavailableError for targets of other numbers of channels than a network reads."""
    target = samples.target
    if isinstance(target, ImageSpec) and target.channels not in readable:
        numbers = " or ".join(map(str, readable))
        raise UnavailableError(f"its network reads pictures of {numbers} channels, the targets have {target.channels}")
