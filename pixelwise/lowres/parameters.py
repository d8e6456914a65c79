"""The last layer of ASAP-Net's low-resolution stream: a 1 x 1 convolution from features to the MLPs' parameters.

It makes only what will be read: the parameters of labels that are in the picture, for the cells that are in view.
"""

from __future__ import annotations

import ctypes
import math

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelwise.errors import InputError
from pixelwise.lowres.packed_linear import PackedLinear
from pixelwise.lowres.spare_memory import SpareMemory
from pixelwise.native import library

SIDE = 16
"""Cells in a group: as in native/kernels/product.h."""

PANEL = 32
"""Parameters that the kernel makes together: as there."""

_TORCH_PANEL = 256
"""Parameters that torch makes at a time: fewer would take longer, of more the unneeded ones were seldom left out."""


class _ParameterJob(ctypes.Structure):
    _fields_ = [
        ("work", library.Work),
        *[(name, ctypes.c_void_p) for name in ("cells", "weights", "bias", "needed", "out")],
        *[(name, ctypes.c_int64) for name in ("num_cells", "inputs", "parameters")],
    ]


class ParameterLayer:
    """``scale * (weight x + bias)`` for every cell.

    Args:
        weight: P C 1 1: compiled, float32 on the CPU; by torch of any type and on any device.
        bias: P, of the same.
        scale: P, or anything that can be viewed as P; None for 1.
        native: by the compiled kernels, which need ``library.missing() is None``; otherwise by torch.
        memory: where parameters on the CPU lie; None for one of its own.
        instruction_set: one of ``library.instruction_sets()``; None for the fastest.
    """

    def __init__(
        self,
        weight: Tensor,
        bias: Tensor,
        scale: Tensor | None = None,
        native: bool = True,
        memory: SpareMemory | None = None,
        instruction_set: str | None = None,
    ) -> None:
        self.num_parameters, self.num_channels = weight.shape[:2]
        weight = weight.detach().view(self.num_parameters, self.num_channels)
        scale = weight.new_ones(self.num_parameters) if scale is None else scale.detach().flatten()
        bias = bias.detach() * scale
        self._kind = bias.dtype, bias.device
        arguments = (weight, bias, scale, memory or SpareMemory())
        self._multiply = _CompiledProduct(*arguments, instruction_set) if native else _TorchProduct(*arguments)

    def __call__(
        self, x: Tensor, needed: Tensor | None = None, cells: tuple[int, int, int, int] | None = None
    ) -> Tensor:
        """Parameters B P height width, whose memory is B height width P, without gradients.

        Args:
            x: features, B C h w, of the weights' type and on their device.
            needed: bool P, on the CPU; the other parameters are 0. None for all.
            cells: (top, left, height, width) of those wanted; None for all.

        Raises:
            InputError: ``x``, ``needed`` or ``cells`` does not fit.
        """
        dtype, device = self._kind
        if x.shape[1] != self.num_channels or x.dtype != dtype or x.device != device:
            found = f"{x.shape[1]} of {x.dtype} on {x.device}"
            raise InputError(f"parameters are made of {self.num_channels} {dtype} channels on {device}, got {found}")
        if needed is not None and (needed.shape != (self.num_parameters,) or needed.dtype != torch.bool):
            raise InputError(
                f"needed must hold {self.num_parameters} booleans, got {tuple(needed.shape)} {needed.dtype}"
            )
        features = _cut(x.detach(), cells).permute(0, 2, 3, 1)
        return self._multiply(features, needed).permute(0, 3, 1, 2)


