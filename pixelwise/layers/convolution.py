"""Convolutions with spectral norm, and the initial weights of convolutions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn


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
    ) -> None:
        super().__init__()
        self.stride = stride
        self.padding = padding
        # nn.Conv2d's own initial values.
        plain = nn.Conv2d(in_channels, out_channels, kernel_size, bias=bias)
        self.weight_orig = plain.weight
        self.bias = plain.bias
        self.register_buffer("weight_u", F.normalize(torch.randn(out_channels), dim=0))
        self.register_buffer("weight_v", F.normalize(torch.randn(plain.weight[0].numel()), dim=0))

    def forward(self, x: Tensor) -> Tensor:
        """B in_channels H W to B out_channels H' W'."""
        # Half precision is for the convolution, not for the norm of its weight.
        with torch.autocast(x.device.type, enabled=False):
            if self.training:
                self._improve_vectors()
            weight = self.weight_orig / self._sigma()
        return F.conv2d(x, weight, self.bias, self.stride, self.padding)

    def _sigma(self) -> Tensor:
        # Clones: the next forward may change the buffers in place before this one's backward has read them.
        u, v = self.weight_u.clone(), self.weight_v.clone()
        return torch.dot(u, self.weight_orig.flatten(1) @ v)

    @torch.no_grad()
    def _improve_vectors(self) -> None:
        matrix = self.weight_orig.flatten(1)
        self.weight_v.copy_(F.normalize(matrix.T @ self.weight_u, dim=0, eps=1e-12))
        self.weight_u.copy_(F.normalize(matrix @ self.weight_v, dim=0, eps=1e-12))

    def extra_repr(self) -> str:
        out_channels, in_channels, kernel_size, _ = self.weight_orig.shape
        return f"{in_channels}, {out_channels}, {kernel_size=}, stride={self.stride}, padding={self.padding}"


def init_weights(module: nn.Module, gain: float = 0.02, generator: Generator | None = None) -> None:
    """Gives every convolution and linear layer in ``module`` Xavier normal weights (Glorot and Bengio 2010, Eq. 12 with
    the normal distribution) and biases 0, as SPADE does; norms keep theirs.

    Args:
        gain: factor of the standard deviation sqrt(2 / (fan in + fan out)).
        generator: source of the random numbers, on the weights' device; None for torch's global one.
    """
    for layer in module.modules():
        if not isinstance(layer, SpectralConv2d | nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            continue
        weight = layer.weight_orig if isinstance(layer, SpectralConv2d) else layer.weight
        nn.init.xavier_normal_(weight, gain, generator)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
