"""The low-resolution stream for a GPU: convolutions of all planes, in channels_last and the precision asked for.

Which labels there are is not asked: to wait for the answer would take longer than to compute with zeros. So nothing
here waits for the device or copies to it, and the stream can be captured in a CUDA graph.

Tent filter. It reduces S x S pixels to one, and is as wide as two such blocks: a reduced pixel takes a share of four
blocks, one for each corner. All four sums of a block are one product of its one-hot pixels with 4 S S weights, so that
labels are expanded once and read once. Labels are expanded some rows at a time, which the second-level cache of a large
GPU can hold.
"""

from __future__ import annotations

from copy import copy, deepcopy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.lowres.frozen import freeze
from pixelwise.lowres.parameters import ParameterLayer
from pixelwise.lowres.reference import LowResolutionStream

ONE_HOT_BYTES = 32 << 20
"""About as much memory as expanded labels may take at a time."""


class DenseStream:
    """A trained stream, on the device that it is on. See ``FastStream``.

    Args:
        stream: the definition, in eval mode. Weights are copied.
        num_labels: how many of its planes are one-hot labels, the first ones; at most 256.
        parameter_scale: what the parameters are multiplied by, P 1 1.
        dtype: of weights, features and parameters. Statistics of norms are float32.

    Attributes:
        parameters: the last layer, from features to the parameters of cells.
    """

    def __init__(
        self,
        stream: LowResolutionStream,
        num_labels: int,
        parameter_scale: Tensor,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self._definition = nn.Sequential(stream.front, stream.strided, stream.blocks)
        self._dtype = dtype
        self._reduce = DenseReduction(stream.reduction.stride, num_labels, parameter_scale.device, dtype)
        self._layers = _converted(self._definition, dtype)
        weight, bias = stream.to_parameters.weight.detach(), stream.to_parameters.bias
        assert bias is not None
        scale = parameter_scale.flatten()
        self.parameters = ParameterLayer(
            (weight * scale[:, None, None, None]).to(dtype), (bias.detach() * scale).to(dtype), native=False
        )

    @torch.no_grad()
    def features(self, labels: Tensor | None, planes: Tensor | None) -> Tensor:
        """All layers but the last.

        Args:
            labels: B H W class indices, of whole cells; whether they are in range is not checked. None without.
            planes: B C H W, the input's other planes; None without.

        Returns:
            B C h w of ``dtype``.
        """
        features: Tensor = self._layers(self._reduce(labels, planes))
        return features

    @torch.no_grad()
    def frozen(self, reduced: Tensor) -> DenseStream:
        """The same stream with the instance statistics that it has on one input, for any.

        Args:
            reduced: the input as one-hot and other planes, 1 C h w float32, reduced by the tent filter.
        """
        stream = copy(self)
        stream._layers = _converted(freeze(self._definition, reduced)[0], self._dtype)
        return stream


class DenseReduction:
    """The tent filter, for labels and float planes together.

    Args:
        stride: S, 1 or even.
        num_labels: L, at most 256; 0 without labels.
        device, dtype: of what it makes.
    """

    def __init__(self, stride: int, num_labels: int, device: torch.device, dtype: torch.dtype) -> None:
        self._stride = stride
        self._classes = torch.arange(num_labels, dtype=torch.uint8, device=device)[:, None]
        # Not divided by S S yet: in float16 they would be lost.
        rising = torch.arange(1, 2 * stride, 2, dtype=torch.float32) / (2 * stride)
        along = torch.stack([rising, rising.flip(0)], dim=1)
        weights = torch.einsum("yi,xj->yxij", along, along).reshape(stride**2, 4)
        self._weights = weights.to(device, dtype)

    def __call__(self, labels: Tensor | None, planes: Tensor | None) -> Tensor:
        """B (L + C) H/S W/S in channels_last, of ``dtype``.

        Args:
            labels: B H W integers in 0..L - 1, which is not checked. None without.
            planes: B C H W; None without.
        """
        parts = []
        if labels is not None:
            parts.append(self._reduced_labels(labels.byte()))
        if planes is not None:
            blocks = self._blocks(planes.to(self._weights.dtype)).movedim(1, 3)
            parts.append(blocks[..., 0] if self._stride == 1 else self._joined(blocks @ self._weights))
        return torch.cat(parts, dim=3).permute(0, 3, 1, 2)

    def _reduced_labels(self, labels: Tensor) -> Tensor:
        """B h w L of B H W."""
        blocks = self._blocks(labels)
        if self._stride == 1:
            return self._one_hot(blocks)[..., 0]
        row_bytes = blocks[:, 0].numel() * len(self._classes) * self._weights.element_size()
        bands = blocks.split(max(1, ONE_HOT_BYTES // row_bytes), dim=1)
        return self._joined(torch.cat([self._one_hot(band) @ self._weights for band in bands], dim=1))

    def _blocks(self, planes: Tensor) -> Tensor:
        """... H W to ... n m SS: the pixels of each block. Blocks begin half a block before the picture, which is
        mirrored there; with S = 1 they are its pixels."""
        stride = self._stride
        if stride == 1:
            return planes.unsqueeze(-1)
        for dim in (-2, -1):
            planes = planes.index_select(dim, _mirrored(planes.shape[dim], stride, planes.device))
        blocks: Tensor = planes.unflatten(-1, (-1, stride)).unflatten(-3, (-1, stride)).transpose(-3, -2).flatten(-2)
        return blocks

    def _one_hot(self, blocks: Tensor) -> Tensor:
        """B n m SS to B n m L SS."""
        size = (*blocks.shape[:-1], len(self._classes), blocks.shape[-1])
        out = torch.empty(size, dtype=self._weights.dtype, device=blocks.device)
        torch.eq(blocks.unsqueeze(-2), self._classes, out=out)
        return out

    def _joined(self, sums: Tensor) -> Tensor:
        """B h+1 w+1 N 4, the blocks' sums with the weights of each corner, to B h w N."""
        sums = sums.unflatten(-1, (2, 2))
        rows = sums[:, :-1, ..., 0, :] + sums[:, 1:, ..., 1, :]
        joined: Tensor = (rows[:, :, :-1, ..., 0] + rows[:, :, 1:, ..., 1]) / self._stride**2
        return joined


def _mirrored(size: int, stride: int, device: torch.device) -> Tensor:
    """Which pixels the blocks along an axis consist of, those beyond the picture's ends mirrored."""
    pixels = torch.arange((size // stride + 1) * stride, device=device) - stride // 2
    return size - 1 - (size - 1 - pixels.abs()).abs()


class _PictureNorm(nn.Module):
    """Instance norm that leaves the layout as it is where it can: torch's own would copy to another and back."""

    def __init__(self, norm: nn.InstanceNorm2d) -> None:
        super().__init__()
        self.weight, self.bias, self.epsilon = norm.weight, norm.bias, norm.eps

    def forward(self, x: Tensor) -> Tensor:
        if len(x) == 1:
            # The statistics of a batch of one picture are the picture's.
            return F.batch_norm(x, None, None, self.weight, self.bias, training=True, eps=self.epsilon)
        return F.instance_norm(x, weight=self.weight, bias=self.bias, eps=self.epsilon)


def _converted(layers: nn.Module, dtype: torch.dtype) -> nn.Module:
    """A copy whose convolutions are of ``dtype`` and in channels_last; norms stay float32."""
    layers = deepcopy(layers)
    for module in list(layers.modules()):
        if isinstance(module, nn.Conv2d):
            module.to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
        for name, norm in module.named_children():
            if isinstance(norm, nn.InstanceNorm2d):
                setattr(module, name, _PictureNorm(norm))
    return layers.requires_grad_(False)
