"""Models that make several pictures of each input: a seed is the number of one of them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_model import LABELS, TINY_RIVALS, save_tiny_rival

from pixelwise import images
from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.translate import Translator, job_plan, jobs, load

INDICES = torch.arange(3).repeat_interleave(5).repeat(11, 1)
FILE_IDS = LABELS.file_ids(INDICES.numpy())
THREE = TINY_RIVALS["crn"]


@pytest.fixture
def translator(tmp_path: Path) -> Translator:
    return load(save_tiny_rival(tmp_path / "model.safetensors", THREE), "cpu")


def test_samples_are_the_variants_and_the_first_is_what_one_gets(translator: Translator) -> None:
    samples = translator(INDICES, samples=3)
    assert [tuple(sample.shape) for sample in samples] == [(3, 11, 15)] * 3
    assert not any(torch.equal(samples[a], samples[b]) for a, b in ((0, 1), (0, 2), (1, 2)))
    assert torch.equal(translator(INDICES), samples[0])
    for seed in range(3):
        assert torch.equal(translator(INDICES, seed=seed), samples[seed])
    assert torch.equal(translator(INDICES, seed=1, samples=2)[1], samples[2])


def test_pictures_and_arrays_have_the_same_variants(translator: Translator) -> None:
    sample = translator(INDICES, seed=2)
    array = translator(FILE_IDS, seed=2)
    np.testing.assert_array_equal(array, images.from_tensor(sample, translator.manifest.target))
    picture = translator(Image.fromarray(FILE_IDS), samples=3)[2]
    np.testing.assert_array_equal(np.asarray(picture), array)


def test_a_batch_gives_all_pictures_of_one_variant(translator: Translator) -> None:
    batch = Condition(labels=torch.stack([INDICES, INDICES.flip(1)]))
    pictures = translator.translate(batch, seed=1)
    for number in range(2):
        torch.testing.assert_close(pictures[number], translator(batch.labels[number], seed=1))


def test_all_samples_cost_one_pass(translator: Translator, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    forward = translator.generator.forward
    monkeypatch.setattr(translator.generator, "forward", lambda condition: calls.append(1) or forward(condition))
    translator(INDICES, samples=3)
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("wish", "asked"), [({"seed": 3}, "3..3"), ({"samples": 4}, "0..3"), ({"seed": 2, "samples": 9}, "2..10")]
)
def test_no_more_than_there_are(translator: Translator, wish: dict[str, int], asked: str) -> None:
    message = f"this crn model makes 3 pictures of each input, of the seeds 0..2; asked for are {asked}"
    with pytest.raises(InputError, match=re.escape(message)):
        translator(INDICES, **wish)


def test_one_variant_has_no_number(tmp_path: Path) -> None:
    translator = load(save_tiny_rival(tmp_path / "model.safetensors", replace(THREE, num_variants=1)), "cpu")
    assert translator(INDICES).shape == (3, 11, 15)
    with pytest.raises(InputError, match="this crn model leaves nothing to chance"):
        translator(INDICES, seed=0)


def test_files_of_all_variants(translator: Translator, tmp_path: Path) -> None:
    source = tmp_path / "a.png"
    images.write(source, FILE_IDS)
    planned = job_plan.plan([str(source)], tmp_path / "out", samples=3)
    assert [outcome.error for outcome in jobs.run(translator, planned)] == [None] * 3
    for seed in range(3):
        np.testing.assert_array_equal(images.read(tmp_path / "out" / f"a-{seed}.png"), translator(FILE_IDS, seed=seed))
    with pytest.raises(InputError, match="makes 3 pictures of each input"):
        list(jobs.run(translator, job_plan.plan([str(source)], tmp_path / "more", samples=4)))
    assert not (tmp_path / "more").exists()
