"""Networks in files that run by themselves: TorchScript, and ONNX by onnxruntime.

What they read and make is not written in them. So the numbers that they read must be stated, in a JSON file beside
(``network.onnx`` and ``network.json``) or by argument; what they make is looked at: scores of classes at any size, or
class indices. Pictures are photos in red, green and blue, of any size that the data have.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelwise.device import find_device
from pixelwise.digest import sha256_of
from pixelwise.errors import InputError
from pixelwise.fields import from_fields
from pixelwise.labels import INDEX_TYPES, LabelSpec
from pixelwise.segmenters.segmenter import InputScale, Segmenter

Run = Callable[[Tensor], object]
"""From what a network reads, B 3 H W float32, to what it makes."""

_EXAMPLE = '{"black": 0, "white": 1, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}'


def exported_segmenter(
    path: Path, spec: LabelSpec, device: torch.device | str = "auto", inputs: InputScale | None = None
) -> Segmenter:
    """A network from a ``.pt`` (TorchScript) or ``.onnx`` file.

    Args:
        path: reads B 3 H W float32 and makes scores B C h w or class indices B H W; of several outputs the first is
            taken.
        spec: the C classes of the label maps.
        device: where it runs; ONNX on the CPU in any case.
        inputs: the numbers that it reads; None: they are stated in the JSON file beside, as fields of ``InputScale``.

    Raises:
        InputError: no such file, another suffix, a damaged file, an ONNX file of several inputs or of another one than
            B 3 H W float32, onnxruntime is missing, or nothing says which numbers it reads. ``find`` refuses another
            number of classes, outputs that are neither of the two, scores that are NaN, and what the network refuses.
    """
    if path.suffix not in _LOADERS:
        raise InputError(f"{path}: expected one of {', '.join(_LOADERS)}, got {path.suffix or 'no suffix'}")
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    scale = inputs or read_scale(path.with_suffix(".json"))
    run = _LOADERS[path.suffix](path, find_device(device))

    @torch.inference_mode()
    def find(pictures: Tensor) -> Tensor:
        try:
            made = run(scale.of(pictures))
        except Exception as error:  # of a foreign network it may be anything
            reason = str(error).strip().rpartition("\n")[2]
            raise InputError(f"{path}: refuses pictures {tuple(pictures.shape)}: {reason}") from error
        return classes_of(made, tuple(pictures.shape[-2:]), spec, path).to(pictures.device)

    return Segmenter(path.name, spec.num_classes, find, sha256_of(path))


def read_scale(path: Path) -> InputScale:
    """The numbers that a network reads, as a JSON file states them. Raises InputError naming it."""
    if not path.is_file():
        raise InputError(f"{path}: no such file; it states in which numbers the network reads pictures: {_EXAMPLE}")
    try:
        return from_fields(InputScale, json.loads(path.read_text(encoding="utf-8-sig")))
    except (OSError, ValueError, RecursionError) as error:  # InputError is a ValueError
        raise InputError(f"{path}: {error}; expected such as {_EXAMPLE}") from error


def classes_of(made: object, size: tuple[int, ...], spec: LabelSpec, source: object) -> Tensor:
    """What a network made as class indices B H W int64; scores of another size are interpolated bilinearly.

    Args:
        made: scores B C h w or class indices B H W or B 1 H W; or a sequence or mapping whose first value this is.
        size: (height, width) of the pictures.
        spec: the C classes.
        source: named in errors.

    Raises:
        InputError: anything else, another number of classes, or scores that are not numbers.
    """
    output = _first(made)
    if not isinstance(output, Tensor):
        raise InputError(f"{source}: makes a {type(output).__name__}, expected scores of classes or class indices")
    if output.dtype in INDEX_TYPES:
        return _checked_indices(output, size, spec, source)
    if output.dim() != 4 or not output.is_floating_point():
        raise InputError(f"{source}: makes {tuple(output.shape)} of {output.dtype}, expected B C H W scores of classes")
    if output.shape[1] != spec.num_classes:
        raise InputError(f"{source}: tells {output.shape[1]} classes apart, the label maps have {spec.num_classes}")
    if output.isnan().any():
        raise InputError(f"{source}: its scores are NaN in {int(output.isnan().sum())} of {output.numel()} values")
    scores = output.float() if output.shape[-2:] == size else F.interpolate(output.float(), size, mode="bilinear")
    return scores.argmax(dim=1)


def _first(made: object) -> object:
    if isinstance(made, Mapping):
        made = list(made.values())
    return made[0] if isinstance(made, list | tuple) and made else made


def _checked_indices(output: Tensor, size: tuple[int, ...], spec: LabelSpec, source: object) -> Tensor:
    indices = output[:, 0] if output.dim() == 4 and output.shape[1] == 1 else output
    if indices.dim() != 3 or indices.shape[-2:] != size:
        raise InputError(f"{source}: makes class indices {tuple(output.shape)}, expected B H W with (H, W) = {size}")
    low, high = (int(value) for value in torch.aminmax(indices))
    if low < 0 or high >= spec.num_classes:
        raise InputError(f"{source}: finds classes {low} to {high}, the label maps have 0 to {spec.num_classes - 1}")
    return indices.long()


def _torchscript(path: Path, device: torch.device) -> Run:
    try:
        # It runs the script's own operations, no Python.
        network = torch.jit.load(path, map_location=device).eval()
    except RuntimeError as error:
        reason = str(error).strip().partition("\n")[0]
        raise InputError(f"{path}: not TorchScript ({reason}); published weights of a DRN end in .pth") from error
    return lambda pictures: network(pictures.to(device))


def _onnx(path: Path, device: torch.device) -> Run:
    runtime = _onnxruntime(path)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    try:
        session = runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors have no type in common
        raise InputError(f"{path}: not a network that onnxruntime can run: {error}") from error
    if len(session.get_inputs()) != 1:
        names = ", ".join(given.name for given in session.get_inputs())
        raise InputError(f"{path}: reads {names or 'nothing'}, expected one input: pictures")
    (given,) = session.get_inputs()
    # Sides that are named and not numbers may be any, and where nothing is said of the shape, it is empty.
    stated = [side for side in given.shape[1:2] if isinstance(side, int)]
    if given.type != "tensor(float)" or len(given.shape) not in (0, 4) or stated not in ([], [3]):
        raise InputError(f"{path}: reads {given.type} of {given.shape}, expected tensor(float) of B 3 H W")
    return lambda pictures: torch.from_numpy(session.run(None, {given.name: pictures.cpu().numpy()})[0])


def _onnxruntime(path: Path) -> ModuleType:
    try:
        import onnxruntime
    except ImportError as error:
        raise InputError(f"{path}: onnxruntime is not installed: pip install 'pixelwise[onnx]'") from error
    return onnxruntime  # type: ignore[no-any-return]


_LOADERS: Mapping[str, Callable[[Path, torch.device], Run]] = {".pt": _torchscript, ".onnx": _onnx}
