"""Protocols for data that none is named after: which ones suit a folder, and one made for it."""

from __future__ import annotations

from pathlib import Path

from pixelwise.checkpoint import Manifest
from pixelwise.data.paired_data import PairedData
from pixelwise.data.paired_folder import paired_folder
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
        InputError: there are neither, or several protocols suit; they are named.
    """
    if not root.is_dir():
        raise InputError(f"{root}: no such folder")
    suiting = [protocol.name for protocol in PROTOCOLS.values() if _suits(protocol, root, manifest)]
    if len(suiting) > 1:
        raise InputError(f"{root}: several protocols suit, give one of {', '.join(suiting)}")
    return PROTOCOLS[suiting[0]] if suiting else own_protocol(root, split)


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


def _suits(protocol: Protocol, root: Path, manifest: Manifest | None) -> bool:
    if not protocol.names_digest and not protocol.data.resembles(root):
        return False
    try:
        samples = protocol.open(root)
    except InputError:
        return False
    return manifest is None or misfit(manifest, samples) is None


def _measures_of(samples: PairedData) -> tuple[str, ...]:
    target = samples.target
    if isinstance(target, LabelSpec):
        return LABELS
    if target.unit:
        return tuple(DEPTH_METRICS)
    return (*(PICTURES if samples.spec.labels is None else PHOTOS_OF_LABELS), "ms_ssim")
