"""The blocks of ASAP-Net's low-resolution stream, all at the cells' resolution: 3 x 3 convolution, norm, ReLU."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.errors import InputError
from pixelwise.lowres.activations import Activations, Convolved, Moments
from pixelwise.lowres.band import Band
from pixelwise.lowres.plain import PlainConvolution
from pixelwise.lowres.room import Room
from pixelwise.lowres.spare_memory import SpareMemory
from pixelwise.lowres.strided import StridedConvolution
from pixelwise.lowres.torch_winograd import TorchConvolution
from pixelwise.lowres.winograd import WinogradConvolution


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
        stride: 1 or 2.
        depthwise: I 1 3 3, a convolution before the other one, which then is O I 1 1; padding and stride are its own.
    """

    weight: Tensor
    bias: Tensor | None = None
    norm: InstanceNorm | None = None
    padding: str = "zeros"
    stride: int = 1
    depthwise: Tensor | None = None

    @classmethod
    def of(cls, *modules: nn.Module) -> Block:
        """From the modules of a trained network: perhaps a depthwise convolution, a convolution, and its norm, an
        InstanceNorm2d, BatchNorm2d or Identity.

        Raises:
            InputError: another norm.
        """
        first, *_, convolution, norm = modules[0], *modules
        assert isinstance(first, nn.Conv2d)
        assert isinstance(convolution, nn.Conv2d)
        weight = convolution.weight.detach()
        rest = (str(first.padding_mode), first.stride[0], None if first is convolution else first.weight.detach())
        zeros = weight.new_zeros(len(weight))
        bias = zeros if convolution.bias is None else convolution.bias.detach()
        if isinstance(norm, nn.Identity):
            return cls(weight, bias, None, *rest)
        if not isinstance(norm, nn.InstanceNorm2d | nn.BatchNorm2d):
            raise InputError(f"a block's norm must be instance, batch or none, got {type(norm).__name__}")
        gain = torch.ones_like(zeros) if norm.weight is None else norm.weight.detach()
        shift = zeros if norm.bias is None else norm.bias.detach()
        if isinstance(norm, nn.InstanceNorm2d):
            return cls(weight, bias, InstanceNorm(gain, shift, norm.eps), *rest)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        gain = gain * (norm.running_var + norm.eps).rsqrt()
        weight, bias = weight * gain[:, None, None, None], shift + gain * (bias - norm.running_mean)
        return cls(weight, bias, None, *rest)


class Blocks:
    """Some blocks, one after the other.

    Args:
        blocks: their weights.
        native: by the compiled kernels, which need ``library.missing() is None``; otherwise by torch.
        memory: where large layers lie; None for memory of its own.
        instruction_set: one of ``library.instruction_sets()``; None for the fastest.

    Attributes:
        stages: the blocks, each by itself.
    """

    def __init__(
        self,
        blocks: Sequence[Block],
        native: bool = True,
        memory: SpareMemory | None = None,
        instruction_set: str | None = None,
    ) -> None:
        self._memory = memory or SpareMemory()
        self._channels = blocks[0].weight.shape[1]
        self._outputs = len(blocks[-1].weight)
        self.stages = [Stage.of(block, _packed(block, native, instruction_set)) for block in blocks]

    def __call__(self, x: Tensor) -> Tensor:
        """B C h w to B O h w, both float32 in channels_last, without gradients.

        Raises:
            InputError: another number of channels, dtype or device, or a grid too small for its padding.
        """
        return self.after(lambda _: self._activations(x))

    def after(self, make: Callable[[Room], Activations]) -> Tensor:
        """The same of what ``make`` has the room's kernels make, which may be larger than all that follows: its memory
        is used again, or free once it has been read.
        """
        return self._pass(make)[0]

    def frozen(self, x: Tensor) -> Blocks:
        """Blocks whose instance norms keep the statistics that they have on ``x``, 1 C h w; packed weights are shared.

        Raises:
            InputError: as for a call, or for more than one picture.
        """
        if len(x) != 1:
            raise InputError(f"statistics can be kept of one picture, got {len(x)}")
        blocks, norms = copy(self), self._pass(lambda _: self._activations(x))[1]
        blocks.stages = [replace(stage, norm=norm) for stage, norm in zip(self.stages, norms, strict=True)]
        return blocks

    @torch.no_grad()
    def _pass(self, make: Callable[[Room], Activations]) -> tuple[Tensor, list[Norm]]:
        """What the blocks make of what ``make`` makes, and their norms with the statistics that they have on it."""
        room, norms = Room(ahead=True, memory=self._memory), []
        now = make(room)
        for stage in self.stages:
            if now.cells.shape[-1] != stage.convolution.inputs:
                room.finish()
                now = fitted_activations(now, stage.convolution.inputs)
            convolved = stage.convolution(now, room)
            norm = stage.norm.settled(convolved.moments)
            now = norm(convolved.cells)
            norms.append(norm)
        room.finish()
        made = now.values()[..., : self._outputs].permute(0, 3, 1, 2)
        return made.contiguous(memory_format=torch.channels_last), norms

    def _activations(self, x: Tensor) -> Activations:
        """``x`` as the first convolution reads it. Raises InputError unless it is what the blocks read."""
        if x.shape[1] != self._channels or x.dtype != torch.float32 or x.device.type != "cpu":
            found = f"{x.shape[1]} of {x.dtype} on {x.device}"
            raise InputError(f"blocks read {self._channels} channels of torch.float32 on the CPU, got {found}")
        cells = x.permute(0, 2, 3, 1)
        scale = cells.new_ones(len(cells), cells.shape[3])
        return Activations(cells, scale, torch.zeros_like(scale), -math.inf)


