from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tiny_model import PHOTO_MODEL, save_tiny_denoiser, save_tiny_model

from pixelwise import images
from pixelwise.adopt import adopt
from pixelwise.checkpoint import manifest_for, save_checkpoint
from pixelwise.condition import Condition, ConditionSpec
from pixelwise.data.bsd import bsd_gray_under
from pixelwise.data.degrade import GaussianNoise
from pixelwise.data.nyu_depth import DEPTH
from pixelwise.errors import InputError
from pixelwise.evaluation import PROTOCOLS, Protocol, evaluate, markdown, protocol_named
from pixelwise.evaluation.protocol import digest
from pixelwise.images import ImageSpec
from pixelwise.metrics import METRICS
from pixelwise.models.dncnn import PUBLISHED
from pixelwise.translate import Translator, load

SHARED = Path(__file__).parents[2] / "../shared"
SIGMA = 25


def tiny_protocol(names: tuple[str, ...] = ("a", "b", "c"), rounded: bool = False) -> Protocol:
    noise = GaussianNoise(SIGMA, SIGMA)
    return Protocol("tiny-v1", bsd_gray_under(noise), "val", digest(names), ("psnr", "ssim"), rounded, "little")


@pytest.fixture
def translator(model: Path) -> Translator:
    return load(model, "cpu")


def test_what_is_left_of_the_noise_is_measured(translator: Translator, data: Path) -> None:
    evaluation = evaluate(translator, tiny_protocol(), data, "nothing")
    assert list(evaluation.scores) == ["a", "b", "c"]
    # Nothing is taken away, and hardly anything clipped: what is left is noise of the protocol's strength.
    assert evaluation.figures["psnr"] == pytest.approx(20 * np.log10(255 / SIGMA), abs=0.3)
    assert evaluation.figures["psnr"] == pytest.approx(
        np.mean([scores["psnr"] for scores in evaluation.scores.values()])
    )


def test_the_same_again(translator: Translator, data: Path) -> None:
    protocol = tiny_protocol()
    assert evaluate(translator, protocol, data) == evaluate(translator, protocol, data)


def test_scores_are_those_of_single_pictures(translator: Translator, data: Path) -> None:
    samples = tiny_protocol().open(data)
    sample = samples[1]
    expected = float(METRICS["ssim"](sample.condition.image.clamp(-1, 1), sample.target))
    assert evaluate(translator, tiny_protocol(), data).scores["b"]["ssim"] == pytest.approx(expected, abs=1e-6)


def test_rounding_is_the_protocols(translator: Translator, data: Path) -> None:
    as_computed, as_stored = (evaluate(translator, tiny_protocol(rounded=rounded), data) for rounded in (False, True))
    assert 0 < abs(as_computed.figures["psnr"] - as_stored.figures["psnr"]) < 0.01


def test_other_pictures_of_the_same_names_can_be_told(translator: Translator, data: Path) -> None:
    before = evaluate(translator, tiny_protocol(), data)
    images.write(data / "set12" / "c.png", np.full((40, 60, 1), 100, np.uint8))
    assert evaluate(translator, tiny_protocol(), data).targets_digest != before.targets_digest


def test_other_names_are_refused(translator: Translator, data: Path) -> None:
    (data / "set12" / "c.png").rename(data / "set12" / "d.png")
    with pytest.raises(InputError, match=r"3 pictures of split val, a to d, are not those of tiny-v1: the digest"):
        evaluate(translator, tiny_protocol(), data)


def test_a_model_for_something_else_is_refused(tmp_path: Path, data: Path) -> None:
    photos = load(save_tiny_model(tmp_path / "photos.safetensors", PHOTO_MODEL), "cpu")
    with pytest.raises(InputError, match="tiny-v1: channels of the input picture: the model has 3, the samples have 1"):
        evaluate(photos, tiny_protocol(), data)


