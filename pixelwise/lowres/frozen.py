"""Instance norms that no longer look at their input: each keeps the statistics that it had on one.

A network of such norms is local: a change of its input changes its output nearby only.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn


@torch.no_grad()
def freeze(network: nn.Module, x: Tensor) -> tuple[nn.Module, Tensor]:
    """A copy whose instance norms keep the statistics that they have on ``x``, and what it makes of ``x``.

    Args:
        network: in eval mode. The copy shares its weights.
        x: 1 C H W.

    Returns:
        The copy, in which batch norms stand for the instance norms; and its output.
    """
    frozen = deepcopy(network, {id(parameter): parameter for parameter in network.parameters()})
    observers = [
        _replace(module, name, norm).register_forward_pre_hook(_observe)
        for module in list(frozen.modules())
        for name, norm in module.named_children()
        if isinstance(norm, nn.InstanceNorm2d)
    ]
    output = frozen(x)
    for observer in observers:
        observer.remove()
    return frozen, output


def _replace(module: nn.Module, name: str, norm: nn.InstanceNorm2d) -> nn.BatchNorm2d:
    fixed = nn.BatchNorm2d(norm.num_features, eps=norm.eps).eval()
    fixed.weight, fixed.bias = norm.weight, norm.bias
    setattr(module, name, fixed)
    return fixed


def _observe(norm: nn.Module, inputs: tuple[Any, ...]) -> None:
    assert isinstance(norm, nn.BatchNorm2d)
    norm.running_var, norm.running_mean = torch.var_mean(inputs[0], dim=(0, 2, 3), correction=0)
