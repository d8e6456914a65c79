"""What every family costs: rows, their table, and the command."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from pixelwise.bench import families as measured
from pixelwise.bench.families import FamilyPlan, FamilySubject, condition_for, measure_families, published_subjects
from pixelwise.bench.families_table import families_markdown
from pixelwise.bench.memory import family_peak_bytes, family_training_bytes
from pixelwise.errors import InputError
from pixelwise.metrics.complexity import CPU
from pixelwise.metrics.memory import can_tell
from pixelwise.models import FAMILIES, family_of
from pixelwise.models.asapnet import AsapNetConfig
from pixelwise.models.spade import PUBLISHED, SpadeConfig

TINY = AsapNetConfig(num_labels=3, out_channels=3, cell=8, width=4, max_width=8, num_blocks=1, mlp_width=4, mlp_depth=2)
TINY_MLP_MACS = (3 + 12) * 4 + 4 * 3
TINY_SPADE = SpadeConfig(num_labels=3, out_channels=3, width=1)


def row(model: str, size: list[int], parameters: int, macs: list[int | None], median: float) -> dict[str, Any]:
    return {
        "model": model,
        "size": size,
        "parameters": parameters,
        "macs": dict(zip(("total", "low_resolution", "pixelwise"), macs, strict=True)),
        "seconds": {"median": median, "lower_quartile": median / 2, "upper_quartile": median * 2},
        "memory_bytes": 12_340_000 if model == "asapnet" else None,
    }


RESULTS = {
    "date": "2026-11-01T12:00:00+00:00",
    "machine": {"cpu": "Abacus 3", "instructions": "AVX2", "cores": 2, "memory_gib": 7.5, "gpus": []},
    "versions": {"python": "3.11.2", "torch": "2.13.0", "pixelwise": "0.1.0"},
    "threads": 2,
    "device": "cpu",
    "rows": [
        row("asapnet", [256, 256], 83_200_000, [24_441_000_000, 23_409_000_000, 1_032_000_000], 0.5),
        row("asapnet", [512, 1024], 83_460_000, [55_400_000_000, 47_010_000_000, 8_390_000_000], 2.0),
        row("rival", [256, 256], 54_400_000, [6_600_000_000, None, None], 0.25),
        row("rival", [512, 1024], 54_400_000, [52_800_000_000, None, None], 1.5),
    ],
}


def test_the_table_says_what_the_results_say() -> None:
    lines = families_markdown(RESULTS).splitlines()
    assert "Abacus 3 (AVX2), 2 cores, 7.5 GiB; 2 threads; torch 2.13.0, pixelwise 0.1.0; 2026-11-01" in "".join(lines)
    assert [line for line in lines if line.startswith("|")] == [
        "| model | parameters, M | 256×256: GMAC | 256×256: ms | 256×256: MB "
        "| 512×1024: GMAC | 512×1024: ms | 512×1024: MB |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| asapnet | 83.2–83.5 | 24.4 (23.4 + 1.03) | 500 (250–1000) | 12.3 "
        "| 55.4 (47 + 8.39) | 2000 (1000–4000) | 12.3 |",
        "| rival | 54.4 | 6.6 | 250 (125–500) |  | 52.8 | 1500 (750–3000) |  |",
        "| model | 256×256 | 512×1024 |",
        "| --- | ---: | ---: |",
        "| rival | 0.5 | 0.75 |",
    ]


def test_every_family_is_measured_as_published() -> None:
    subjects = {subject.name: subject for subject in published_subjects()}
    measured_families = dict.fromkeys(name.partition(",")[0] for name in subjects)
    assert list(measured_families) == [name for name in FAMILIES if FAMILIES[name].published]
    assert subjects["spade, cityscapes"].configure((512, 512)) == PUBLISHED["cityscapes"].config
    for name, subject in subjects.items():
        assert family_of(subject.configure((256, 256))).name == name.partition(",")[0]
    assert [subject.name for subject in published_subjects("clade,sean")] == [
        "clade, cityscapes",
        "clade, cityscapes_icpe",
        "sean, cityscapes",
        "sean, cityscapes_clade",
    ]
    assert len(subjects) == len(measured_families) + 3
    assert subjects["groupdnet, cityscapes_clade"].configure((256, 256)).class_modulation  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="no family 'spode'"):
        published_subjects("spode")
    with pytest.raises(InputError, match="sims has no published configurations"):
        published_subjects("sims")


def test_published_asapnets_have_sixteen_rows_of_cells() -> None:
    (subject,) = published_subjects("asapnet")
    expected = AsapNetConfig(num_labels=35, instance_edges=True, out_channels=3, cell=32)
    assert subject.configure((512, 1024)) == expected


def test_rows_hold_what_is_measured() -> None:
    subjects = [FamilySubject("tiny", lambda size: TINY), FamilySubject("rival", lambda size: TINY_SPADE)]
    told: list[str] = []
    plan = FamilyPlan(sizes=((16, 24), (32, 32)), repeats=2, memory=False)
    results = json.loads(json.dumps(measure_families(subjects, plan, told.append)))
    assert told == ["1/2 tiny, 16x24", "1/2 tiny, 32x32", "2/2 rival, 16x24", "2/2 rival, 32x32"]
    tiny, _, rival, _ = results["rows"]
    assert tiny["parameters"] == sum(weight.numel() for weight in family_of(TINY).generator(TINY).parameters())
    assert tiny["macs"]["pixelwise"] == 16 * 24 * TINY_MLP_MACS
    assert tiny["macs"]["total"] == tiny["macs"]["low_resolution"] + tiny["macs"]["pixelwise"]
    assert 0 < tiny["seconds"]["lower_quartile"] <= tiny["seconds"]["median"]
    assert tiny["seconds"]["repeats"] == 2
    assert rival["macs"]["pixelwise"] is rival["memory_bytes"] is None
    assert families_markdown(results).count("| rival |") == 1


def test_slow_calls_are_repeated_less() -> None:
    subject = FamilySubject("tiny", lambda size: TINY_SPADE)
    results = measure_families([subject], FamilyPlan(((32, 32),), patience=0.0, memory=False), str)
    assert results["rows"][0]["seconds"]["repeats"] == 1
    with pytest.raises(InputError, match="expected repeats >= 1, got 0"):
        FamilyPlan(repeats=0)


def test_styles_are_given_to_those_who_read_them() -> None:
    assert condition_for(TINY_SPADE, (8, 8)).style is None
    assert condition_for(SpadeConfig(num_labels=3, style=True), (8, 8)).style is not None


@pytest.mark.skipif(not can_tell(CPU), reason="this system does not tell")
def test_memory_is_measured_in_a_process_of_its_own() -> None:
    side = 256
    grown = family_peak_bytes(TINY_SPADE, (side, side))
    assert grown is not None
    # The modulations' 128 hidden channels at full size are the most that is there at a time.
    assert 128 * 4 * side**2 < grown < 600 * 4 * side**2


@pytest.mark.skipif(not can_tell(CPU), reason="this system does not tell")
def test_training_takes_more_memory_than_a_picture() -> None:
    training, inference = (ask(TINY_SPADE, (64, 64)) for ask in (family_training_bytes, family_peak_bytes))
    assert training is not None
    assert inference is not None
    # All that was computed is kept for the way back, and gradients and two moments of all weights.
    assert training > inference


def test_a_process_that_is_killed_costs_its_own_figure_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, -9, ""))
    results = measure_families([FamilySubject("tiny", lambda size: TINY)], FamilyPlan(((8, 16),), repeats=1), str)
    assert results["rows"][0]["memory_bytes"] is None
    assert results["rows"][0]["seconds"]["median"] > 0


def test_the_command_prints_and_writes(
    pixelwise_command: Callable[..., int],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(measured, "published_subjects", lambda _: [FamilySubject("tiny", lambda size: TINY)])
    out, threads = tmp_path / "families.json", torch.get_num_threads()
    arguments = ("--families", "all", "--quick", "--sizes", "8x16", "--no-memory", "--threads", threads, "--out", out)
    assert pixelwise_command("bench", *arguments) == 0
    printed = capsys.readouterr()
    assert "1/1 tiny, 8x16" in printed.err
    assert "8×16: GMAC" in printed.out
    assert out.with_suffix(".md").read_text(encoding="utf-8") == printed.out
    assert json.loads(out.read_text())["plan"]["repeats"] == 1


@pytest.mark.parametrize(
    ("more", "text"),
    [(("spode",), "no family 'spode'"), (("all", "--engines", "torch"), "without --model, --engines and --device")],
)
def test_bad_input_is_named(
    pixelwise_command: Callable[..., int], capsys: pytest.CaptureFixture[str], more: tuple[str, ...], text: str
) -> None:
    assert pixelwise_command("bench", "--families", *more) == 1
    assert text in capsys.readouterr().err
