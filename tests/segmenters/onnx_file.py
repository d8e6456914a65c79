"""An ONNX file of one 1 x 1 convolution, written byte by byte: nothing that is installed writes such files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

FLOAT = 1


def write_convolution(path: Path, weight: np.ndarray, side: int | None = None, num_inputs: int = 1) -> Path:
    """A network that makes scores of pictures; returns the path.

    Args:
        path: the file.
        weight: classes x channels.
        side: of the only pictures that it takes; None for any.
        num_inputs: with two, it also adds the second to the result.
    """
    num_classes, channels = weight.shape
    tensor = _ints(1, num_classes, channels, 1, 1) + _ints(2, FLOAT) + _text(8, "weight")
    tensor += _message(9, weight.astype("<f4").tobytes())
    convolution = _text(1, "picture") + _text(1, "weight") + _text(2, "scores") + _text(4, "Conv")
    graph = _message(1, convolution) + _text(2, "graph") + _message(5, tensor)
    graph += b"".join(_value(11, name, channels, side) for name in ("picture", "other")[:num_inputs])
    graph += _value(12, "scores", num_classes, side)
    path.write_bytes(_ints(1, 8) + _message(7, graph) + _message(8, _text(1, "") + _ints(2, 13)))
    return path


def _value(field: int, name: str, channels: int, side: int | None) -> bytes:
    sides = [_text(2, "height"), _text(2, "width")] if side is None else [_ints(1, side)] * 2
    shape = b"".join(_message(1, dimension) for dimension in (_ints(1, 1), _ints(1, channels), *sides))
    tensor = _ints(1, FLOAT) + _message(2, shape)
    return _message(field, _text(1, name) + _message(2, _message(1, tensor)))


def _text(field: int, text: str) -> bytes:
    return _message(field, text.encode())


def _message(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _ints(field: int, *values: int) -> bytes:
    return b"".join(_varint(field << 3) + _varint(value) for value in values)


def _varint(value: int) -> bytes:
    parts = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])
