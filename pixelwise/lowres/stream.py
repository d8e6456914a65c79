"""The low-resolution stream packed for inference: what ``reference.py`` defines, from labels as they are."""

from __future__ import annotations

from copy import copy
from functools import partial

from torch import Tensor, nn

from pixelwise.labels import MOST_IN_BYTES
from pixelwise.lowres.activations import Activations
from pixelwise.lowres.blocks import Block, Blocks, Stage
from pixelwise.lowres.front import Front
from pixelwise.lowres.frozen import freeze
from pixelwise.lowres.parameters import ParameterLayer
from pixelwise.lowres.reduction import LARGEST_STRIDE
from pixelwise.lowres.reference import ConvolutionBlock, LowResolutionStream
from pixelwise.lowres.room import Room
from pixelwise.lowres.spare_memory import SpareMemory


class FastStream:
    """A trained stream.

    Args:
        stream: the definition, in eval mode. Weights are folded and packed, so that later changes are not seen.
        num_labels: how many of its planes are one-hot labels, the first ones; at most 256.
        parameter_scale: what the parameters are multiplied by, P 1 1.
        native: by the compiled kernels, which need ``library.missing() is None``; otherwise by torch.

    Attributes:
        front: the reduction and the first convolution.
        parameters: the last layer, from features to the parameters of cells.
    """

    def __init__(
        self, stream: LowResolutionStream, num_labels: int, parameter_scale: Tensor, native: bool = True
    ) -> None:
        self._make_front = partial(Front, num_labels=num_labels, stride=stream.reduction.stride, native=native)
        self._first = stream.front
        self.front = self._make_front(Block.of(stream.front.convolution, stream.front.norm))
        memory = SpareMemory()
        self._blocks = Blocks([_block(layers) for layers in (*stream.strided, *stream.blocks)], native, memory)
        last = stream.to_parameters
        assert last.bias is not None
        self.parameters = ParameterLayer(last.weight, last.bias, parameter_scale, native, memory)

    def features(self, labels: Tensor | None, planes: Tensor | None) -> Tensor:
        """All layers but the last.

        Args:
            labels: B H W class indices, of whole cells; None without labels.
            planes: B C H W, the input's other planes; None without.

        Returns:
            B C h w, without gradients.

        Raises:
            InputError: labels or planes that the stream does not read, or classes that it does not know.
        """

        def front(room: Room) -> Activations:
            nonlocal planes
            convolved = self.front(labels, planes, room=room)
            planes = None  # has been reduced: its memory is free for the layers
            return self.front.norm.settled(convolved.moments)(convolved.cells)

        return self._blocks.after(front)

    @property
    def stages(self) -> list[Stage]:
        """The layers between front and last, each by itself."""
        return self._blocks.stages

    def frozen(self, reduced: Tensor) -> FastStream:
        """The same stream with the instance statistics that it has on one input, for any; weights are shared.

        Args:
            reduced: the input as one-hot and other planes, 1 C h w, reduced by the tent filter.
        """
        stream = copy(self)
        first, x = freeze(self._first, reduced)
        assert isinstance(first, ConvolutionBlock)
        stream.front = self._make_front(Block.of(first.convolution, first.norm))
        stream._blocks = self._blocks.frozen(x)
        return stream


def unfit(stream: LowResolutionStream, num_labels: int) -> str | None:
    """Why a stream cannot be packed, or None if it can: labels are counted in bytes, a tent's weights in 32 bits."""
    if num_labels > MOST_IN_BYTES:
        return f"a stream can be packed that reads up to {MOST_IN_BYTES} labels, this one reads {num_labels}"
    if (stride := stream.reduction.stride) > LARGEST_STRIDE:
        return f"a stream can be packed whose tent filter reduces by up to {LARGEST_STRIDE}, this one's by {stride}"
    return None


def _block(layers: nn.Module) -> Block:
    *modules, _ = layers.children()  # but for the ReLU
    return Block.of(*modules)
