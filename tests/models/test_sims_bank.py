from __future__ import annotations

import copy
import hashlib
import pickle
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from tiny_bank import LABELS, LAYOUTS, NAMES, PHOTOS, tiny_bank, write_tiny_bank

from pixelwise.errors import InputError
from pixelwise.labels import LabelSpec
from pixelwise.models.memory import BankReference
from pixelwise.models.sims_bank import HEADER_KEY, Bank, BankHeader, compatibility, write_bank
from pixelwise.models.sims_segments import Segment, components, cut


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    return tiny_bank(tmp_path / "bank.safetensors")


def segments_of(picture: int) -> list[Segment]:
    return cut(LAYOUTS[picture], components(LAYOUTS[picture]))


def test_what_is_written_is_read(bank: Bank) -> None:
    assert bank.header == BankHeader(LABELS, 3, NAMES, "source", "terms")
    assert bank.classes.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    for picture, (labels, photo) in enumerate(zip(LAYOUTS, PHOTOS, strict=True)):
        for segment in segments_of(picture):
            colours, mask = bank.look(3 * segment.label + picture)
            np.testing.assert_array_equal(colours, photo[segment.place])
            np.testing.assert_array_equal(mask, labels[segment.place] == segment.label)


@pytest.mark.parametrize("picture", range(3))
def test_a_segment_that_is_in_the_bank_is_found(bank: Bank, picture: int) -> None:
    for segment in segments_of(picture):
        assert bank.nearest(segment).tolist() == [3 * segment.label + picture]


def test_only_segments_of_the_class_are_found_the_best_first(bank: Bank) -> None:
    _, block, _ = segments_of(0)
    found = bank.nearest(block, 20)
    assert sorted(found.tolist()) == [3, 4, 5]
    assert found[0] == 3
    assert not len(bank.nearest(replace(block, label=3)))


def test_a_picture_can_be_left_out(bank: Bank) -> None:
    _, block, _ = segments_of(0)
    assert sorted(bank.nearest(block, 20, not_from="first").tolist()) == [4, 5]
    assert len(bank.nearest(block, 20, not_from="unknown")) == 3


def test_compatibility_is_the_sum_of_two_intersections_over_union() -> None:
    block = segments_of(0)[1]
    shapes = np.stack([block.shape, np.zeros_like(block.shape), block.shape])
    contexts = np.stack([block.context, block.context + 1, block.context])
    contexts[2, :16] = 77
    np.testing.assert_allclose(compatibility(block, shapes, contexts), [2, 0, 1 + 512 / (2048 - 512)])


def test_copies_share_what_is_in_memory_and_other_processes_open_it_again(bank: Bank) -> None:
    assert copy.deepcopy(bank) is bank
    again = pickle.loads(pickle.dumps(bank))
    np.testing.assert_array_equal(again.look(4)[0], bank.look(4)[0])


def test_others_may_read_the_file(bank: Bank) -> None:
    usual = bank.path.parent / "usual"
    usual.touch()
    assert bank.path.stat().st_mode == usual.stat().st_mode


def test_a_reference_names_the_file_that_it_finds(bank: Bank, tmp_path: Path) -> None:
    reference = bank.reference()
    digest = hashlib.sha256(bank.path.read_bytes()).hexdigest()
    assert reference == BankReference("bank.safetensors", digest, 9, "terms")
    assert reference.find(tmp_path) == bank.path
    moved = bank.path.rename(tmp_path / "elsewhere.safetensors")
    assert reference.find(tmp_path, moved) == moved
    with pytest.raises(InputError, match=r"bank\.safetensors: no such file; expected .* of 9 segments"):
        reference.find(tmp_path)


def test_another_bank_is_not_taken(bank: Bank, tmp_path: Path) -> None:
    reference = bank.reference()
    write_bank(bank.path, replace(bank.header, names=NAMES[:1]), [(PHOTOS[0], LAYOUTS[0])])
    with pytest.raises(InputError, match=rf"bank\.safetensors: is not the memory bank .* expected {reference.sha256}"):
        reference.find(tmp_path)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.unlink(), "no such file; expected a memory bank"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "not a complete memory bank"),
        (lambda path: path.write_bytes(b""), "not a complete memory bank"),
        (lambda path: save_file(load_file(path), path), "no memory bank; `pixelwise memorise` makes one"),
        (lambda path: save_file(load_file(path), path, {HEADER_KEY: "{"}), "not the header of a memory bank"),
        (lambda path: save_file(load_file(path), path, {HEADER_KEY: "[]"}), "not the header of a memory bank"),
    ],
)
def test_files_that_are_no_banks_are_named(bank: Bank, spoil: object, message: str) -> None:
    spoil(bank.path)  # type: ignore[operator]
    with pytest.raises(InputError, match=f"^{re.escape(str(bank.path))}: {message}"):
        Bank(bank.path)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("boxes", np.zeros((9, 3), np.int32), r"boxes are int32 \(9, 3\), expected int32 \(9, 4\)"),
        ("contexts", np.zeros((9, 32, 32), np.int8), "contexts are int8"),
        ("classes", np.arange(9, dtype=np.uint8)[::-1].copy(), "not in the order of their classes"),
    ],
)
def test_arrays_that_do_not_fit_are_named(bank: Bank, name: str, array: np.ndarray, message: str) -> None:
    header = bank._file.metadata()
    save_file(load_file(bank.path) | {name: array}, bank.path, header)
    with pytest.raises(InputError, match=message):
        Bank(bank.path)


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    header = BankHeader(LABELS, 3, NAMES)
    with pytest.raises(InputError, match=r"ends in \.safetensors"):
        write_bank(tmp_path / "bank.npz", header, [])
    with pytest.raises(InputError, match="no segment of at least 16 pixels"):
        write_bank(tmp_path / "bank.safetensors", header, [(PHOTOS[0][:3, :3], LAYOUTS[0][:3, :3])])
    with pytest.raises(InputError, match="tells 255 classes apart, the labels have 256"):
        write_tiny_bank(tmp_path / "bank.safetensors", LabelSpec(tuple(map(str, range(256)))))
    assert not list(tmp_path.iterdir())
