"""Networks made ready for inference: what does not depend on the input is computed once."""

from __future__ import annotations

import copy

import torch
from torch import nn

from pixelwise.layers.convolution import SpectralConv2d


@torch.no_grad()
def folded(network: nn.Module) -> nn.Module:
    """The same network with plain convolutions in place of those with spectral norm, whose weights are divided by their
    norm as in eval mode. All other weights are shared."""
    if isinstance(network, SpectralConv2d):
        return network.folded()
    clone = copy.copy(network)
    clone._modules = {name: None if part is None else folded(part) for name, part in network._modules.items()}
    return clone
