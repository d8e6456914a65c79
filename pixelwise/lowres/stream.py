"""The low-resolution stream packed for inference: what ``reference.py`` defines, from labels as they are."""

from __future__ import annotations

from copy import copy, deepcopy
from functools import partial

import torch
from torch import Tensor, nn

from pixelwise.lowres.blocks import Block, Blocks
from pixelwise.lowres.front import Front
from pixelwise.lowres.frozen import freeze
from pixelwise.lowres.parameters import ParameterLayer
from pixelwise.lowres.reduction import LARGEST_STRIDE, MOST_LABELS
from pixelwise.lowres.reference import ConvolutionBlock, LowResolutionStream


class FastStream:
    """A trained stream.

    Args:
        stream: the definition, in eval mode. Weights are folded and packed, so that later changes are not seen.
        num_labels: how many of its planes are one-hot labels, the first ones; at most 256.
        parameter_scale: what the parameters are multiplied by, P 1 1.
        native: by the compiled kernels, which need ``library.missing() is None``; otherwise by torch.

    Attributes:
        parameters: the last layer, from features to the parameters of cells.
    """

    def __init__(
        self, stream: LowResolutionStream, num_labels: int, parameter_scale: Tensor, native: bool = True
    ) -> None:
        self._make_front = partial(Front, num_labels=num_labels, stride=stream.reduction.stride, native=native)
        self._first = stream.front
        self._front = self._make_front(Block.of(stream.front.convolution, stream.front.norm))
        self._strided, self._blocks = (_packed(blocks, native) for blocks in (stream.strided, stream.blocks))
        last = stream.to_parameters
        assert last.bias is not None
        self.parameters = ParameterLayer(last.weight, last.bias, parameter_scale, native)

    def features(self, labels: Tensor | None, planes: Tensor | None) -> Tensor:
        """All layers but the last.

        Args:
            labels: B H W class indices, of whole cells; None without labels.
            planes: B C H W, the input's other planes; None without.

        Returns:
            B C h w in channels_last, without gradients.

        Raises:
            InputError: labels or planes that the stream does not read, or classes that it does not know.
        """
        features: Tensor = self._blocks(self._strided(self._front(labels, planes)))
        return features

    def frozen(self, reduced: Tensor) -> FastStream:
        """The same stream with the instance statistics that it has on one input, for any; weights are shared.

        Args:
            reduced: the input as one-hot and other planes, 1 C h w, reduced by the tent filter.
        """
        stream = copy(self)
        first, x = freeze(self._first, reduced)
        assert isinstance(first, ConvolutionBlock)
        stream._front = self._make_front(Block.of(first.convolution, first.norm))
        stream._strided, x = _frozen(self._strided, x.contiguous(memory_format=torch.channels_last))
        stream._blocks, _ = _frozen(self._blocks, x)
        return stream


def can_pack(stream: LowResolutionStream, num_labels: int) -> bool:
    """Whether labels and reduction are within what ``FastStream`` can count in bytes and 32 bits."""
    return num_labels <= MOST_LABELS and stream.reduction.stride <= LARGEST_STRIDE


def _packed(blocks: nn.Sequential, native: bool) -> Blocks | nn.Module:
    """The blocks by the compiled kernels, or a copy of them in the layout in which torch's convolutions are fastest.

    Winograd by torch would halve the time, but rounds more: full-size pictures differ by more than 1e-4.
    """
    packed = [Block.of(block.convolution, block.norm) for block in blocks if isinstance(block, ConvolutionBlock)]
    if native and packed and len(packed) == len(blocks):
        return Blocks(packed)
    copied: nn.Module = deepcopy(blocks).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return copied


def _frozen(blocks: Blocks | nn.Module, x: Tensor) -> tuple[Blocks | nn.Module, Tensor]:
    return (blocks.frozen(x), blocks(x)) if isinstance(blocks, Blocks) else freeze(blocks, x)