def test_a_restorer_of_colours_takes_grey_photos_too(tmp_path: Path, data: Path) -> None:
    grey, coloured = (
        load(save_tiny_denoiser(tmp_path / f"{channels}.safetensors", channels), "cpu") for channels in (1, 3)
    )
    expected = evaluate(grey, tiny_protocol(), data)
    found = evaluate(coloured, tiny_protocol(), data)
    assert found.figures == pytest.approx(expected.figures, abs=1e-5)


@pytest.fixture
def rooms(tmp_path: Path) -> Path:
    """Two photos of 32 x 32, of which all that is not cut off is 2 m away, but for a hole in the second."""
    for name, hole in (("a", 2000), ("b", 0)):
        depth = np.full((32, 32), 2000, np.uint16)
        depth[12:20, 12:20] = hole
        images.write(tmp_path / "rooms" / "val" / "depth" / f"{name}.png", depth)
        images.write(tmp_path / "rooms" / "val" / "image" / f"{name}.png", np.full((32, 32, 3), 128, np.uint8))
    return tmp_path / "rooms"


def says_3_metres(path: Path, depth: ImageSpec) -> Translator:
    translator = load(save_tiny_model(path, PHOTO_MODEL, target=depth, tanh=False), "cpu", engine="reference")
    translator.translate = lambda condition: torch.full((1, 1, *condition.size), -0.4)  # type: ignore[method-assign]
    return translator


def test_depth_is_measured_in_metres_and_not_in_holes(tmp_path: Path, rooms: Path) -> None:
    protocol = replace(PROTOCOLS["nyu-depth-val-v1"], names_digest=digest(("a", "b")))
    evaluation = evaluate(says_3_metres(tmp_path / "m.safetensors", DEPTH), protocol, rooms)
    for scores in evaluation.scores.values():
        assert scores == pytest.approx({"abs_rel": 0.5, "rmse": 1, "delta1": 0, "delta2": 1, "delta3": 1})


@pytest.mark.parametrize(
    ("depth", "message"),
    [
        (replace(DEPTH, white=5000), "the output's white: the model has 5000.0, the samples have 10000.0"),
        (ImageSpec(1), "the output's unit: the model has '', the samples have 'mm'"),
    ],
)
def test_depth_on_another_scale_is_refused(tmp_path: Path, rooms: Path, depth: ImageSpec, message: str) -> None:
    protocol = replace(PROTOCOLS["nyu-depth-val-v1"], names_digest=digest(("a", "b")))
    with pytest.raises(InputError, match=message):
        evaluate(says_3_metres(tmp_path / "m.safetensors", depth), protocol, rooms)


def test_progress_is_told(translator: Translator, data: Path) -> None:
    told: list[tuple[int, int]] = []
    evaluate(translator, tiny_protocol(), data, progress=lambda *done: told.append(done))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_one_table_is_of_one_protocol(translator: Translator, data: Path) -> None:
    evaluation = evaluate(translator, tiny_protocol(), data, "m")
    text = markdown([evaluation, replace(evaluation, model="n")])
    assert text.startswith("tiny-v1: 3 pictures; little.\n")
    assert f"| n | {evaluation.figures['psnr']:.2f} | {evaluation.figures['ssim']:.3f} |" in text
    with pytest.raises(InputError, match="one table is of one protocol, got tiny-v1, tiny-v2"):
        markdown([evaluation, replace(evaluation, protocol=replace(evaluation.protocol, name="tiny-v2"))])


def test_json_holds_every_score(translator: Translator, data: Path) -> None:
    evaluation = evaluate(translator, tiny_protocol(), data)
    content = json.loads(json.dumps(evaluation.to_json()))
    assert content["figures"]["ssim"] == evaluation.figures["ssim"]
    assert content["scores"] == evaluation.scores
    assert (content["protocol"], content["samples"]) == ("tiny-v1", 3)


