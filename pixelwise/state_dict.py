"""Published weights from a file: tensors by name, read without running anything that the file contains."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pixelwise.errors import InputError

NPZ_PREFIX = "sd/"


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
