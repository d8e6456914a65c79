"""The blocks of ASAP-Net's low-resolution stream, all at the cells' resolution: 3 x 3 convolution, norm, ReLU."""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.errors import InputError
from pixelwise.lowres.strided import StridedConvolution
from pixelwise.lowres.winograd import Activations, Convolved, Room, TorchConvolution, WinogradConvolution


@dataclass(frozen=True)
class InstanceNorm:
    """Each picture's channels to mean 0 and variance 1, then ``* gain + shift``, both of shape C."""

    gain: Tensor
    shift: Tensor
    epsilon: float = 1e-5


@dataclass(frozen=True)
class Block:
    """The weights of one block.

    Attributes:
        weight: O I 3 3, float32 on the CPU.
        bias: O. An instance norm takes it away again.
        norm: None for none; a batch norm is folded into weight and bias, see ``of``.
        padding: "zeros", "reflect" or "replicate".
        stride: 1 or, compiled only, 2.
    """

    weight: Tensor
    bias: Tensor | None = None
    norm: InstanceNorm | None = None
    padding: str = "zeros"
    stride: int = 1

    @classmethod
    def of(cls, convolution: nn.Conv2d, norm: nn.Module) -> Block:
        """From the modules of a trained network: ``norm`` is an InstanceNorm2d, BatchNorm2d or Identity.

        Raises:
            InputError: another norm.
        """
        weight = convolution.weight.detach()
        padding, stride = str(convolution.padding_mode), convolution.stride[0]
        zeros = weight.new_zeros(len(weight))
        bias = zeros if convolution.bias is None else convolution.bias.detach()
        if isinstance(norm, nn.Identity):
            return cls(weight, bias, None, padding, stride)
        if not isinstance(norm, nn.InstanceNorm2d | nn.BatchNorm2d):
            raise InputError(f"a block's norm must be instance, batch or none, got {type(norm).__name__}")
        gain = torch.ones_like(zeros) if norm.weight is None else norm.weight.detach()
        shift = zeros if norm.bias is None else norm.bias.detach()
        if isinstance(norm, nn.InstanceNorm2d):
            return cls(weight, bias, InstanceNorm(gain, shift, norm.eps), padding, stride)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        gain = gain * (norm.running_var + norm.eps).rsqrt()
        weight, bias = weight * gain[:, None, None, None], shift + gain * (bias - norm.running_mean)
        return cls(weight, bias, None, padding, stride)


class Blocks:
    """Some blocks, one after the other.

    Args:
        blocks: their weights.
        native: by the compiled kernels, which need ``library.missing() is None``; otherwise by torch.
        instruction_set: one of ``library.instruction_sets()``; None for the fastest.
    """

    def __init__(self, blocks: Sequence[Block], native: bool = True, instruction_set: str | None = None) -> None:
        self._channels = blocks[0].weight.shape[1]
        self._outputs = len(blocks[-1].weight)
        self._stages = [_Stage.of(block, _packed(block, native, instruction_set)) for block in blocks]

    def __call__(self, x: Tensor) -> Tensor:
        """B C h w to B O h w, both float32 in channels_last, without gradients.

        Raises:
            InputError: another number of channels, dtype or device, or a grid too small for its padding.
        """
        return self._pass(x)[0]

    def frozen(self, x: Tensor) -> Blocks:
        """Blocks whose instance norms keep the statistics that they have on ``x``, 1 C h w; packed weights are shared.

        Raises:
            InputError: as for a call, or for more than one picture.
        """
        if len(x) != 1:
            raise InputError(f"statistics can be kept of one picture, got {len(x)}")
        blocks = copy(self)
        blocks._stages = self._pass(x)[1]
        return blocks

    @torch.no_grad()
    def _pass(self, x: Tensor) -> tuple[Tensor, list[_Stage]]:
        """What the blocks make of ``x``, and they themselves with the first picture's statistics."""
        if x.shape[1] != self._channels or x.dtype != torch.float32 or x.device.type != "cpu":
            found = f"{x.shape[1]} of {x.dtype} on {x.device}"
            raise InputError(f"blocks read {self._channels} channels of torch.float32 on the CPU, got {found}")
        cells = _widened(x.permute(0, 2, 3, 1), self._stages[0].convolution.inputs).contiguous()
        scale = cells.new_ones(len(cells), cells.shape[3])
        now, room, frozen = Activations(cells, scale, torch.zeros_like(scale), -math.inf), Room(), []
        for stage in self._stages:
            now = stage(now, room)
            frozen.append(replace(stage, gain=now.scale[0], shift=now.shift[0], epsilon=None))
        made = now.values()[..., : self._outputs].permute(0, 3, 1, 2)
        return made.contiguous(memory_format=torch.channels_last), frozen


class _Convolution(Protocol):
    @property
    def inputs(self) -> int: ...

    @property
    def outputs(self) -> int: ...

    def __call__(self, x: Activations, room: Room) -> Convolved: ...


def _packed(block: Block, native: bool, instruction_set: str | None) -> _Convolution:
    if not native:
        return TorchConvolution(block.weight, block.padding)
    convolution = WinogradConvolution if block.stride == 1 else StridedConvolution
    return convolution(block.weight, block.padding, instruction_set)


@dataclass(frozen=True)
class _Stage:
    """A block whose norm and ReLU are left to whoever reads its output. ``epsilon``: None without instance norm."""

    convolution: _Convolution
    gain: Tensor
    shift: Tensor
    epsilon: float | None

    @classmethod
    def of(cls, block: Block, convolution: _Convolution) -> _Stage:
        if block.norm:
            gain, shift = block.norm.gain, block.norm.shift
        else:
            gain = block.weight.new_ones(len(block.weight))
            shift = torch.zeros_like(gain) if block.bias is None else block.bias
        gain, shift = (_widened(part.detach(), convolution.outputs) for part in (gain, shift))
        return cls(convolution, gain, shift, block.norm.epsilon if block.norm else None)

    def __call__(self, x: Activations, room: Room) -> Activations:
        convolved = self.convolution(x, room)
        cells = convolved.cells
        if self.epsilon is None:
            return Activations(cells, self.gain.expand(len(cells), -1), self.shift.expand(len(cells), -1), 0.0)
        mean, variance = convolved.moments()
        scale = self.gain * (variance + self.epsilon).rsqrt()
        return Activations(cells, scale, torch.addcmul(self.shift, mean, scale, value=-1), 0.0)


def _widened(tensor: Tensor, channels: int) -> Tensor:
    """With zeros up to ``channels`` along its last dimension."""
    return F.pad(tensor, (0, channels - tensor.shape[-1])) if tensor.shape[-1] < channels else tensor