class _TorchProduct:
    """The parameters B h w P of features B h w C by torch, panel by panel: those without a needed one are left out.

    Args:
        weight: P C.
        bias, scale: P, the bias scaled already.
    """

    def __init__(self, weight: Tensor, bias: Tensor, scale: Tensor, memory: SpareMemory) -> None:
        # What a panel would spare another device is not worth its launches.
        self._panel = _TORCH_PANEL if weight.device.type == "cpu" else len(weight)
        panels = zip(weight.split(self._panel), bias.split(self._panel), scale.split(self._panel), strict=True)
        self._panels = [PackedLinear(rows * factors[:, None], biases) for rows, biases, factors in panels]
        self._num_parameters, self._memory = len(weight), memory

    def __call__(self, features: Tensor, needed: Tensor | None) -> Tensor:
        features = features.contiguous()
        needed = torch.ones(self._num_parameters, dtype=torch.bool) if needed is None else needed
        if len(self._panels) == 1:
            return _without(self._panels[0](features), needed)
        out = self._memory.tensor(*features.shape[:3], self._num_parameters, dtype=features.dtype)
        parts = (out.split(self._panel, dim=-1), needed.split(self._panel))
        for panel, made, among in zip(self._panels, *parts, strict=True):
            if among.any():
                _without(made.copy_(panel(features)), among)
            else:
                made.zero_()
        return out


def _without(parameters: Tensor, needed: Tensor) -> Tensor:
    """Parameters … P of which those that are not needed, P, become 0."""
    return parameters if needed.all() else parameters.masked_fill_(~needed.to(parameters.device), 0)


class _CompiledProduct:
    """What ``_TorchProduct`` makes, by the compiled kernel."""

    def __init__(
        self, weight: Tensor, bias: Tensor, scale: Tensor, memory: SpareMemory, instruction_set: str | None
    ) -> None:
        self._num_parameters, self._num_channels = weight.shape
        self._weight = _pack(weight, scale)
        self._bias = F.pad(bias, (0, -len(bias) % PANEL))
        self._kernel, self._memory = library.kernel("parameters", instruction_set), memory

    def __call__(self, features: Tensor, needed: Tensor | None) -> Tensor:
        shape = (*features.shape[:3], self._num_parameters)
        num_values = math.prod(shape)
        # With slack, so that the renderer can read it as it is.
        out = self._memory.tensor(num_values + library.SLACK)[:num_values].view(shape)
        groups, mask = _group(features.reshape(-1, self._num_channels)), self._mask(needed)
        pointers = [tensor.data_ptr() for tensor in (groups, self._weight, self._bias, mask, out)]
        sizes = (out[..., 0].numel(), self._num_channels, self._num_parameters)
        num_items = len(self._weight) if len(groups) else 0
        library.run(self._kernel, _ParameterJob(library.Work(0, num_items), *pointers, *sizes))
        return out

    def _mask(self, needed: Tensor | None) -> Tensor:
        """-1 for what is needed, otherwise 0: int32, of whole panels."""
        if needed is None:
            return torch.full((len(self._bias),), -1, dtype=torch.int32)
        return F.pad(-needed.int(), (0, len(self._bias) - len(needed)))


def _cut(x: Tensor, cells: tuple[int, int, int, int] | None) -> Tensor:
    if cells is None:
        return x
    top, left, height, width = cells
    if min(top, left) < 0 or min(height, width) < 1 or top + height > x.shape[2] or left + width > x.shape[3]:
        raise InputError(f"cells (top, left, height, width) = {cells} are not in a grid of {tuple(x.shape[2:])}")
    return x[:, :, top : top + height, left : left + width]


def _pack(weight: Tensor, scale: Tensor) -> Tensor:
    """P C to panels C 32, scaled; P padded with zeros. No other copy is made."""
    parameters, channels = weight.shape
    whole = parameters // PANEL
    packed = weight.new_zeros(math.ceil(parameters / PANEL), channels, PANEL)
    packed[:whole] = weight[: whole * PANEL].view(whole, PANEL, channels).transpose(1, 2)
    packed[whole:, :, : parameters % PANEL] = weight[whole * PANEL :].t()
    packed *= F.pad(scale, (0, -parameters % PANEL)).view(-1, 1, PANEL)
    return packed


def _group(features: Tensor) -> Tensor:
    """cells C to groups C 16, the last group filled up with zeros."""
    if len(features) % SIDE:  # torch would copy them for no row, too
        features = F.pad(features, (0, 0, 0, -len(features) % SIDE))
    return features.view(-1, SIDE, features.shape[1]).transpose(1, 2).contiguous()
