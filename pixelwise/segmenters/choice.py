"""Which segmenter a name on a command line means."""

from __future__ import annotations

from pathlib import Path

import torch

from pixelwise.errors import InputError
from pixelwise.labels import LabelSpec
from pixelwise.segmenters.drn import DRNS, drn_segmenter
from pixelwise.segmenters.exported import exported_segmenter
from pixelwise.segmenters.segmenter import InputScale, Segmenter
from pixelwise.segmenters.trained import trained_segmenter

_KNOWN = (
    "a .safetensors file of a model that finds classes, a .pth file of a DRN's published weights, or a network in "
    "TorchScript (.pt) or ONNX (.onnx)"
)


def segmenter_named(
    text: str, spec: LabelSpec, device: torch.device | str = "auto", inputs: InputScale | None = None
) -> Segmenter:
    """The segmenter that a file is, by its suffix.

    Args:
        text: a path: ``.safetensors``, ``.pth``, ``.pt`` or ``.onnx``.
        spec: the classes of the label maps, which must be those that it finds.
        device: where it runs.
        inputs: the numbers that it reads, where neither the weights nor a JSON file beside say it; see ``InputScale``.

    Raises:
        InputError: none of these, or see ``trained_segmenter``, ``drn_segmenter`` and ``exported_segmenter``.
    """
    path = Path(text)
    if text in DRNS:
        raise InputError(f"{text}: give the file of its weights, such as {text}_cityscapes.pth")
    if path.suffix == ".pth":
        return drn_segmenter(path, spec, device, inputs)
    if path.suffix in (".pt", ".onnx"):
        return exported_segmenter(path, spec, device, inputs)
    if path.suffix != ".safetensors":
        raise InputError(f"{text}: no segmenter; expected {_KNOWN}")
    if inputs is not None:
        raise InputError(f"{text}: states itself in which numbers it reads pictures")
    return trained_segmenter(path, spec, device)
