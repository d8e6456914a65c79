"""What is measured is told whole: rows, peaks, memory, growth, and the tables made from them."""

from __future__ import annotations

import ctypes
import json
from typing import Any

import numpy as np
import pytest
import torch
from tiny_model import LABEL_MODEL, LABELS, save_tiny_model

from pixelwise.bench import Plan, growth_markdown, markdown, measure, measure_growth, plan_on
from pixelwise.bench.measurement import circumstances_of
from pixelwise.bench.memory import peak_bytes
from pixelwise.bench.peaks import Effort, PeakJob, measure_peaks
from pixelwise.bench.precision import FP32, PRECISIONS, precisions_on
from pixelwise.errors import InputError
from pixelwise.layers.graphed_call import CALLS_BEFORE_REPLAY
from pixelwise.metrics.complexity import CPU
from pixelwise.metrics.memory import can_tell
from pixelwise.models.asapnet import AsapNetConfig
from pixelwise.native import library
from pixelwise.render import ENGINES

LITTLE = Effort(side=32, megabytes=1, rounds=1000)
MLP_MACS = (4 + 8) * 4 + 4 * 3


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Any:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    assert LABELS.num_channels == 4
    return str(save_tiny_model(tmp_path_factory.mktemp("model") / "tiny.safetensors", LABEL_MODEL))


@pytest.fixture(scope="module")
def results(model: str) -> dict[str, Any]:
    plan = Plan(models=(model,), sizes=((8, 8), (16, 24)), repeats=2, memory=False, effort=LITTLE)
    measured: dict[str, Any] = json.loads(json.dumps(measure(plan, progress=lambda text: None)))
    return measured


def test_every_engine_has_a_row_at_every_size(results: dict[str, Any], model: str) -> None:
    engines = ["plain", *(name for name in ENGINES if name not in results["left_out"])]
    assert [(row["size"], row["engine"]) for row in results["rows"]] == [
        (size, engine) for size in ([8, 8], [16, 24]) for engine in engines
    ]
    assert {row["model"] for row in results["rows"]} == {model}


