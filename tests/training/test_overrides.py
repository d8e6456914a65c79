from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from pixelwise.errors import InputError
from pixelwise.models.asapnet import AsapNetConfig
from pixelwise.training import TrainConfig
from pixelwise.training.overrides import describe_flags, override

CONFIG = TrainConfig(model=AsapNetConfig(), dataset="facades", data="data", out="out", crop=(64, 64))


@pytest.mark.parametrize(
    ("arguments", "field", "value"),
    [
        ("--batch-size 8", "batch_size", 8),
        ("--batch-size=8", "batch_size", 8),
        ("--batch-size 8 --batch-size 2", "batch_size", 2),
        ("--steps 10_000", "steps", 10_000),
        ("--seed -1", "seed", -1),
        ("--learning-rate 2e-4", "learning_rate", 2e-4),
        ("--max-gradient-norm 5", "max_gradient_norm", 5.0),
        ("--out runs/a=b", "out", "runs/a=b"),
        ("--vgg19=", "vgg19", ""),
        ("--scale 256x512", "scale", (256, 512)),
        ("--crop 128,256", "crop", (128, 256)),
        ("--crop none", "crop", None),
        ("--betas 0.5,0.9", "betas", (0.5, 0.9)),
        ("--no-flip", "flip", False),
        ("--no-flip --flip", "flip", True),
    ],
)
def test_a_flag_sets_one_field_in_its_type(arguments: str, field: str, value: Any) -> None:
    changed = override(CONFIG, arguments.split())
    assert getattr(changed, field) == value
    assert type(getattr(changed, field)) is type(value)
    assert {f.name for f in fields(CONFIG) if getattr(changed, f.name) != getattr(CONFIG, f.name)} <= {field}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--batch-size", "--batch-size needs a value"),
        ("--batch-size 2.5", "--batch-size '2.5': expected a whole number"),
        ("--learning-rate fast", "--learning-rate 'fast': expected a number"),
        ("--crop 256", "--crop '256': expected HEIGHTxWIDTH, or none"),
        ("--betas 0.5", "--betas '0.5': expected two numbers"),
        ("--betas 0.5,x", "--betas '0.5,x': expected a number"),
        ("--batch-size 0", "batch_size must be positive, got 0"),
        ("--learning-rate nan", "learning_rate must be positive, got nan"),
        ("--precision int4", "'int4' is not one of fp32, fp16, bf16"),
        ("--flip true", r"no flag 'true'; an experiment has --dataset, .*--seed, .*--flip, --no-flip"),
        ("--objective x", "no flag '--objective'"),
        ("--batch_size 2", "no flag '--batch_size'"),
        ("-batch-size 2", "no flag '-batch-size'"),
        ("batch-size 2", "no flag 'batch-size'"),
        ("--no-batch-size", "no flag '--no-batch-size'"),
    ],
)
def test_what_cannot_be_set_is_refused(arguments: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        override(CONFIG, arguments.split())


def test_every_flag_is_described_with_its_value() -> None:
    lines = describe_flags(override(CONFIG, ["--betas", "0.5,0.9"])).splitlines()
    flags = [line for line in lines if not line.startswith(" ")]
    assert {"--crop 64x64", "--scale none", "--betas 0.5,0.9", "--flip, --no-flip: True", '--vgg19 ""'} <= set(flags)
    assert len(flags) == len(fields(TrainConfig)) - len(("model", "objective", "discriminator"))
    meanings = [line for number, line in enumerate(lines) if number and lines[number - 1] in flags]
    assert all(line.startswith("    ") for line in meanings)
    assert len(meanings) == len(flags)
    assert max(map(len, lines)) <= 100


def test_described_values_can_be_given_back() -> None:
    config = override(CONFIG, ["--betas", "0.5,0.9", "--crop", "none", "--scale", "1x2", "--learning-rate", "1e-5"])
    described = [line for line in describe_flags(config).splitlines() if line.startswith("--") and ": " not in line]
    arguments = [word.strip('"') for line in described for word in line.split()]
    assert override(CONFIG, arguments) == config


def test_whole_numbers_among_betas_are_described_as_betas() -> None:
    assert "--betas 0,0.9" in describe_flags(replace(CONFIG, betas=(0, 0.9))).splitlines()
