"""Protocols for data that none is named after: which ones suit a folder, and one made for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from pixelwise.checkpoint import Manifest
from pixelwise.data.paired_data import PairedData
from pixelwise.data.paired_folder import SPEC_FILE, paired_folder
from pixelwise.errors import InputError
from pixelwise.evaluation.examination import misfit
from pixelwise.evaluation.protocol import Protocol, digest
from pixelwise.evaluation.protocols import LABELS, PHOTOS_OF_LABELS, PICTURES, PROTOCOLS
from pixelwise.labels import LabelSpec
from pixelwise.metrics import DEPTH_METRICS


def protocol_for(root: Path, manifest: Manifest | None, split: str = "val") -> Protocol:
    """The protocol whose data lie in a folder; for pairs of one's own, one that is named after them.

    Args:
        root: the folder.
        manifest: of a model that is to be measured; None if there is none.
        split: of pairs of one's own, what is measured on.

    Raises:
        InputError: there are neither; several protocols suit, they are named; or none suits the model, and why.
    """
    if not root.is_dir():
        raise InputError(f"{root}: no such folder")
    reasons = dict(_misfits(root, manifest))
    suiting = [name for name, reason in reasons.items() if reason is None]
    if len(suiting) > 1:
        raise InputError(f"{root}: several protocols suit, give one of {', '.join(suiting)}")
    if suiting:
        return PROTOCOLS[suiting[0]]
    if reasons and not (root / SPEC_FILE).exists():
        raise InputError(f"{root}: no protocol of these data suits the model: {_told(reasons)}")
    return own_protocol(root, split)


def own_protocol(root: Path, split: str) -> Protocol:
    """A protocol for a ``paired_folder``, with its name from the samples' names: other samples are another protocol.

    Raises InputError unless there are such pairs.
    """
    samples = paired_folder(root, split)
    names_digest = digest(samples.names)
    return Protocol(
        name=f"own-{split or 'all'}-{names_digest[:8]}-v1",
        data=paired_folder,
        split=split,
        names_digest=names_digest,
        measures=_measures_of(samples),
        rounded=True,
        text=f"{len(samples)} pairs of {root.name}, as they are; results clipped and rounded as in a file",
    )


def _misfits(root: Path, manifest: Manifest | None) -> Iterator[tuple[str, str | None]]:
    """Protocols whose data these are, by name, each with the reason why the model does not suit it; None if it does."""
    for name, protocol in PROTOCOLS.items():
        if not protocol.names_digest and not protocol.data.resembles(root):
            continue
        try:
            samples = protocol.open(root)
        except InputError:
            continue
        yield name, None if manifest is None else misfit(manifest, samples)


def _told(reasons: Mapping[str, str | None]) -> str:
    """Each reason once, behind the protocols that it is of."""
    protocols = defaultdict(list)
    for name, reason in reasons.items():
        protocols[reason].append(name)
    return "; ".join(f"{', '.join(names)}: {reason}" for reason, names in protocols.items())


def _measures_of(samples: PairedData) -> tuple[str, ...]:
    target = samples.target
    if isinstance(target, LabelSpec):
        return LABELS
    if target.unit:
        return tuple(DEPTH_METRICS)
    return (*(PICTURES if samples.spec.labels is None else PHOTOS_OF_LABELS), "ms_ssim")
