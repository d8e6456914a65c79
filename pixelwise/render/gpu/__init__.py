"""The engine for GPUs: layers, pixel code and table lookups of Eq. 1 and 2 in one Triton kernel, gradients in another.

``kernels.py`` explains how, ``launch.py`` says with which sizes. Triton is imported when something is rendered, not
before: it is an optional dependency, and its import takes seconds.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

import torch
from torch import Tensor

from pixelwise.render.axis import Axis
from pixelwise.render.field import PixelwiseField
from pixelwise.render.guide import Features

OLDEST_TRITON = (3, 4)
OLDEST_DEVICE = (8, 0)

WIDEST = 128
"""Outputs of a layer: what fits into the registers of a multiprocessor together with a tile of pixels."""


def missing() -> str | None:
    """Why the kernels cannot run on this machine; None if they can: on a GPU, or in Triton's interpreter."""
    if find_spec("triton") is None:
        return "triton is not installed: pip install 'pixelwise[gpu]'"
    if not torch.cuda.is_available() and not _is_interpreted():
        return "no CUDA device"
    version = import_module("triton").__version__
    if tuple(int(number) for number in version.split(".")[:2]) < OLDEST_TRITON:
        return f"triton {version} is older than {'.'.join(map(str, OLDEST_TRITON))}"
    return None


def unfit(field: PixelwiseField, features: Features) -> str | None:
    """Why the kernels cannot render this; None if they can."""
    parameters = field.parameters
    tensors = [parameters, *(plane for _, plane in features.planes)]
    has_gradients = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)
    if not parameters.is_cuda and not _is_interpreted():
        return f"it reads parameters on a CUDA device, not on {parameters.device}"
    if parameters.is_cuda and torch.cuda.get_device_capability(parameters.device) < OLDEST_DEVICE:
        return f"it needs a device of compute capability {'.'.join(map(str, OLDEST_DEVICE))}"
    if parameters.dtype not in (torch.float32, torch.float16, torch.bfloat16):
        return f"it reads parameters of float32, float16 or bfloat16, not {parameters.dtype}"
    if max(field.mlp.widths[1:]) > WIDEST:
        return f"its layers are at most {WIDEST} wide, not {max(field.mlp.widths[1:])}"
    if not 0 <= field.mlp.negative_slope <= 1:
        return f"its leaky ReLU has a negative slope of 0 to 1, not {field.mlp.negative_slope}"
    if has_gradients and torch.are_deterministic_algorithms_enabled():
        return "its gradients are not deterministic"
    if any(plane[0].numel() >= 2**31 for _, plane in features.labels + features.planes):
        return "it counts the pixels of a picture in 31 bits"
    return None


def render_gpu(field: PixelwiseField, features: Features, rows: Axis, columns: Axis) -> Tensor:
    """Eq. 1 and 2, fused; see ``pixelwise.render.engine.Render``. Differentiable once.

    The parameters' type decides how it computes: float32 exactly or, where PyTorch may multiply matrices in TF32
    (``torch.backends.cuda.matmul``), in TF32; float16 and bfloat16 with sums in float32.
    """
    from pixelwise.render.gpu.launch import render_fused

    return render_fused(field, features, rows, columns)


def prepare_gpu(
    field: PixelwiseField, features: Features, rows: Axis, columns: Axis, device: torch.device
) -> Callable[[Tensor, Features], Tensor]:
    """The same in two steps: what depends on sizes alone is laid out on the device first.

    Args:
        field: its parameters' values are not read: they may be on the device "meta".
        features: their values are not read either.
        rows, columns: the output's.
        device: where parameters and features will be.

    Returns:
        From parameters and features of these sizes to the output. It neither waits for the device nor copies to it, so
        that it can be captured in a CUDA graph, which reads what was laid out for as long as it is in use.
    """
    from pixelwise.render.gpu.launch import FusedRendering

    return FusedRendering(field, features, rows, columns, device)


def _is_interpreted() -> bool:
    """Whether Triton runs kernels in Python: slow, but without a GPU. Decided when Triton is imported."""
    return os.environ.get("TRITON_INTERPRET") == "1"
