"""An ASAP-Net made ready for inference, against the network itself."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from default_type import float64_by_default

from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.labels import INDEX_TYPES
from pixelwise.lowres import kept_rows
from pixelwise.models import banded_asapnet, fast_asapnet
from pixelwise.models.asapnet import CHEAPER_STREAMS, AsapNet, AsapNetConfig
from pixelwise.models.fast_asapnet import FastAsapNet
from pixelwise.native import library
from pixelwise.render import Window
from pixelwise.render import engine as render_engine
from pixelwise.render.engine import Engine
from pixelwise.render.reference import render_reference

LABELS = AsapNetConfig(num_labels=5, out_channels=3, cell=8, width=8, max_width=32, num_blocks=2, mlp_width=12)
CONFIGS = {
    "labels": LABELS,
    "batch norm, reflected": replace(LABELS, norm="batch", padding="reflect"),
    "no norm, replicated": replace(LABELS, norm="none", padding="replicate"),
    "bilinear, scaled": replace(LABELS, bilinear=True, scaled_parameters=True, mlp_depth=4),
    "reduced first": replace(LABELS, cell=16, learned_reduction=4),
    "everything": replace(
        LABELS, instance_edges=True, edges_in_mlp=True, image_channels=3, neighbourhood=3, residual=True, bilinear=True
    ),
    "image only": replace(LABELS, num_labels=0, image_channels=2),
    "unshuffled": replace(LABELS, num_labels=0, image_channels=2, instance_edges=True, unshuffle=2),
    "constant": replace(LABELS, constant_mlp=True),
    "constant, unshuffled": replace(LABELS, num_labels=0, image_channels=2, constant_mlp=True, unshuffle=2),
    "two passes": replace(LABELS, num_labels=0, image_channels=3, passes=2, neighbourhood=3, residual=True),
    "three passes": replace(LABELS, instance_edges=True, edges_in_mlp=True, image_channels=3, passes=3, bilinear=True),
    **{name: replace(LABELS, **change) for name, change in CHEAPER_STREAMS.items()},  # type: ignore[arg-type]
}
ENGINES = [
    "reference",
    "torch",
    pytest.param("native", marks=pytest.mark.skipif(library.missing() is not None, reason="no compiled kernels")),
]


def network(config: AsapNetConfig) -> AsapNet:
    """With predicted parameters so small that tanh does not hide what differs."""
    torch.manual_seed(0)
    generator = AsapNet(config).eval()
    with torch.no_grad():
        for parameter in generator.stream.parameters():
            if parameter.dim() == 4 and parameter.shape[-1] == 1:
                parameter *= 0.3
    return generator


def condition(config: AsapNetConfig, *size: int) -> Condition:
    torch.manual_seed(1)
    return Condition(
        # The last class does not occur.
        labels=torch.randint(config.num_labels - 1, size) if config.num_labels else None,
        instances=torch.randint(3, size) if config.instance_edges else None,
        image=torch.rand(size[0], config.image_channels, *size[1:]) if config.image_channels else None,
    )


@pytest.mark.parametrize("engine", ENGINES)
@torch.inference_mode()
def test_labels_may_be_of_any_integer_type(engine: str) -> None:
    fast, given = FastAsapNet(network(LABELS), engine), condition(LABELS, 1, 24, 32)
    assert given.labels is not None
    image = fast(given).image
    for index_type in INDEX_TYPES:
        assert torch.equal(fast(Condition(labels=given.labels.to(index_type))).image, image)
    # Not what is left of them in a byte.
    with pytest.raises(InputError, match=r"labels run from 256 to 259, expected 0\.\.4"):
        fast(Condition(labels=given.labels + 256))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())
@torch.inference_mode()
def test_the_same_pictures(config: AsapNetConfig, engine: str) -> None:
    generator = network(config)
    fast = FastAsapNet(generator, engine)
    for size in ((2, 37, 53), (1, 64, 32), (1, 5, 3)):
        given = condition(config, *size)
        torch.testing.assert_close(fast(given).image, generator(given).image, atol=1e-4, rtol=0)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("scale", [1.0, 2.5])
@pytest.mark.parametrize("config", [CONFIGS[name] for name in ("labels", "everything", "two passes", "three passes")])
@torch.inference_mode()
def test_a_window_holds_the_pixels_of_the_whole(
    config: AsapNetConfig, scale: float, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast, given = FastAsapNet(network(config), engine), condition(config, 1, 37, 53)
    whole = fast(given, scale=scale).image
    monkeypatch.setattr(banded_asapnet, "BAND_BYTES", 1)
    for window in (Window(0, 0, 9, 11), Window(20, 30, 17, 23), Window(36, 0, 1, 53)):
        expected = whole[:, :, window.top : window.bottom, window.left : window.right]
        torch.testing.assert_close(fast(given, window, scale).image, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("config", [CONFIGS[name] for name in ("bilinear, scaled", "reduced first", "everything")])
@torch.inference_mode()
def test_torchs_default_type_changes_nothing(config: AsapNetConfig, engine: str) -> None:
    generator, given = network(config), condition(config, 1, 37, 53)
    fast = FastAsapNet(generator, engine)
    expected = fast(given).image
    with float64_by_default():
        for ready in (fast, FastAsapNet(generator, engine)):
            assert torch.equal(ready(given).image, expected)


def test_refuses_what_it_cannot_do() -> None:
    generator = network(LABELS)
    with pytest.raises(InputError, match="engine 'warp' is not one of auto, "):
        FastAsapNet(generator, "warp")
    fast = FastAsapNet(generator)
    with pytest.raises(InputError, match="reaches beyond the image"):
        fast(condition(LABELS, 1, 16, 16), Window(0, 0, 17, 16))
    with pytest.raises(InputError, match="scale must be a positive number, got 0"):
        fast(condition(LABELS, 1, 16, 16), scale=0)
    with pytest.raises(InputError, match=r"labels run from 0 to 9, expected 0\.\.4"):
        fast(Condition(labels=torch.full((1, 16, 16), 9).triu()))
    with pytest.raises(InputError, match="a label map of 5 classes is needed"):
        fast(Condition(image=torch.rand(1, 3, 16, 16)))


def test_other_types_than_float32_are_for_gpus() -> None:
    for dtype in (torch.float16, torch.bfloat16):
        with pytest.raises(InputError, match=f"{dtype} cannot be used: a CPU is faster in float32"):
            FastAsapNet(network(LABELS), dtype=dtype)
    with pytest.raises(InputError, match=r"not in torch\.float64"):
        FastAsapNet(network(LABELS), dtype=torch.float64)
    with pytest.raises(InputError, match="the engine 'reference' computes in float32"):
        FastAsapNet(network(LABELS).to("meta"), "reference", torch.float16)


@pytest.mark.parametrize("config", [replace(LABELS, norm="instance"), CONFIGS["unshuffled"]], ids=["labels", "photo"])
@pytest.mark.parametrize(
    ("free", "features"),
    [(1 << 50, 1 << 50), (1 << 50, 0), (0, 0)],
    ids=["in memory", "features on the disk", "all on the disk"],
)
@torch.inference_mode()
def test_large_pictures_are_the_same_wherever_layers_are_kept(
    free: int, features: int, config: AsapNetConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator, given = network(config), condition(config, 1, 61, 47)
    expected = generator(given).image
    monkeypatch.setattr(fast_asapnet, "WHOLE_BYTES", 1)
    monkeypatch.setattr(fast_asapnet, "FEATURE_BYTES", features)
    monkeypatch.setattr(kept_rows, "free_memory", lambda: free)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    torch.testing.assert_close(FastAsapNet(generator)(given).image, expected, atol=1e-4, rtol=0)
    assert not list(tmp_path.iterdir())


@torch.inference_mode()
def test_a_large_picture_without_room_for_its_layers_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast = FastAsapNet(network(LABELS))
    monkeypatch.setattr(fast_asapnet, "WHOLE_BYTES", 1)
    monkeypatch.setattr(kept_rows, "free_memory", lambda: 0)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(fast, "scratch_bytes", lambda size: 1 << 60)
    with pytest.raises(InputError, match=rf"{tmp_path}.*: takes up to .* free on its disk"):
        fast(condition(LABELS, 1, 61, 47))


@pytest.mark.parametrize("config", [LABELS, replace(LABELS, num_labels=257)], ids=["by name", "too many labels"])
@torch.inference_mode()
def test_a_stream_that_is_not_packed_runs_once_for_all_bands(
    config: AsapNetConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = network(replace(config, image_channels=3, passes=2))
    given = condition(generator.config, 1, 37, 21)
    expected, runs = generator(given).image, []
    generator.stream.register_forward_hook(lambda *_: runs.append(1))
    monkeypatch.setattr(banded_asapnet, "BAND_BYTES", 1)
    fast = FastAsapNet(generator, "reference" if config is LABELS else "auto")
    torch.testing.assert_close(fast(given).image, expected, atol=1e-4, rtol=0)
    assert len(runs) == 1


def test_what_needs_a_packed_stream_says_why_there_is_none(tmp_path: Path) -> None:
    reasons = {
        "the engine 'reference' computes": FastAsapNet(network(LABELS), "reference"),
        "one MLP for all cells has no": FastAsapNet(network(CONFIGS["constant"])),
        "up to 256 labels, this one reads 257": FastAsapNet(network(replace(LABELS, num_labels=257))),
        "reduces by up to 180, this one's by 182": FastAsapNet(network(replace(LABELS, cell=182, learned_reduction=1))),
    }
    for reason, fast in reasons.items():
        with pytest.raises(InputError, match=f"^no editing sessions, since nothing could be kept: .*{reason}"):
            fast.edit(condition(LABELS, 1, 8, 8))
        with pytest.raises(InputError, match=f"^no picture by rows: .*{reason}"):
            fast.by_rows((8, 8), lambda start, stop: condition(LABELS, 1, 8, 8), tmp_path)


def test_an_engine_that_cannot_render_the_network_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = Engine(render_reference, unfit=lambda field, features: f"layers of {field.mlp.widths[1]} are too wide")
    monkeypatch.setitem(render_engine.ENGINES, "narrow", narrow)
    with pytest.raises(InputError, match="engine 'narrow' cannot be used: layers of 12 are too wide"):
        FastAsapNet(network(LABELS), "narrow")


@pytest.mark.skipif(library.missing() is not None, reason="no compiled kernels")
def test_the_compiled_engine_is_refused_on_other_devices() -> None:
    with pytest.raises(InputError, match=r"engine 'native' cannot be used: it reads float32 on the CPU, .* on meta"):
        FastAsapNet(network(LABELS).to("meta"), "native")
