"""Reading published weights: what fits is adopted, what could harm or does not fit is refused by name."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from recorded import RECORDED_CONFIGS, recorded

from pixelwise.adopt import _spec, adopt, adopt_file
from pixelwise.checkpoint import load_checkpoint
from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.models import FAMILIES, family_of
from pixelwise.models.asapnet import PUBLISHED, AsapNet, AsapNetConfig
from pixelwise.models.clade import CladeConfig
from pixelwise.models.crn import Crn, CrnConfig
from pixelwise.models.family import GeneratorConfig
from pixelwise.models.sean import SeanConfig
from pixelwise.models.spade import SpadeConfig

SHARED = Path(__file__).parents[1] / "../shared"
GOLDEN = Path(__file__).parent / "golden" / "asapnet.npz"
FIELDS = {
    "num_labels": 7, "instance_edges": True, "out_channels": 3, "cell": 8, "learned_reduction": 4, "width": 8,
    "max_width": 32, "num_blocks": 2, "mlp_width": 16,
}  # fmt: skip


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    path = tmp_path / "fields.json"
    path.write_text(json.dumps(FIELDS))
    return path


def published_weights() -> dict[str, torch.Tensor]:
    with np.load(GOLDEN) as file:
        return {key.removeprefix("sd/"): torch.from_numpy(file[key]) for key in file.files if key.startswith("sd/")}


@pytest.mark.parametrize("suffix", [".npz", ".pth"])
@torch.no_grad()
def test_an_adopted_checkpoint_reproduces_the_recorded_image(tmp_path: Path, config_file: Path, suffix: str) -> None:
    source = GOLDEN
    if suffix == ".pth":
        source = tmp_path / "latest_net_G.pth"
        torch.save(published_weights(), source)
    manifest = adopt_file("asapnet", source, tmp_path / "m.safetensors", config_file=config_file)
    assert source.name in manifest.source
    generator = load_checkpoint(tmp_path / "m.safetensors").generator
    with np.load(GOLDEN) as file:
        condition = Condition(
            labels=torch.from_numpy(file["in/label"][:, 0]), instances=torch.from_numpy(file["in/instance"][:, 0])
        )
        expected = torch.from_numpy(file["out/image"])
    torch.testing.assert_close(generator(condition).image, expected, atol=2e-4, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLISHED)
def test_published_configurations_are_adopted_by_name(tmp_path: Path, name: str) -> None:
    """Their files are not at hand: random weights of the published shapes, under the published names."""
    config = PUBLISHED[name].config
    assert isinstance(config, AsapNetConfig)
    ours = AsapNet(config).state_dict()
    weights = FAMILIES["asapnet"].as_published(ours, config)
    source = tmp_path / "latest_net_G.pth"
    torch.save(weights, source)
    manifest = adopt_file("asapnet", source, tmp_path / "m.safetensors", published=name)
    assert name in manifest.source
    assert manifest.spec.num_labels == config.num_labels
    adopted = load_checkpoint(tmp_path / "m.safetensors").generator
    assert all(torch.equal(tensor, ours[key]) for key, tensor in adopted.state_dict().items())  # type: ignore[attr-defined]


@pytest.mark.skipif(not (SHARED / "weights").is_dir(), reason="the trained weights are not shipped")
def test_an_adopted_denoiser_says_which_noise_it_takes_away(tmp_path: Path) -> None:
    source = SHARED / "weights" / "dncnn_25.pth"
    manifest = adopt_file("dncnn", source, tmp_path / "m.safetensors", published="kair_25")
    assert (manifest.restores, manifest.noise) == (True, (25, 25))
    assert load_checkpoint(tmp_path / "m.safetensors").manifest == manifest


def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path, config_file: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "boom"),)

    source = tmp_path / "bomb.pth"
    torch.save({"lowres_stream.model.0.0.weight": Bomb()}, source)
    with pytest.raises(InputError, match=r"bomb\.pth: refused, reading it could run code .*mkdir"):
        adopt_file("asapnet", source, tmp_path / "m.safetensors", config_file=config_file)
    assert not (tmp_path / "boom").exists()
    assert not (tmp_path / "m.safetensors").exists()


def test_an_out_of_another_name_is_refused_before_anything_is_read(tmp_path: Path, config_file: Path) -> None:
    with pytest.raises(InputError, match=r"m\.pth: a checkpoint's name ends in \.safetensors"):
        adopt_file("asapnet", tmp_path / "missing.npz", tmp_path / "m.pth", config_file=config_file)


def test_exactly_one_configuration(tmp_path: Path, config_file: Path) -> None:
    for both in ({}, {"published": "facades512", "config_file": config_file}):
        with pytest.raises(InputError, match="either the name of a published configuration or a file"):
            adopt_file("asapnet", GOLDEN, tmp_path / "m.safetensors", **both)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"no published 'facades9'; there are facades512"):
        adopt_file("asapnet", GOLDEN, tmp_path / "m.safetensors", published="facades9")
    with pytest.raises(InputError, match=r"sims has no published 'x'; there are none: describe .* \(--config\)"):
        adopt_file("sims", GOLDEN, tmp_path / "m.safetensors", published="x")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not readable as JSON"),
        ("[]", "expected an object"),
        ('{"cel": 8}', "no field 'cel'"),
        ("[" * 100_000, "not readable as JSON"),
        ('{"image_channels": -1}', "image_channels must be at least 0"),
    ],
)
def test_bad_configuration_files_are_named(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(content)
    with pytest.raises(InputError, match=rf"bad\.json: .*{message}"):
        adopt_file("asapnet", GOLDEN, tmp_path / "m.safetensors", config_file=path)


def test_another_familys_configuration_is_refused() -> None:
    with pytest.raises(InputError, match="takes a AsapNetConfig, got a dict"):
        adopt("asapnet", published_weights(), FIELDS)  # type: ignore[arg-type]


SPADE = SpadeConfig(num_labels=6, instance_edges=True, out_channels=3, width=2)


@pytest.mark.parametrize(
    ("name", "wrong", "right"),
    [
        ("clade", SPADE, "clade"),
        ("spade", CladeConfig(num_labels=6, instance_edges=True, out_channels=3, width=2), "spade"),
        ("dagan", SPADE, "dagan"),
        ("sean", SPADE, "sean"),
        ("ccfpse", SPADE, "ccfpse"),
        ("spade", AsapNetConfig(num_labels=6, out_channels=3), "spade"),
        ("spade", SeanConfig(num_labels=5, out_channels=3), "spade"),
    ],
)
def test_weights_of_another_family_are_refused_with_its_name(name: str, wrong: GeneratorConfig, right: str) -> None:
    family = family_of(wrong).name
    with pytest.raises(InputError, match=rf"; their names are rather those of the family {right}$"):
        adopt(family, recorded(name)[1], wrong)


def test_a_class_count_that_differs_is_told_by_the_shapes() -> None:
    with pytest.raises(InputError, match=r"of another shape \(\S+ \(128, 7, 3, 3\) for \(128, 10, 3, 3\)[^;]*$"):
        adopt("spade", recorded("spade")[1], replace(SPADE, num_labels=9))
    config = SeanConfig(num_labels=25, out_channels=3, width=2, style_length=12, hidden=8, encoder_width=4)
    with pytest.raises(InputError, match=r"6 of 25 classes have no layer \(head_0\.ace_0\.fc_mu19"):
        adopt("sean", recorded("sean")[1], config)


def test_missing_and_further_weights_are_listed() -> None:
    _, weights = recorded("spade")
    del weights["fc.bias"]
    with pytest.raises(InputError, match=r"1 missing \(fc\.bias \(32,\)\); 1 unexpected \(fc_2\.bias \(1,\)\)$"):
        adopt("spade", {**weights, "fc_2.bias": torch.zeros(1)}, SPADE)
    for number in range(5):
        weights[f"netG.extra.{number}"] = weights.pop(f"up_{number % 4}.norm_{number // 4}.mlp_gamma.bias")
    with pytest.raises(InputError) as caught:
        adopt("spade", {f"module.{name}": weight for name, weight in weights.items()}, SPADE)
    assert str(caught.value) == (
        "the weights do not fit the configuration: 6 missing (up_0.norm_0.mlp_gamma.bias (32,), "
        "up_0.norm_1.mlp_gamma.bias (16,), up_1.norm_0.mlp_gamma.bias (16,) …); "
        "5 unexpected (module.netG.extra.0 (32,), module.netG.extra.1 (16,), module.netG.extra.2 (8,) …)"
    )


@pytest.mark.parametrize(
    ("name", "changed", "told"),
    [
        ("asapnet_reflect", "lowres_stream.model.13.conv_block.1.1.bias", r"\(32,\)"),
        ("clade", "up_3.norm_1.class_specified_affine.weight", r"\(8, 4\)"),
        ("clade_icpe", "up_3.norm_1.class_specified_affine.dist_conv_w.weight", r"\(1, 2, 1, 1\)"),
        ("ccfpse", "labellat2.0.0.weight_orig", r"\(1, 1, 1, 1\)"),
        ("dagan", "cab.conv1.bias", r"\(2,\)"),
        ("pix2pix_unet", "model.model.1.model.2.bias", r"\(8,\)"),
        ("pix2pixhd_local", "model1_2.1.conv_block.5.weight", r"\(8, 8, 3, 3\)"),
        ("pix2pixhd_features", "netE.model.17.bias", r"\(3,\)"),
        ("groupdnet", "netE.layer3.0.weight_orig", r"\(64, 4, 3, 3\)"),
        ("sean", "up_2.ace_s.conv_beta.weight", r"\(8, 12, 3, 3\)"),
    ],
)
def test_what_does_not_fit_is_told_by_the_names_of_the_file(name: str, changed: str, told: str) -> None:
    config, (_, weights) = RECORDED_CONFIGS[name], recorded(name)
    family = family_of(config).name
    weight = weights.pop(changed)
    with pytest.raises(InputError, match=rf": 1 missing \({re.escape(changed)} {told}\)(?!.*unexpected)"):
        adopt(family, weights, config)
    weights[changed] = torch.cat([weight, weight])
    twice = re.escape(str(tuple(weights[changed].shape)))
    with pytest.raises(InputError, match=rf"1 of another shape \({re.escape(changed)} {twice} for {told}\)"):
        adopt(family, weights, config)


def test_layers_of_single_classes_are_told_one_by_one() -> None:
    config, (_, weights) = RECORDED_CONFIGS["sean"], recorded("sean")
    last = weights.pop("head_0.ace_0.fc_mu0.weight")
    with pytest.raises(InputError, match=r"1 of 5 classes have no layer \(head_0\.ace_0\.fc_mu0\.weight …\)"):
        adopt("sean", weights, config)
    weights["head_0.ace_0.fc_mu0.weight"] = last[:6]
    with pytest.raises(
        InputError, match=r"head_0\.ace_0\.fc_mu0\.weight …, differ in shape: \[\(6, 12\), \(12, 12\)\]"
    ):
        adopt("sean", weights, config)
    without = {name: weight for name, weight in weights.items() if "head_0.ace_0.fc_mu" not in name}
    with pytest.raises(
        InputError, match=r"10 missing \(head_0\.ace_0\.fc_mu0\.weight \(12, 12\), head_0\.ace_0\.fc_mu1"
    ):
        adopt("sean", without, config)


def test_kernels_of_tensorflow_are_told_by_their_own_shape() -> None:
    config = CrnConfig(num_labels=4, out_channels=3, widths=(6, 5))
    weights = FAMILIES["crn"].as_published(Crn(config).state_dict(), config)
    del weights["g_8_conv1/weights"]
    with pytest.raises(InputError, match=r"1 missing \(g_8_conv1/weights \(3, 3, 10, 5\)\)"):
        adopt("crn", weights, config)


@pytest.mark.parametrize(
    ("published", "first"), [("cityscapes", "unlabeled"), ("ade20k_icpe", "wall"), ("coco_stuff", "person")]
)
def test_classes_of_published_configurations_have_their_names(published: str, first: str) -> None:
    config = FAMILIES["clade"].published[published].config
    labels = _spec(FAMILIES["clade"], config, published).labels
    assert labels is not None
    assert (labels.names[0], labels.num_channels) == (first, config.num_labels)
    photos = FAMILIES["pix2pix"].published["cityscapes"].config
    assert _spec(FAMILIES["pix2pix"], photos, "cityscapes").labels is None
