"""Published weights in several files, and spectral norms of every age."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from recorded import RECORDED_CONFIGS, TOLERANCE, recorded, recorded_condition
from torch import Tensor

from pixelwise.adopt import adopt, adopt_file
from pixelwise.checkpoint import load_checkpoint
from pixelwise.errors import InputError
from pixelwise.layers.published_names import with_hooked_norms
from pixelwise.models import family_of
from pixelwise.models.family import GeneratorConfig, config_to_json
from pixelwise.models.spade import Spade, SpadeConfig

STYLED_SPADE = RECORDED_CONFIGS["spade_vae"]
TWO_FILES = ("spade_vae", "pix2pixhd_features", "groupdnet")


def two_files(name: str, folder: Path) -> tuple[Path, Path]:
    """A recorded generator and its encoder as their authors publish them: apart, and without prefixes."""
    _, weights = recorded(name)
    files = folder / "latest_net_G.pth", folder / "latest_net_E.pth"
    for prefix, file in zip(("netG.", "netE."), files, strict=True):
        torch.save({key.removeprefix(prefix): value for key, value in weights.items() if key.startswith(prefix)}, file)
    return files


def fields_of(config: GeneratorConfig, folder: Path) -> Path:
    path = folder / "fields.json"
    path.write_text(json.dumps(config_to_json(config)))
    return path


@pytest.mark.parametrize("name", TWO_FILES)
def test_a_generator_and_its_encoder_are_adopted_from_two_files(tmp_path: Path, name: str) -> None:
    config = RECORDED_CONFIGS[name]
    family = family_of(config).name
    source, encoder = two_files(name, tmp_path)
    out, fields = tmp_path / "m.safetensors", fields_of(config, tmp_path)
    manifest = adopt_file(family, source, out, config_file=fields, encoder=encoder)
    assert manifest.source.startswith("adopted from latest_net_G.pth and latest_net_E.pth")
    assert manifest.spec.style
    of_one = adopt(family, recorded(name)[1], config).state_dict()
    of_two = load_checkpoint(out).generator.state_dict()  # type: ignore[attr-defined]
    assert all(torch.equal(of_two[key], value) for key, value in of_one.items())
    with pytest.raises(InputError, match=r"latest_net_G\.pth: .*missing.*the encoder's weights are missing"):
        adopt_file(family, source, out, config_file=fields, overwrite=True)


@pytest.mark.parametrize("name", TWO_FILES)
def test_weights_saved_in_their_wrapper_for_several_gpus_are_adopted(tmp_path: Path, name: str) -> None:
    config = RECORDED_CONFIGS[name]
    family = family_of(config).name
    source, encoder = two_files(name, tmp_path)
    for file in (source, encoder):
        torch.save({f"module.{key}": value for key, value in torch.load(file).items()}, file)
    out, fields = tmp_path / "m.safetensors", fields_of(config, tmp_path)
    adopt_file(family, source, out, config_file=fields, encoder=encoder)
    of_one = adopt(family, {f"module.{key}": value for key, value in recorded(name)[1].items()}, config).state_dict()
    of_two = load_checkpoint(out).generator.state_dict()  # type: ignore[attr-defined]
    assert all(torch.equal(of_two[key], value) for key, value in of_one.items())


def test_the_command_takes_both_files(
    pixelwise_command: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, encoder = two_files("spade_vae", tmp_path)
    fields, out = fields_of(STYLED_SPADE, tmp_path), tmp_path / "m.safetensors"
    assert pixelwise_command("adopt", "spade", source, "--encoder", encoder, "--config", fields, "--out", out) == 0
    assert capsys.readouterr().out.startswith(f"wrote {out}: spade, adopted from latest_net_G.pth and latest_net_E.pth")


def test_an_encoder_that_the_configuration_does_not_have_is_refused(tmp_path: Path) -> None:
    source, encoder = two_files("spade_vae", tmp_path)
    fields = fields_of(replace(STYLED_SPADE, style=False), tmp_path)
    with pytest.raises(InputError, match=r"unexpected \(.*this configuration has no encoder"):
        adopt_file("spade", source, tmp_path / "m.safetensors", config_file=fields, encoder=encoder)
    encoder.write_bytes(b"not weights")
    with pytest.raises(InputError, match=r"^\S*latest_net_E\.pth: refused"):
        adopt_file("spade", source, tmp_path / "m.safetensors", config_file=fields, encoder=encoder)


def as_oldest(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """As torch stored spectral norms before 1.1: the normalised weight in the place of the second vector."""
    stored = {name: value for name, value in weights.items() if not name.endswith("weight_v")}
    for name in [name for name in weights if name.endswith("weight_v")]:
        layer = name.removesuffix("_v")
        original = weights[f"{layer}_orig"]
        stored[layer] = original / (weights[f"{layer}_u"] @ original.flatten(1) @ weights[name])
    return stored


def as_newest(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """As ``torch.nn.utils.parametrizations.spectral_norm`` stores them."""
    parts = {"_orig": "original", "_u": "0._u", "_v": "0._v"}
    renamed = dict(weights)
    for name in weights:
        for old, new in parts.items():
            if name.endswith(f"weight{old}"):
                layer = name.removesuffix(f"weight{old}")
                renamed[f"{layer}parametrizations.weight.{new}"] = renamed.pop(name)
    return renamed


@pytest.mark.parametrize("store", [as_oldest, as_newest])
@torch.no_grad()
def test_spectral_norms_of_every_age_are_adopted(store: Callable[[dict[str, Tensor]], dict[str, Tensor]]) -> None:
    arrays, weights = recorded("spade")
    assert set(store(weights)) != set(weights)
    generator = adopt("spade", store(weights), RECORDED_CONFIGS["spade"])
    torch.testing.assert_close(generator(recorded_condition(arrays)).image, arrays["out/image"], atol=TOLERANCE, rtol=0)


def test_a_second_vector_is_estimated_where_there_is_nothing_to_tell_it() -> None:
    torch.manual_seed(0)
    ours = Spade(SpadeConfig(num_labels=6, out_channels=3, width=2)).state_dict()
    hooked = with_hooked_norms({name: value for name, value in ours.items() if not name.endswith("weight_v")})
    name = "decoder.blocks.0.conv_0.weight"
    back = ours[f"{name}_orig"].flatten(1).T @ ours[f"{name}_u"]
    torch.testing.assert_close(hooked[f"{name}_v"], back / back.norm())
