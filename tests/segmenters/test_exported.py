"""Networks of other houses: TorchScript and ONNX files, the numbers that they read, and what they make."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from onnx_file import write_convolution
from torch import Tensor, nn

from pixelwise.errors import InputError
from pixelwise.labels import LabelSpec
from pixelwise.segmenters.exported import classes_of, exported_segmenter, read_scale
from pixelwise.segmenters.segmenter import InputScale, Segmenter

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")

THREE = LabelSpec(("red", "green", "blue"))
SCALE = InputScale(white=255.0, mean=(10.0, 20.0, 30.0), std=(2.0, 1.0, 1.0))
LEVELS = torch.tensor([[[[60, 80, 10]], [[50, 60, 60]], [[80, 40, 90]]]]) / 127.5 - 1
"""Three pixels; as the network reads them 25 30 50, 35 40 10 and 0 40 60."""


class Planes(nn.Module):
    """Its scores are what it reads, at half the size."""

    def forward(self, pictures: Tensor) -> dict[str, Tensor]:
        return {"out": pictures[..., ::2, ::2], "aux": pictures}


class Channels(nn.Module):
    """Its scores are what it reads."""

    def forward(self, pictures: Tensor) -> Tensor:
        return pictures


def script(path: Path, network: nn.Module) -> Path:
    torch.jit.script(network).save(str(path))
    return path


def onnx(path: Path, side: int | None = None, num_inputs: int = 1) -> Path:
    pytest.importorskip("onnxruntime")
    return write_convolution(path, np.eye(3), side, num_inputs)


def state(path: Path, **fields: object) -> None:
    path.with_suffix(".json").write_text(json.dumps(fields))


def segmenters(tmp_path: Path) -> list[Segmenter]:
    made = [script(tmp_path / "channels.pt", Channels()), onnx(tmp_path / "channels.onnx")]
    return [exported_segmenter(path, THREE, "cpu", SCALE) for path in made]


def test_they_read_the_numbers_that_are_stated(tmp_path: Path) -> None:
    for segmenter in segmenters(tmp_path):
        found = segmenter.find(LEVELS)
        assert found.dtype == torch.int64
        assert found.tolist() == [[[2, 1, 2]]]
        assert segmenter.num_classes == 3
    unscaled = exported_segmenter(tmp_path / "channels.pt", THREE, "cpu", InputScale())
    assert unscaled.find(LEVELS).tolist() == [[[2, 0, 2]]]


def test_the_numbers_may_be_stated_in_a_file_beside(tmp_path: Path) -> None:
    path = script(tmp_path / "channels.pt", Channels())
    with pytest.raises(InputError, match=r'channels\.json: no such file; it states .*"black": 0'):
        exported_segmenter(path, THREE)
    state(path, white=255, mean=[10, 20, 30], std=[2, 1, 1])
    assert read_scale(path.with_suffix(".json")) == SCALE
    assert exported_segmenter(path, THREE, "cpu").find(LEVELS).tolist() == [[[2, 1, 2]]]
    for wrong in ({"std": [1, 1, 0]}, {"white": "255"}, {"colour": "rgb"}, {"mean": [1, 2]}):
        state(path, **wrong)
        with pytest.raises(InputError, match=r"channels\.json: .*; expected such as"):
            exported_segmenter(path, THREE)


def test_scores_of_another_size_are_interpolated(tmp_path: Path) -> None:
    segmenter = exported_segmenter(script(tmp_path / "planes.pt", Planes()), THREE, "cpu", InputScale())
    pictures = torch.rand(2, 3, 9, 14, generator=torch.Generator().manual_seed(0))
    halves = nn.functional.interpolate((pictures[..., ::2, ::2] + 1) / 2, (9, 14), mode="bilinear")
    assert torch.equal(segmenter.find(pictures), halves.argmax(1))


def test_another_number_of_classes_is_refused_with_both(tmp_path: Path) -> None:
    four = LabelSpec(("a", "b", "c", "d"))
    for path in (script(tmp_path / "three.pt", Channels()), onnx(tmp_path / "three.onnx")):
        with pytest.raises(InputError, match=r"three\..*: tells 3 classes apart, the label maps have 4"):
            exported_segmenter(path, four, "cpu", SCALE).find(LEVELS)


def test_indices_are_taken_as_they_are() -> None:
    indices = torch.tensor([[[0, 2, 1]]], dtype=torch.uint8)
    assert classes_of([indices], (1, 3), THREE, "n").tolist() == indices.tolist()
    assert classes_of(indices[:, None].int(), (1, 3), THREE, "n").tolist() == indices.tolist()
    with pytest.raises(InputError, match="n: finds classes 0 to 2, the label maps have 0 to 1"):
        classes_of(indices, (1, 3), LabelSpec(("a", "b")), "n")
    with pytest.raises(InputError, match=r"makes class indices \(1, 1, 3\), expected B H W with \(H, W\) = \(2, 3\)"):
        classes_of(indices, (2, 3), THREE, "n")


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ("text", "makes a str"),
        ([], "makes a list"),
        (torch.zeros(1, 3, 4), r"makes \(1, 3, 4\) of torch.float32"),
        (torch.full((1, 3, 2, 2), torch.nan), "NaN in 12 of 12"),
    ],
)
def test_anything_else_is_refused(made: object, message: str) -> None:
    with pytest.raises(InputError, match=f"n: .*{message}"):
        classes_of(made, (2, 2), THREE, "n")


def test_files_that_are_no_networks_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    for suffix, message in ((".pt", "not TorchScript"), (".onnx", "not a network that onnxruntime can run")):
        path = tmp_path / f"damaged{suffix}"
        path.write_bytes(b"nothing of the kind")
        with pytest.raises(InputError, match=rf"damaged\{suffix}: {message}"):
            exported_segmenter(path, THREE, "cpu", SCALE)
    weights = tmp_path / "weights.pt"
    torch.save({"weight": torch.zeros(1)}, weights)
    with pytest.raises(InputError, match=r"weights\.pt: not TorchScript .*published weights of a DRN end in \.pth"):
        exported_segmenter(weights, THREE, "cpu", SCALE)
    with pytest.raises(InputError, match=r"none\.onnx: no such file"):
        exported_segmenter(tmp_path / "none.onnx", THREE, "cpu", SCALE)
    with pytest.raises(InputError, match=r"expected one of \.pt, \.onnx, got \.h5"):
        exported_segmenter(tmp_path / "network.h5", THREE, "cpu", SCALE)


def test_an_onnx_file_takes_one_input_of_its_size(tmp_path: Path) -> None:
    two = onnx(tmp_path / "two.onnx", num_inputs=2)
    with pytest.raises(InputError, match=r"two\.onnx: reads picture, other, expected one input"):
        exported_segmenter(two, THREE, "cpu", SCALE)
    segmenter = exported_segmenter(onnx(tmp_path / "fixed.onnx", side=4), THREE, "cpu", SCALE)
    assert segmenter.find(torch.zeros(1, 3, 4, 4)).shape == (1, 4, 4)
    with pytest.raises(InputError, match=r"fixed\.onnx: refuses pictures \(1, 3, 5, 4\)"):
        segmenter.find(torch.zeros(1, 3, 5, 4))


def test_an_onnx_file_that_says_it_reads_something_else_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    path = write_convolution(tmp_path / "four.onnx", np.eye(4))
    with pytest.raises(InputError, match=r"four\.onnx: reads tensor\(float\) of \[1, 4, 'height', 'width'\], expected"):
        exported_segmenter(path, THREE, "cpu", SCALE)


def test_without_onnxruntime_it_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_convolution(tmp_path / "network.onnx", np.eye(3))
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(InputError, match=r"network\.onnx: onnxruntime is not installed: .*pixelwise\[onnx\]"):
        exported_segmenter(path, THREE, "cpu", SCALE)
