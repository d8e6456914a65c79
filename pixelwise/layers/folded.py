"""Networks made ready for inference: what does not depend on the input is computed once."""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import TypeVar, cast

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from pixelwise.layers.convolution import SpectralConv2d
from pixelwise.layers.layout_convolution import GatheredConv2d, LayoutConv2d

Network = TypeVar("Network", bound=nn.Module)


@torch.no_grad()
def folded(network: Network) -> Network:
    """The same network in eval mode with plain convolutions in place of those with spectral norm, whose weights are
    divided by their norm, and of those that a batch norm follows in a sequence. All other weights are shared.

    On a CPU, where that is faster, convolutions over layouts gather their labels' part, and weights come to lie in
    memory channels last, shared ones too; but for networks with instance norms, which go through channel by channel.
    """
    ready = cast(Network, _folded(network))
    if _on_cpu(network) and not any(isinstance(part, nn.InstanceNorm2d) for part in network.modules()):
        ready.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return ready


def _folded(network: nn.Module) -> nn.Module:
    if isinstance(network, SpectralConv2d):
        return network.folded()
    if isinstance(network, LayoutConv2d) and _on_cpu(network):
        return GatheredConv2d(network)
    clone = copy.copy(network)
    clone._modules = {name: None if part is None else _folded(part) for name, part in network._modules.items()}
    if isinstance(clone, nn.Sequential):
        _merge_batch_norms(clone)
    return clone


def _merge_batch_norms(sequence: nn.Sequential) -> None:
    for (name, layer), (norm_name, norm) in pairwise(list(sequence.named_children())):
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) and isinstance(norm, nn.BatchNorm2d):
            transposed = isinstance(layer, nn.ConvTranspose2d)
            setattr(sequence, name, fuse_conv_bn_eval(layer, norm, transposed))
            setattr(sequence, norm_name, nn.Identity())


def _on_cpu(network: nn.Module) -> bool:
    return all(weight.device.type == "cpu" for weight in network.parameters())