class Convolution(Protocol):
    """Channels are rounded up to what it works with: additional inputs must be 0, additional outputs are 0."""

    @property
    def inputs(self) -> int: ...

    @property
    def outputs(self) -> int: ...

    def __call__(self, x: Activations, room: Room, band: Band | None = None) -> Convolved: ...


def _packed(block: Block, native: bool, instruction_set: str | None) -> Convolution:
    if block.depthwise is not None:
        return PlainConvolution([block.depthwise, block.weight], block.padding, block.stride)
    if not native:
        plain = TorchConvolution(block.weight, block.padding)
        return plain if block.stride == 1 else PlainConvolution([block.weight], block.padding, block.stride)
    convolution = WinogradConvolution if block.stride == 1 else StridedConvolution
    return convolution(block.weight, block.padding, instruction_set)


@dataclass(frozen=True)
class Norm:
    """A norm and a ReLU that are left to whoever reads what a convolution made.

    Attributes:
        gain, shift: C, of an instance norm; or C or B C, all there is to do.
        epsilon: None without instance norm.
    """

    gain: Tensor
    shift: Tensor
    epsilon: float | None

    @classmethod
    def of(cls, block: Block, channels: int) -> Norm:
        """Of a block whose convolution makes so many channels, of which those beyond the block's own stay 0."""
        if block.norm:
            gain, shift = block.norm.gain, block.norm.shift
        else:
            gain = block.weight.new_ones(len(block.weight))
            shift = torch.zeros_like(gain) if block.bias is None else block.bias
        gain, shift = (fitted(part.detach().float(), channels).contiguous() for part in (gain, shift))
        return cls(gain, shift, block.norm.epsilon if block.norm else None)

    def settled(self, moments: Moments) -> Norm:
        """For pictures whose moments are known: without instance norm any more."""
        if self.epsilon is None:
            return self
        return Norm(*moments.normalising(self.gain, self.shift, self.epsilon), None)

    def __call__(self, cells: Tensor) -> Activations:
        """Of cells B h w C; the norm is settled."""
        assert self.epsilon is None, "an instance norm waits for its statistics"
        return Activations(cells, self.gain.expand(len(cells), -1), self.shift.expand(len(cells), -1), 0.0)


@dataclass(frozen=True)
class Stage:
    """A block in two parts.

    Attributes:
        convolution: its convolution.
        norm: the rest.
        stride: of the convolution.
    """

    convolution: Convolution
    norm: Norm
    stride: int = 1

    @classmethod
    def of(cls, block: Block, convolution: Convolution) -> Stage:
        return cls(convolution, Norm.of(block, convolution.outputs), block.stride)


def fitted(tensor: Tensor, channels: int) -> Tensor:
    """With so many channels along its last dimension: filled up with zeros, or cut off."""
    return tensor if tensor.shape[-1] == channels else F.pad(tensor, (0, channels - tensor.shape[-1]))


def fitted_activations(x: Activations, channels: int) -> Activations:
    """With so many channels."""
    cells, scale, shift = (fitted(part, channels) for part in (x.cells, x.scale, x.shift))
    return Activations(cells, scale, shift, x.least)
