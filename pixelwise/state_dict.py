"""Tensors by name: read from published files without running anything that they contain, and held against a network."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from pixelwise.errors import InputError

NPZ_PREFIX = "sd/"
WRAPPER = "module."

_SHOWN = 3
"""Names of each fault."""

Stored = TypeVar("Stored", bound=Tensor | np.ndarray)

InFile = Callable[[str, Tensor], Mapping[str, Tensor]]
"""From a network's tensor, its name and itself, to what it is in a file: one or several, of other names and shapes."""


def as_it_is(name: str, tensor: Tensor) -> Mapping[str, Tensor]:
    """In files of ours."""
    return {name: tensor}


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """A state dict from a file, as tensors by name.

    Args:
        path: ``.pth`` or ``.pt`` as torch saves it; or ``.npz``, whose names may stand behind ``sd/`` among others.

    Raises:
        InputError: no such file, another suffix, a damaged file, a pickle that would run code, or no state dict of
            plain tensors in it.
    """
    readers = {".pth": _read_pth, ".pt": _read_pth, ".npz": _read_npz}
    if path.suffix not in readers:
        raise InputError(f"{path}: expected one of {', '.join(readers)}, got {path.suffix or 'no suffix'}")
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    tensors = readers[path.suffix](path)
    strange = [
        f"{name} ({type(value).__name__})"
        for name, value in tensors.items()
        if not isinstance(name, str) or not isinstance(value, Tensor) or not _is_plain(value)
    ]
    if strange or not tensors:
        raise InputError(f"{path}: not a state dict of tensors; it holds {', '.join(strange[:5]) or 'nothing'}")
    return tensors


def unwrapped(state_dict: Mapping[str, Stored]) -> dict[str, Stored]:
    """The same, without the prefix ``module.`` if all names bear it.

    It is that of ``nn.DataParallel`` and ``DistributedDataParallel``, whose state dicts were saved with the wrapper.
    """
    wrapped = all(name.startswith(WRAPPER) for name in state_dict)
    return {name.removeprefix(WRAPPER) if wrapped else name: value for name, value in state_dict.items()}


def load_strictly(module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Loads a state dict that must fit exactly. Raises InputError with the first names and shapes that do not."""
    check_fits(module, tensors)
    module.load_state_dict(dict(tensors))


def check_fits(module: nn.Module, tensors: Mapping[str, Tensor], in_file: InFile = as_it_is) -> None:
    """Raises InputError with the first names and shapes of a state dict that do not fit, and how many there are.

    Args:
        module: what they are for, perhaps on meta.
        tensors: by its names.
        in_file: how they are called where they come from: so they are told.
    """
    wanted = module.state_dict()
    common = [name for name in wanted if name in tensors]
    misshapen = [name for name in common if wanted[name].shape != tensors[name].shape]
    whole = [name for name in common if wanted[name].is_floating_point() > tensors[name].is_floating_point()]

    def told(owner: Mapping[str, Tensor], names: Iterable[str]) -> list[tuple[str, tuple[int, ...]]]:
        stored = (item for name in names for item in in_file(name, owner[name]).items())
        return [(name, tuple(tensor.shape)) for name, tensor in stored]

    def told_apart(name: str) -> list[str]:
        # Of a tensor that is several in the file, one side may have more of them.
        pairs = zip(told(tensors, [name]), told(wanted, [name]), strict=False)
        return [f"{stored} {shape} for {expected}" for (stored, shape), (_, expected) in pairs]

    faults = {
        "missing": [
            f"{name} {shape}" for name, shape in told(wanted, (name for name in wanted if name not in tensors))
        ],
        "unexpected": [
            f"{name} {shape}" for name, shape in told(tensors, (name for name in tensors if name not in wanted))
        ],
        "of another shape": [text for name in misshapen for text in told_apart(name)],
        "of whole numbers": [name for name, _ in told(tensors, whole)],
    }
    if any(faults.values()):
        raise InputError(f"the weights do not fit the configuration: {_counted(faults)}")


def _counted(faults: Mapping[str, list[str]]) -> str:
    shown = {fault: f"{', '.join(names[:_SHOWN])}{' …' * (len(names) > _SHOWN)}" for fault, names in faults.items()}
    return "; ".join(f"{len(names)} {fault} ({shown[fault]})" for fault, names in faults.items() if names)


def _read_pth(path: Path) -> dict[str, Any]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        reason = next((line.strip() for line in str(error).splitlines() if "GLOBAL" in line), "not plain weights")
        raise InputError(f"{path}: refused, reading it could run code that it contains ({reason})") from error
    except Exception as error:  # on damaged files torch raises anything from KeyError to struct.error
        raise InputError(f"{path}: damaged, or not a file that torch saved: {_reason(error)}") from error
    if not isinstance(content, Mapping):
        raise InputError(f"{path}: not a state dict but a {type(content).__name__}")
    return dict(content)


def _read_npz(path: Path) -> dict[str, Any]:
    try:
        with np.load(path, allow_pickle=False) as file:
            prefix = NPZ_PREFIX if any(name.startswith(NPZ_PREFIX) for name in file.files) else ""
            return {
                name.removeprefix(prefix): torch.from_numpy(file[name])
                for name in file.files
                if name.startswith(prefix)
            }
    except Exception as error:  # on damaged files NumPy raises anything from zlib.error to TokenError
        raise InputError(f"{path}: not a readable .npz of plain arrays: {_reason(error)}") from error


def _is_plain(tensor: Tensor) -> bool:
    """Whether it holds real numbers one by one: neither promised, sparse, quantised nor complex."""
    return not (tensor.is_meta or tensor.is_quantized or tensor.is_complex()) and tensor.layout is torch.strided


def _reason(error: Exception) -> str:
    first_line = str(error).partition("\n")[0]
    return f"{first_line} ({type(error).__name__})"
