"""Published weights are read as plain tensors, or refused with the reason; nothing that a file contains is run."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from pixelwise.errors import InputError
from pixelwise.state_dict import read_state_dict, unwrapped


def test_an_npz_with_pickled_objects_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "objects.npz"
    np.savez(source, weight=np.array([{"a": 1}], dtype=object))
    with pytest.raises(InputError, match=r"objects\.npz: not a readable \.npz of plain arrays"):
        read_state_dict(source)


@pytest.mark.parametrize("suffix", [".pth", ".npz"])
@pytest.mark.parametrize("content", [b"", b"not weights at all", b"PK\x03\x04 truncated"])
def test_damaged_files_are_refused(tmp_path: Path, suffix: str, content: bytes) -> None:
    source = tmp_path / f"damaged{suffix}"
    source.write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        read_state_dict(source)


def test_a_truncated_pth_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "cut.pth"
    torch.save({"weight": torch.arange(1000.0)}, source)
    source.write_bytes(source.read_bytes()[:-1000])
    with pytest.raises(InputError, match=r"cut\.pth"):
        read_state_dict(source)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_a_pth_that_is_cut_or_scratched_anywhere_is_refused_or_read(tmp_path: Path) -> None:
    source, random = tmp_path / "damaged.pth", np.random.default_rng(0)
    torch.save({"weight": torch.arange(9.0)}, source, _use_new_zipfile_serialization=False)
    content = np.frombuffer(source.read_bytes(), np.uint8)
    for end in range(len(content) - 1):
        source.write_bytes(content[:end].tobytes())
        with pytest.raises(InputError, match=r"damaged\.pth: "):
            read_state_dict(source)
    for place, value in zip(random.permutation(len(content)), random.integers(0, 256, len(content)), strict=True):
        scratched = content.copy()
        scratched[place] = value
        source.write_bytes(scratched.tobytes())
        with contextlib.suppress(InputError):
            read_state_dict(source)


def test_a_scratched_npz_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "damaged.npz"
    np.savez_compressed(source, weight=np.random.default_rng(0).random((30, 30)))
    content = bytearray(source.read_bytes())
    content[200:300] = bytes(100)
    source.write_bytes(content)
    with pytest.raises(InputError, match=r"damaged\.npz: not a readable \.npz"):
        read_state_dict(source)


def test_what_is_no_state_dict_is_refused(tmp_path: Path) -> None:
    nested, number = tmp_path / "nested.pth", tmp_path / "number.pth"
    torch.save({"epoch": 3, "state_dict": {}}, nested)
    torch.save(7, number)
    numbered, empty = tmp_path / "numbered.pth", tmp_path / "empty.pth"
    torch.save({0: torch.zeros(3)}, numbered)
    torch.save({"weight": torch.zeros(3, device="meta")}, empty)
    with pytest.raises(InputError, match=r"holds 0 \(Tensor\)"):
        read_state_dict(numbered)
    with pytest.raises(InputError, match=r"holds weight \(Tensor\)"):
        read_state_dict(empty)
    with pytest.raises(InputError, match=r"epoch \(int\), state_dict \(dict\)"):
        read_state_dict(nested)
    with pytest.raises(InputError, match="not a state dict but a int"):
        read_state_dict(number)
    with pytest.raises(InputError, match=r"expected one of \.pth, \.pt, \.npz"):
        read_state_dict(tmp_path / "weights.bin")
    with pytest.raises(InputError, match="no such file"):
        read_state_dict(tmp_path / "weights.pth")


@pytest.mark.parametrize("strange", [
    torch.zeros(3, device="meta"),
    torch.zeros(3).to_sparse(),
    torch.zeros(3, dtype=torch.complex64),
], ids=["promised", "sparse", "complex"])  # fmt: skip
def test_only_plain_real_tensors_are_weights(tmp_path: Path, strange: Tensor) -> None:
    torch.save({"fine": torch.zeros(3), "strange": strange}, tmp_path / "net.pth")
    with pytest.raises(InputError, match=r"net\.pth: not a state dict of tensors; it holds strange \(Tensor\)$"):
        read_state_dict(tmp_path / "net.pth")


def test_a_wrapper_is_taken_off_all_names_or_none() -> None:
    wrapped, plain = {"module.a": torch.zeros(1), "module.b": torch.zeros(2)}, {"c": torch.zeros(1)}
    assert list(unwrapped(wrapped)) == ["a", "b"]
    assert unwrapped(wrapped | plain) == wrapped | plain
