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
from pixelwise.native import library

SIDE = 16
"""Cells in a group, parameters in a panel: as in native/kernels/product.h."""


class _ParameterJob(ctypes.Structure):
    _fields_ = [
        ("work", library.Work),
        *[(name, ctypes.c_void_p) for name in ("cells", "weights", "bias", "panels", "out")],
        *[(name, ctypes.c_int64) for name in ("num_cells", "inputs", "parameters")],
    ]


class ParameterLayer:
    """``scale * (weight x + bias)`` for every cell.

    Args:
        weight: P C 1 1: compiled, float32 on the CPU; by torch of any type and on any device.
        bias: P, of the same.
        scale: P, or anything that can be viewed as P; None for 1.
        native: by the compiled kernels, which need ``library.missing() is None``; otherwise by torch.
        instruction_set: one of ``library.instruction_sets()``; None for the fastest.
    """

    def __init__(
        self,
        weight: Tensor,
        bias: Tensor,
        scale: Tensor | None = None,
        native: bool = True,
        instruction_set: str | None = None,
    ) -> None:
        self.num_parameters, self.num_channels = weight.shape[:2]
        weight = weight.detach().view(self.num_parameters, self.num_channels)
        scale = weight.new_ones(self.num_parameters) if scale is None else scale.detach().flatten()
        bias = bias.detach() * scale
        self._weight = _pack(weight, scale) if native else weight * scale[:, None]
        self._bias = F.pad(bias, (0, -len(bias) % SIDE)) if native else bias
        self._kernel = library.kernel("parameters", instruction_set) if native else None

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
        dtype, device = self._bias.dtype, self._bias.device
        if x.shape[1] != self.num_channels or x.dtype != dtype or x.device != device:
            found = f"{x.shape[1]} of {x.dtype} on {x.device}"
            raise InputError(f"parameters are made of {self.num_channels} {dtype} channels on {device}, got {found}")
        if needed is not None and (needed.shape != (self.num_parameters,) or needed.dtype != torch.bool):
            raise InputError(
                f"needed must hold {self.num_parameters} booleans, got {tuple(needed.shape)} {needed.dtype}"
            )
        features = _cut(x.detach(), cells).permute(0, 2, 3, 1)
        out = self._multiply(features, needed) if self._kernel else self._by_torch(features, needed)
        return out.permute(0, 3, 1, 2)

    def _by_torch(self, features: Tensor, needed: Tensor | None) -> Tensor:
        if needed is None:
            return F.linear(features, self._weight, self._bias)
        out = features.new_zeros(*features.shape[:3], self.num_parameters)
        cells, rows = features.reshape(-1, self.num_channels), out.view(-1, self.num_parameters)
        # Run by run, where they lie: to gather the weights would take longer than the product.
        for first, last in _runs(needed):
            torch.addmm(self._bias[first:last], cells, self._weight[first:last].t(), out=rows[:, first:last])
        return out

    def _multiply(self, features: Tensor, needed: Tensor | None) -> Tensor:
        make = features.new_empty if needed is None else features.new_zeros
        num_values = features[..., 0].numel() * self.num_parameters
        # With slack, so that the renderer can read it as it is.
        out = make(num_values + library.SLACK)[:num_values].view(*features.shape[:3], self.num_parameters)
        groups = _group(features.reshape(-1, self.num_channels))
        panels = _panels(needed, len(self._weight))
        tensors = (groups, self._weight, self._bias, panels, out)
        pointers = [tensor.data_ptr() for tensor in tensors]
        sizes = (out[..., 0].numel(), self.num_channels, self.num_parameters)
        job = _ParameterJob(library.Work(0, len(panels)), *pointers, *sizes)
        assert self._kernel is not None
        library.run(self._kernel, job)
        if needed is not None:
            out[..., _unneeded_neighbours(needed)] = 0
        return out


def _cut(x: Tensor, cells: tuple[int, int, int, int] | None) -> Tensor:
    if cells is None:
        return x
    top, left, height, width = cells
    if min(top, left) < 0 or min(height, width) < 1 or top + height > x.shape[2] or left + width > x.shape[3]:
        raise InputError(f"cells (top, left, height, width) = {cells} are not in a grid of {tuple(x.shape[2:])}")
    return x[:, :, top : top + height, left : left + width]


def _pack(weight: Tensor, scale: Tensor) -> Tensor:
    """P C to panels C 16, scaled; P padded with zeros. No other copy is made."""
    parameters, channels = weight.shape
    whole = parameters // SIDE
    packed = weight.new_zeros(math.ceil(parameters / SIDE), channels, SIDE)
    packed[:whole] = weight[: whole * SIDE].view(whole, SIDE, channels).transpose(1, 2)
    packed[whole:, :, : parameters % SIDE] = weight[whole * SIDE :].t()
    packed *= F.pad(scale, (0, -parameters % SIDE)).view(-1, 1, SIDE)
    return packed


def _group(features: Tensor) -> Tensor:
    """cells C to groups C 16, the last group filled up with zeros."""
    features = F.pad(features, (0, 0, 0, -len(features) % SIDE))
    return features.view(-1, SIDE, features.shape[1]).transpose(1, 2).contiguous()


def _runs(needed: Tensor) -> list[tuple[int, int]]:
    """The first parameter, and the one after the last, of each run of needed ones."""
    changes = F.pad(needed.int(), (1, 1)).diff()
    firsts, lasts = ((changes == sign).nonzero().flatten().tolist() for sign in (1, -1))
    return list(zip(firsts, lasts, strict=True))


def _panels(needed: Tensor | None, num_panels: int) -> Tensor:
    """The panels that hold any needed parameter, int32."""
    if needed is None:
        return torch.arange(num_panels, dtype=torch.int32)
    return _by_panel(needed).any(1).nonzero().flatten().int()


def _by_panel(needed: Tensor) -> Tensor:
    return F.pad(needed, (0, -len(needed) % SIDE)).view(-1, SIDE)


def _unneeded_neighbours(needed: Tensor) -> Tensor:
    """The parameters that were made only because their panel holds a needed one."""
    by_panel = _by_panel(needed)
    made = by_panel.any(1, keepdim=True).expand_as(by_panel).flatten()[: len(needed)]
    return (made & ~needed).nonzero().flatten()
