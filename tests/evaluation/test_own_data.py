"""Which protocol suits a folder, and that other processes can be given it."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_model import LABEL_MODEL, LABELS

from pixelwise.checkpoint import manifest_for, read_manifest, resolve
from pixelwise.data.paired_folder import FolderSpec, PairedFolder
from pixelwise.data.stored_set import StoredSet
from pixelwise.errors import InputError
from pixelwise.evaluation import Setting, protocol_for
from pixelwise.evaluation.own_data import own_protocol
from pixelwise.evaluation.protocols import PROTOCOLS
from pixelwise.images import ImageSpec
from pixelwise.models.asapnet import AsapNetConfig


def test_protocols_are_found_by_the_data(pairs: Path, tmp_path: Path) -> None:
    manifest = manifest_for(AsapNetConfig(num_labels=4, out_channels=3), LABEL_MODEL)
    own = protocol_for(pairs, manifest)
    assert own.name.startswith("own-val-")
    assert own.text.startswith("4 pairs of pairs, as they are")
    (pairs / "val" / "image" / "3.png").unlink()
    (pairs / "val" / "label" / "3.png").unlink()
    assert protocol_for(pairs, manifest).name != own.name
    with pytest.raises(InputError, match="nowhere"):
        protocol_for(tmp_path / "nowhere", manifest)


def test_why_no_protocol_of_known_data_suits_is_said(pairs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = StoredSet(lambda root, split: FolderSpec(labels=LABELS).layout(root, split), PairedFolder)
    own = own_protocol(pairs, "val")
    known = {name: replace(own, name=name, data=data) for name in ("known-v1", "known-8x8-v1")}
    monkeypatch.setattr("pixelwise.evaluation.own_data.PROTOCOLS", known)
    manifest = manifest_for(AsapNetConfig(num_labels=4, out_channels=1), LABEL_MODEL, target=ImageSpec(1))
    assert protocol_for(pairs, manifest) == own, "pairs that say what they are may be evaluated as such"
    (pairs / "spec.json").unlink()
    reason = "known-v1, known-8x8-v1: channels of the output: the model has 1, the samples have 3$"
    with pytest.raises(InputError, match=f"pairs: no protocol of these data suits the model: {reason}"):
        protocol_for(pairs, manifest)


@pytest.mark.skipif(not (Path(__file__).parents[2] / "../shared/data").is_dir(), reason="research data are not shipped")
def test_published_data_are_recognised() -> None:
    shared = Path(__file__).parents[2] / "../shared/data"
    facades, street = (read_manifest(resolve(name)) for name in ("facades", "street"))
    assert protocol_for(shared / "facades_mini", facades).name == "facades-mini-val-v1"
    several = "several protocols suit, give one of camvid-val-v1, camvid-val-240x320-v1, camvid-val-128x160-v1$"
    with pytest.raises(InputError, match=several):
        protocol_for(shared / "camvid", street)


def test_processes_can_be_given_every_protocol(pairs: Path) -> None:
    for protocol in (*PROTOCOLS.values(), own_protocol(pairs, "val")):
        setting = Setting(protocol, pairs)
        assert pickle.loads(pickle.dumps(setting)).protocol.name == protocol.name