def test_freed_memory_is_kept_when_asked_for_and_said_so(
    results: dict[str, Any], model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[bool] = []
    for place in ("measurement", "growth"):
        monkeypatch.setattr(f"pixelwise.bench.{place}.keep_freed_memory", lambda: kept.append(True))
    plan = Plan((model,), ((8, 8),), ("reference",), 1, memory=False, effort=LITTLE, freed_memory_kept=True)
    found = measure(plan, progress=lambda text: None)
    assert kept == [True]
    assert "stays with the process" in markdown(found)
    assert "had from it anew" in markdown(results)


def test_rows_follow_from_their_seconds(results: dict[str, Any]) -> None:
    plain = {tuple(row["size"]): row for row in results["rows"] if row["engine"] == "plain"}
    for row in results["rows"]:
        seconds, (height, width) = row["seconds"]["median"], row["size"]
        assert row["macs"]["pixelwise"] == height * width * MLP_MACS
        assert row["macs"]["total"] == row["macs"]["low_resolution"] + row["macs"]["pixelwise"]
        assert row["gflops"]["whole"] == pytest.approx(2e-9 * row["macs"]["total"] / seconds)
        assert row["gflops"]["pixelwise"] == pytest.approx(2e-9 * row["macs"]["pixelwise"] / row["pixelwise_seconds"])
        assert row["fraction_of_peak"]["whole"] == pytest.approx(
            row["gflops"]["whole"] / results["peaks"]["best"]["fp32"]
        )
        assert row["ms_per_megapixel"] == pytest.approx(1000 * seconds / (height * width / 1e6))
        assert row["times_faster"] == pytest.approx(plain[height, width]["seconds"]["median"] / seconds)
        assert row["error"] <= 1e-4


def test_circumstances_are_told(results: dict[str, Any]) -> None:
    assert results["machine"]["cores"] >= 1
    assert results["versions"]["torch"] == torch.__version__
    assert (results["threads"], results["device"], results["repeats"]) == (1, "cpu", 2)
    assert results["date"].startswith("20")


def test_tables_say_what_the_results_say(results: dict[str, Any]) -> None:
    rows = [
        {
            **results["rows"][0],
            "model": "full-size", "size": [512, 1024], "engine": engine, "precision": precision,
            "seconds": {"median": median, "lower_quartile": median / 2, "upper_quartile": median * 2},
            "stream_seconds": median / 4, "pixelwise_seconds": median / 2, "ms_per_megapixel": 1234.5,
            "gflops": {"whole": 56.78}, "fraction_of_peak": {"whole": 0.25}, "error": 3e-5,
            "times_faster": 2.0 / median, "memory_bytes": memory,
        }
        for engine, precision, median, memory in (("plain", "fp32", 2.0, 1_600_000_000), ("gpu", "bf16", 0.0123, None))
    ]  # fmt: skip
    growth = [
        {
            "held": "16 x 16 cells", "size": [1024, 1024], "engine": "native", "precision": "fp32",
            "seconds": rows[0]["seconds"], "stream_seconds": 0.5, "pixelwise_seconds": 1.5,
            "ms_per_megapixel": 1907.3, "pixelwise_ms_per_megapixel": 1430.5, "memory_bytes": 45_600_000,
        }
    ]  # fmt: skip
    text = markdown({**results, "rows": rows, "left_out": {"native": "engine 'native' is not here"}})
    assert "Left out: engine 'native' is not here." in text
    assert [line for line in text.splitlines() if line.startswith("|")] == [
        "| times faster than plain | 512×1024 |",
        "| --- | ---: |",
        "| gpu, bf16 | 162.60 |",
        "| size | engine | × plain | ms | stream + pixels | ms per Mpixel | GFLOP/s | of peak | memory, MB | error |",
        f"| --- |{' ---: |' * 9}",
        "| 512×1024 | plain | 1.00 | 2000 (1000–4000) | 500 + 1000 | 1.23e+03 | 56.8 | 25 % | 1.6e+03 |  |",
        "| 512×1024 | gpu, bf16 | 162.60 | 12.3 (6.15–24.6) | 3.08 + 6.15 | 1.23e+03 | 56.8 | 25 % |  | 3.0e-05 |",
    ]
    text = growth_markdown({**results, "rows": growth})
    assert [line for line in text.splitlines() if line.startswith("|")] == [
        "| engine | size | ms | stream + pixels | ms per Mpixel | of pixels alone | memory, MB |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| native | 1024×1024 | 2000 (1000–4000) | 500 + 1500 | 1907 | 1430 | 45.6 |",
    ]


def tiny(cell: int) -> AsapNetConfig:
    return AsapNetConfig(num_labels=3, out_channels=3, cell=cell, width=4, max_width=8, num_blocks=1, mlp_width=4)


def test_growth_holds_the_cells_then_the_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pixelwise.bench.growth.full_size", tiny)
    plan = Plan(engines=("reference",), repeats=1, memory=False)
    rows = measure_growth(plan, sides=(32, 64), progress=lambda text: None)["rows"]
    assert [(row["held"], row["size"], row["cell"]) for row in rows] == [
        ("cells of 2 pixels", (32, 32), 2),
        ("cells of 2 pixels", (64, 64), 2),
        ("16 x 16 cells", (32, 32), 2),
        ("16 x 16 cells", (64, 64), 4),
    ]
    for row in rows:
        assert row["ms_per_megapixel"] == pytest.approx(1e9 * row["seconds"]["median"] / row["size"][0] ** 2)


def test_growth_asks_for_the_memory_of_the_same_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(probe: str, model: str, size: str, cell: str, *others: str) -> int:
        return int(size.partition("x")[0]) * 1000 + int(cell)

    monkeypatch.setattr("pixelwise.bench.growth.full_size", tiny)
    monkeypatch.setattr("pixelwise.bench.memory._ask", asked)
    rows = measure_growth(Plan(engines=("reference",), repeats=1), sides=(32, 64), progress=lambda text: None)["rows"]
    assert [row["memory_bytes"] for row in rows] == [32_002, 64_002, 32_002, 64_004]
    text = growth_markdown({**circumstances_of(Plan()), "rows": [{**row, "memory_bytes": None} for row in rows]})
    assert "Memory was not measured." in text


@pytest.mark.skipif(not can_tell(CPU), reason="this system does not tell")
def test_memory_beyond_input_and_output_is_measured(model: str) -> None:
    side = 768
    grown = peak_bytes(model, (side, side), "plain", "fp32", CPU)
    assert grown is not None
    # One-hot, coordinate and hidden planes: at least ten numbers in float32 for each pixel, and not a hundred.
    assert 10 * 4 * side**2 < grown < 100 * 4 * side**2


def test_peaks_are_found() -> None:
    peaks = measure_peaks(CPU, [FP32], LITTLE)
    assert peaks.products["fp32"] > 0
    assert peaks.copy > 0
    assert (peaks.multiply_adds is None) == (library.missing() is not None)
    assert peaks.of("fp32") == max(peaks.products["fp32"], peaks.multiply_adds or 0)


@pytest.mark.skipif(library.missing() is not None, reason="needs the compiled kernels")
@pytest.mark.parametrize("name", library.instruction_sets() if library.missing() is None else ())
def test_the_probe_computes_all_of_its_multiply_adds(name: str) -> None:
    values, ends = np.array([0.5, 1.0], np.float32), np.full(3, np.nan, np.float32)
    job = PeakJob(library.Work(0, 3), 2, values.ctypes.data, ends.ctypes.data, 0)
    library.kernel("peak", name)(ctypes.byref(job))
    lanes = job.num_lanes // 12
    assert lanes in (4, 8, 16)
    # From 1, 2, … 12, two rounds of v / 2 + 1.
    assert ends.tolist() == [lanes * sum(start / 4 + 1.5 for start in range(1, 13))] * 3


def test_plans_take_what_the_command_line_says() -> None:
    plan = plan_on(CPU)
    assert plan == Plan()
    assert plan.changed() == plan
    changed = plan.changed(["street"], "256x512,8x16", "native,reference", 7, memory=False)
    assert changed == Plan(("street",), ((256, 512), (8, 16)), ("native", "reference"), 7, memory=False)


def test_on_a_gpu_large_pictures_are_measured_after_graphs_were_captured() -> None:
    plan = plan_on(torch.device("cuda"))
    assert plan.sizes == ((1024, 1024), (2160, 3840), (4320, 7680))
    assert plan.warm_up > CALLS_BEFORE_REPLAY


@pytest.mark.parametrize("sizes", ["256", "0x5", "5x5,", "axb", "5x5x5"])
def test_sizes_that_are_none_are_refused(sizes: str) -> None:
    with pytest.raises(InputError, match="expected HEIGHTxWIDTH"):
        Plan().changed(sizes=sizes)


def test_at_least_one_round() -> None:
    with pytest.raises(InputError, match="repeats >= 1"):
        Plan(repeats=0)


def test_precision_is_put_back() -> None:
    before = torch.backends.cuda.matmul.allow_tf32
    with PRECISIONS["tf32"].active():
        assert torch.backends.cuda.matmul.allow_tf32
    assert torch.backends.cuda.matmul.allow_tf32 == before
    assert precisions_on(CPU) == (FP32,)
    assert len(precisions_on(torch.device("cuda"))) == 4
