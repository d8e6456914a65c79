"""What the generators of some families read besides their weights: a memory bank, a file of its own that lies beside
their checkpoint and is named in its manifest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from pixelwise.condition import PairedSample
from pixelwise.digest import sha256_of
from pixelwise.errors import InputError


@dataclass(frozen=True)
class BankReference:
    """Which memory bank a model goes with.

    Attributes:
        file: its name, without a folder.
        sha256: of the whole file, in hexadecimal digits.
        num_segments: how much is in it.
        licence: terms of the pictures in it.
    """

    file: str
    sha256: str
    num_segments: int
    licence: str = ""

    @classmethod
    def of(cls, path: Path, num_segments: int, licence: str) -> BankReference:
        """Of a file, which is read for it."""
        return cls(path.name, sha256_of(path), num_segments, licence)

    def find(self, folder: Path, told: Path | None = None) -> Path:
        """Where the bank lies: where it is ``told`` to be, else in ``folder``.

        The whole file is read, about a second for each gigabyte: of another bank a model makes other pictures.

        Raises:
            InputError: no such file, or not the one that was named.
        """
        path = folder / self.file if told is None else told
        if not path.is_file():
            raise InputError(
                f"{path}: no such file; expected the model's memory bank, of {self.num_segments} segments: put it "
                "there, or say where it is"
            )
        if (found := sha256_of(path)) != self.sha256:
            raise InputError(
                f"{path}: is not the memory bank that the model was made with (its SHA-256 is {found}, expected "
                f"{self.sha256})"
            )
        return path


@dataclass(frozen=True)
class Memory:
    """How a family comes by its memory bank, and what it does with it.

    Attributes:
        open: a bank's file as a bank. Raises InputError when it is none.
        give: (generator, bank): lets the generator draw from it. Raises InputError when it does not suit.
        refer: what a manifest says of a bank.
        rehearse: (configuration, bank, sample, random numbers): the sample, B pairs, as the generator learns from it.
    """

    open: Callable[[Path], Any]
    give: Callable[[Any, Any], None]
    refer: Callable[[Any], BankReference]
    rehearse: Callable[[Any, Any, PairedSample, torch.Generator], PairedSample]
