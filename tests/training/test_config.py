from dataclasses import replace

import pytest

from pixelwise.errors import InputError
from pixelwise.models.sims import SimsConfig
from pixelwise.training import TrainConfig


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("batch_size", 0, "positive"),
        ("steps", -1, "positive"),
        ("save_every", 0, "positive"),
        ("validation_samples", 0, "positive"),
        ("learning_rate", 0.0, "positive"),
        ("learning_rate", float("nan"), "positive"),
        ("discriminator_learning_rate", float("inf"), "positive"),
        ("constant_steps", -1, "0 or more"),
        ("num_workers", -1, "0 or more"),
        ("max_gradient_norm", -0.5, "0 or more"),
        ("ema_decay", 1.0, r"in \[0, 1\)"),
        ("betas", (0.5, 1.0), r"in \[0, 1\)"),
        ("precision", "half", "one of fp32, fp16, bf16"),
    ],
)
def test_values_out_of_range_are_named(config: TrainConfig, name: str, value: object, expected: str):
    with pytest.raises(InputError, match=f"{name}.* {expected}"):
        replace(config, **{name: value})


def test_a_memory_bank_is_for_families_that_draw_from_one(config: TrainConfig):
    with pytest.raises(InputError, match=r"bank is 'a\.safetensors', but asapnet draws from no memory bank"):
        replace(config, bank="a.safetensors")
    with pytest.raises(InputError, match="sims draws from a memory bank: give its file as bank; `pixelwise memorise`"):
        replace(config, model=SimsConfig())


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("steps", 2.5, "an integer"),
        ("batch_size", True, "an integer"),
        ("data", None, "text"),
        ("crop", (64,), "an integer, an integer"),
        ("scale", 64, "an integer, an integer"),
        ("betas", (0.5,), "a number, a number"),
        ("objective", 3, "an object of fields or null"),
        ("discriminator", "patch", "an object of fields"),
    ],
)
def test_values_of_another_type_are_named(config: TrainConfig, name: str, value: object, expected: str):
    with pytest.raises(InputError, match=f"'{name}' must be .*{expected}.*, got "):
        replace(config, **{name: value})