def test_models_may_be_shown_less(translator: Translator, data: Path) -> None:
    protocol = tiny_protocol()
    less = protocol.from_source((20, 30))
    assert (less.name, less.measures) == ("tiny-v1-from20x30", protocol.measures)
    assert "reduced to 20x30 (height x width)" in less.text
    assert protocol.from_source((40, 60)).text != protocol.text
    whole, reduced = evaluate(translator, protocol, data), evaluate(translator, less, data)
    assert reduced.targets_digest == whole.targets_digest
    # The model changes nothing: its picture is what it was shown.
    sample = protocol.open(data)[0]
    small = F.interpolate(sample.condition.image, (20, 30), mode="bilinear", antialias=True)
    expected = F.interpolate(small, (40, 60), mode="bilinear").clamp(-1, 1)
    assert reduced.scores["a"]["psnr"] == pytest.approx(float(METRICS["psnr"](expected, sample.target)), abs=1e-3)
    # At their own size, there is nothing to take away.
    assert evaluate(translator, protocol.from_source((40, 60)), data).scores == whole.scores


def test_ids_are_reduced_without_making_new_ones() -> None:
    labels = torch.tensor([[[0, 1, 2, 3], [1, 1, 3, 3], [7, 7, 9, 9], [7, 7, 9, 9]]])
    shown = tiny_protocol().from_source((2, 2)).shown(Condition(labels=labels))
    assert shown.labels.tolist() == [[[1, 1, 3, 3], [1, 1, 3, 3], [7, 7, 9, 9], [7, 7, 9, 9]]]


def test_inputs_are_not_enlarged_first(translator: Translator, data: Path) -> None:
    with pytest.raises(InputError, match=r"tiny-v1-from20x61: inputs of .* \(40, 60\) cannot be reduced to \(20, 61\)"):
        evaluate(translator, tiny_protocol().from_source((20, 61)), data)


def test_protocols_are_found_by_name() -> None:
    assert all(protocol_named(name).name == name for name in PROTOCOLS)
    less = protocol_named("bsd68-gray-sigma25-v1-from64x96")
    assert less == protocol_named("bsd68-gray-sigma25-v1").from_source((64, 96))
    with pytest.raises(InputError, match="no protocol 'bsd-v1-from64x96'; there are"):
        protocol_named("bsd-v1-from64x96")
    for suffix in ("-from0x96", "-from64", "-from9x9-from4x4"):
        with pytest.raises(InputError, match=f"no protocol 'bsd68-gray-sigma25-v1{suffix}'"):
            protocol_named(f"bsd68-gray-sigma25-v1{suffix}")
    with pytest.raises(InputError, match="no protocol 'bsd'; there are bsd68-gray-sigma15-v1, "):
        protocol_named("bsd")


@pytest.mark.slow
@pytest.mark.skipif(not (SHARED / "conformance").is_dir(), reason="the trained weights are not shipped")
@pytest.mark.parametrize(
    ("name", "sigma", "bsd68", "set12"),
    # Zhang et al., TIP 2017, tables II and III.
    [("s15", 15, 31.71, 32.84), ("s25", 25, 29.21, 30.40), ("s50", 50, 26.22, 27.17), ("b", 25, 29.15, 30.34)],
)
def test_trained_denoisers_reach_their_published_figures(
    name: str, sigma: int, bsd68: float, set12: float, tmp_path: Path
) -> None:
    with np.load(SHARED / "conformance" / f"dncnn_{name}.npz") as file:
        weights = {key.removeprefix("sd/"): torch.from_numpy(file[key]) for key in file.files if key.startswith("sd/")}
    config = PUBLISHED[name].config
    grey = ImageSpec(channels=1)
    path = tmp_path / "dncnn.safetensors"
    manifest = manifest_for(config, ConditionSpec(image_channels=1), image=grey, target=grey)
    save_checkpoint(path, adopt("dncnn", weights, config), manifest)
    translator = load(path, "cpu")
    for pictures, published in (("bsd68", bsd68), ("set12", set12)):
        protocol = protocol_named(f"{pictures}-gray-sigma{sigma}-v1")
        evaluation = evaluate(translator, protocol, SHARED / "data" / "bsd_gray")
        assert evaluation.figures["psnr"] == pytest.approx(published, abs=0.05)
