"""Convolutions with spectral norm, and the initial weights of convolutions."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from pixelwise.initial_weights import NothingDrawn
from pixelwise.layers.layout_convolution import LayoutConv2d


class SpectralConv2d(nn.Module):
    """A square convolution whose weight is divided by an estimate of its largest singular value (Miyato et al. 2018).

    The weight, seen as a matrix W of ``out_channels`` rows, is used as W / sigma with sigma = uᵀ W v. In training mode
    each forward first improves u and v by one power iteration (Algorithm 1) and stores them; in eval mode the stored
    ones are used as they are. Parameters and buffers bear the names of published checkpoints: ``weight_orig``,
    ``weight_u``, ``weight_v``, ``bias``.

    Args:
        in_channels, out_channels: at least 1.
        kernel_size: side of the kernel in pixels.
        stride, padding: in pixels; the padding is zeros.
        bias: whether to add a learned value per output channel.
        groups: parts of the channels that see nothing of each other.
    """

    weight_u: Tensor
    weight_v: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int = 0,
        bias: bool = True,
        groups: int = 1,
    ) -> None:
        super().__init__()
        self.stride = stride
        self.padding = padding
        self.groups = groups
        # nn.Conv2d's own initial values.
        plain = nn.Conv2d(in_channels, out_channels, kernel_size, groups=groups, bias=bias)
        self.weight_orig = plain.weight
        self.bias = plain.bias
        self.register_buffer("weight_u", torch.empty(out_channels).normal_())
        self.register_buffer("weight_v", torch.empty(plain.weight[0].numel()).normal_())
        # Random vectors would make the norm far too small, and an untrained network's output huge.
        self.improve_vectors()

    def forward(self, x: Tensor) -> Tensor:
        """B in_channels H W to B out_channels H' W'."""
        if self.training:
            self.improve_vectors()
        return F.conv2d(x, self.weight_orig / self._sigma(), self.bias, self.stride, self.padding, groups=self.groups)

    @torch.no_grad()
    def folded(self) -> nn.Conv2d:
        """A plain convolution that does what this one does in eval mode; the bias is shared."""
        out_channels, in_channels, kernel_size, _ = self.weight_orig.shape
        # Without memory of its own: both weights are put in.
        with NothingDrawn(), torch.device("meta"):
            plain = nn.Conv2d(
                in_channels * self.groups, out_channels, kernel_size, self.stride, self.padding, groups=self.groups
            )
        plain.weight, plain.bias = nn.Parameter(self.weight_orig / self._sigma()), self.bias
        return plain.train(self.training)

    def _sigma(self) -> Tensor:
        # Clones: the next forward may change the buffers in place before this one's backward has read them.
        u, v = self.weight_u.clone(), self.weight_v.clone()
        # Not a matrix product: under autocast that would be one of half precision.
        return (u * (self.weight_orig.flatten(1) * v).sum(dim=1)).sum()

    @torch.no_grad()
    def improve_vectors(self) -> None:
        """One power iteration."""
        matrix = self.weight_orig.flatten(1)
        if matrix.is_meta:  # without values
            return
        with torch.autocast(matrix.device.type, enabled=False):
            self.weight_v.copy_(F.normalize(matrix.T @ self.weight_u, dim=0, eps=1e-12))
            self.weight_u.copy_(F.normalize(matrix @ self.weight_v, dim=0, eps=1e-12))

    def extra_repr(self) -> str:
        out_channels, in_channels, kernel_size, _ = self.weight_orig.shape
        sizes = f"{in_channels * self.groups}, {out_channels}, {kernel_size=}"
        return f"{sizes}, stride={self.stride}, padding={self.padding}, groups={self.groups}"


def spectral_layer(
    in_channels: int, out_channels: int, kernel_size: int, make_norm: Callable[[int], nn.Module], stride: int = 1
) -> nn.Sequential:
    """A convolution with spectral norm, a norm of its channels, and leaky ReLU of slope 0.2.

    The convolution has no bias, since the norm takes it away again, and an odd ``kernel_size``; a side of n pixels gets
    ceil(n / stride).
    """
    convolution = SpectralConv2d(in_channels, out_channels, kernel_size, stride, kernel_size // 2, bias=False)
    return nn.Sequential(convolution, make_norm(out_channels), nn.LeakyReLU(0.2, inplace=True))


def init_weights(module: nn.Module, gain: float = 0.02, generator: Generator | None = None) -> None:
    """Gives every convolution and linear layer in ``module`` Xavier normal weights (Glorot and Bengio 2010, Eq. 12 with
    the normal distribution) and biases 0, as SPADE does; norms keep theirs.

    Args:
        gain: factor of the standard deviation sqrt(2 / (fan in + fan out)).
        generator: source of the random numbers, on the weights' device; None for torch's global one.
    """
    _init(module, lambda weight: nn.init.xavier_normal_(weight, gain, generator))


def init_gaussian_weights(module: nn.Module, deviation: float = 0.02) -> None:
    """Gives every convolution and linear layer in ``module`` weights from a Gaussian around 0, and biases 0, as pix2pix
    does (Isola et al., CVPR 2017, appendix); norms keep theirs."""
    _init(module, lambda weight: nn.init.normal_(weight, std=deviation))


def _init(module: nn.Module, fill: Callable[[Tensor], object]) -> None:
    for layer in module.modules():
        if not isinstance(layer, SpectralConv2d | LayoutConv2d | nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            continue
        if isinstance(layer, SpectralConv2d):
            fill(layer.weight_orig)
            layer.improve_vectors()
        else:
            fill(layer.weight)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
