"""Weights that others publish: where their file is, whether it is the right one, and what it holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from pixelwise.digest import sha256_of
from pixelwise.errors import InputError
from pixelwise.state_dict import read_state_dict

Network = TypeVar("Network", bound=nn.Module)

_COUNTER = "num_batches_tracked"
"""Steps of training that a batch norm has seen. Old files have none, and torch fills them in; nothing reads them."""


class MissingWeightsError(InputError):
    """Published weights are not on this machine, and nobody said where they are. What needs them can be left out."""


@dataclass(frozen=True)
class PublishedWeights:
    """A file of weights that others publish, as ``torch.save`` writes a state dict.

    Attributes:
        name: whose they are, as messages say it.
        url: where the file is published.
        sha256: the digits that the file's SHA-256 must begin with; often they are part of its name.
        cached_as: the file's name in torch's cache; as in the URL if empty.
    """

    name: str
    url: str
    sha256: str
    cached_as: str = ""

    def find(self, path: Path | None = None, download: bool = False) -> Path:
        """The file, verified.

        Args:
            path: where it is. None: in torch's cache of published weights.
            download: whether to fetch it when ``path`` is None and the cache has none.

        Raises:
            MissingWeightsError: no path was given, and the file is neither in the cache nor to be had.
            InputError: no file at ``path``, or one with another SHA-256.
        """
        if path is None:
            path = self._cached(download)
        elif not path.is_file():
            raise InputError(f"{path}: no such file; expected {self.name}'s weights ({self.url})")
        found = sha256_of(path)
        if not found.startswith(self.sha256):
            raise InputError(f"{path}: SHA-256 is {found}, expected one that begins with {self.sha256} ({self.url})")
        return path

    def read(self, path: Path | None = None, download: bool = False) -> dict[str, Tensor]:
        """The state dict, on the CPU.

        Raises:
            MissingWeightsError, InputError: as ``find``; also a file that holds no state dict.
        """
        return self._state_dict(self.find(path, download))

    def load(
        self,
        build: Callable[[], Network],
        path: Path | None = None,
        download: bool = False,
        published_name: Callable[[str], str] = str,
    ) -> Network:
        """A network with these weights, on the CPU; those of layers that it doesn't have are left out.

        Args:
            build: makes the network, once the file is known to be there.
            path, download: see ``find``.
            published_name: from a name in the network to that in the file; the same if not given.

        Raises:
            MissingWeightsError, InputError: as ``read``; also weights that lack, or are of other shapes.
        """
        file = self.find(path, download)
        weights = self._state_dict(file)
        network = build()
        names = [name for name in network.state_dict() if not name.endswith(_COUNTER)]
        try:
            network.load_state_dict({name: weights[published_name(name)] for name in names})
        except (LookupError, RuntimeError) as error:
            raise self._unfit(file, error) from error
        return network

    def _state_dict(self, file: Path) -> dict[str, Tensor]:
        try:
            return read_state_dict(file)
        except InputError as error:
            raise self._unfit(file, str(error).removeprefix(f"{file}: ")) from error

    def _unfit(self, file: Path, reason: object) -> InputError:
        return InputError(f"{file}: not {self.name}'s weights as they are published ({reason})")

    def _cached(self, download: bool) -> Path:
        path = Path(torch.hub.get_dir()) / "checkpoints" / (self.cached_as or self.url.rpartition("/")[2])
        if path.is_file():
            return path
        if not download:
            raise MissingWeightsError(f"no {self.name} weights at hand; give the file, or download {self.url}")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            # It writes beside, checks the digits of the SHA-256, and renames.
            torch.hub.download_url_to_file(self.url, str(path), hash_prefix=self.sha256)
        except (OSError, RuntimeError) as error:
            raise MissingWeightsError(f"{self.url}: {self.name}'s weights could not be downloaded ({error})") from error
        return path
