import json
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tiny_model import TINY_RIVALS
from torch import Tensor

from pixelwise.checkpoint import (
    MANIFEST_KEY,
    MANIFEST_VERSION,
    Manifest,
    build,
    load_checkpoint,
    manifest_for,
    read_manifest,
    resolve,
    save_checkpoint,
)
from pixelwise.condition import Condition, ConditionSpec
from pixelwise.errors import InputError
from pixelwise.images import ImageSpec
from pixelwise.labels import LabelSpec
from pixelwise.models.asapnet import AsapNet, AsapNetConfig
from pixelwise.models.memory import BankReference

CONFIG = AsapNetConfig(
    num_labels=3, image_channels=2, out_channels=2, cell=4, width=4, max_width=8, num_blocks=1, mlp_width=4, mlp_depth=2
)
MANIFEST = manifest_for(
    CONFIG,
    ConditionSpec(
        LabelSpec(("a", "b"), ((1, 2, 3), (4, 5, 6), (7, 8, 9)), ignore_id=255, ids=(3, 1)), image_channels=2
    ),
    image=ImageSpec(2, "uint16", white=10_000),
    target=ImageSpec(2, "float32"),
    restores=True,
    noise=(5.0, 20.5),
    weights="ema",
    source="data set and command",
    licence="terms",
    step=7,
    metrics={"psnr": 20.5, "ssim": 0.25},
    bank=BankReference("bank.safetensors", "ab12", 3, "terms"),
)
CONDITION = Condition(labels=torch.tensor([[[0, 1, 2, 0, 1]] * 6]), image=torch.linspace(-1, 1, 60).view(1, 2, 6, 5))


@pytest.fixture
def generator() -> AsapNet:
    torch.manual_seed(0)
    return AsapNet(CONFIG).eval()


@pytest.fixture
def path(tmp_path: Path, generator: AsapNet) -> Path:
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, generator, MANIFEST)
    return path


def rewrite(
    path: Path,
    tensors: Callable[[dict[str, Tensor]], object] = lambda tensors: None,
    manifest: Callable[[dict[str, Any]], object] = lambda manifest: None,
) -> None:
    """Changes what the file holds, with its tensors and its manifest to be changed in place."""
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()[MANIFEST_KEY])
    content = load_file(path)
    tensors(content)
    manifest(header)
    save_file(content, path, {MANIFEST_KEY: json.dumps(header)})


def test_every_field_of_the_manifest_comes_back(path: Path):
    defaults = Manifest("asapnet", asdict(CONFIG), ConditionSpec())
    same = [field.name for field in fields(Manifest) if getattr(MANIFEST, field.name) == getattr(defaults, field.name)]
    assert same == ["family", "config", "version"], "the manifest saved here should differ from the defaults"
    assert read_manifest(path) == MANIFEST
    assert load_checkpoint(path).manifest == MANIFEST


@torch.no_grad()
def test_the_loaded_generator_translates_alike(path: Path, generator: AsapNet):
    loaded = load_checkpoint(path, family="asapnet").generator
    assert torch.equal(loaded(CONDITION).image, generator(CONDITION).image)
    assert loaded.config == CONFIG
    assert not loaded.training


def test_layout_in_memory_does_not_matter(path: Path, generator: AsapNet, tmp_path: Path):
    save_checkpoint(tmp_path / "other.safetensors", generator.to(memory_format=torch.channels_last), MANIFEST)
    assert (tmp_path / "other.safetensors").read_bytes() == path.read_bytes()


@torch.no_grad()
def test_half_precision_takes_half_the_bytes_and_agrees(path: Path, generator: AsapNet, tmp_path: Path):
    half = tmp_path / "half.safetensors"
    save_checkpoint(half, generator, MANIFEST, torch.float16)
    sizes = [sum(tensor.nbytes for tensor in load_file(file).values()) for file in (half, path)]
    assert sizes[0] * 2 == sizes[1]
    loaded = load_checkpoint(half).generator
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float32}
    torch.testing.assert_close(loaded(CONDITION).image, generator(CONDITION).image, atol=2e-3, rtol=0)


def test_counts_of_batch_norm_stay_integers(tmp_path: Path):
    config = replace(CONFIG, norm="batch")
    generator = AsapNet(config)
    generator(CONDITION)
    save_checkpoint(tmp_path / "m.safetensors", generator, replace(MANIFEST, config=asdict(config)), torch.float16)
    loaded = load_checkpoint(tmp_path / "m.safetensors").generator
    counts = [buffer for name, buffer in loaded.named_buffers() if name.endswith("num_batches_tracked")]
    assert counts
    assert all(count.dtype is torch.int64 and count == 1 for count in counts)


def test_others_may_read_what_the_users_mask_lets_them(path: Path):
    mask = os.umask(0)
    os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~mask


def test_no_such_file(tmp_path: Path):
    for read in (load_checkpoint, read_manifest):
        with pytest.raises(InputError, match=r"gone\.safetensors: no such file"):
            read(tmp_path / "gone.safetensors")


@pytest.mark.parametrize("part", [0, 7, 8, 100, 0.5, 0.999])
def test_a_truncated_file(path: Path, part: float):
    content = path.read_bytes()
    path.write_bytes(content[: part if isinstance(part, int) else int(len(content) * part)])
    for read in (load_checkpoint, read_manifest):
        with pytest.raises(InputError, match=rf"model\.safetensors: .*\({path.stat().st_size} bytes\)"):
            read(path)


@pytest.mark.parametrize("content", [b"\x00" * 1000, b"\xff" * 1000, b"PK\x03\x04 a zip", b"not a checkpoint at all"])
def test_another_kind_of_file(path: Path, content: bytes):
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"model\.safetensors: not a complete safetensors file"):
        load_checkpoint(path)


@pytest.mark.parametrize("header", [None, {"format": "pt"}])
def test_a_foreign_safetensors(path: Path, header: dict[str, str] | None):
    save_file({"weight": torch.zeros(2)}, path, header)
    for read in (load_checkpoint, read_manifest):
        with pytest.raises(InputError, match=r"model\.safetensors: has no pixelwise manifest.*pixelwise adopt"):
            read(path)


def test_another_family(path: Path):
    with pytest.raises(InputError, match=r"model\.safetensors: a checkpoint of asapnet, expected spade"):
        load_checkpoint(path, family="spade")


def test_a_family_that_does_not_exist_yet(path: Path):
    rewrite(path, manifest=lambda manifest: manifest.update(family="later"))
    with pytest.raises(InputError, match=r"model\.safetensors: no family 'later'; there are .*asapnet"):
        load_checkpoint(path)


def test_a_manifest_of_a_later_version(path: Path):
    later = {"version": MANIFEST_VERSION + 1, "something": "new"}
    rewrite(path, manifest=lambda manifest: manifest.update(later))
    for read in (load_checkpoint, read_manifest):
        with pytest.raises(InputError, match=rf"model\.safetensors: manifest version {MANIFEST_VERSION + 1}, .*newer"):
            read(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda manifest: manifest.pop("spec"), "not a manifest of pixelwise: 'spec'"),
        (lambda manifest: manifest.pop("family"), "not a manifest of pixelwise: .*'family'"),
        (lambda manifest: manifest.pop("version"), "not a manifest of pixelwise: 'version'"),
        (lambda manifest: manifest.update(version="1"), "manifest version '1', expected 1"),
        (lambda manifest: manifest.update(more=1), "not a manifest of pixelwise: .*'more'"),
        (lambda manifest: manifest.update(spec=3), "not a condition spec"),
        (lambda manifest: manifest.update(target={"channels": 0}), "not an image spec: an image needs channels >= 1"),
        (lambda manifest: manifest["config"].update(celll=4), "asapnet: no field 'celll'"),
        (lambda manifest: manifest["config"].update(cell="4"), "asapnet: 'cell' must be an integer"),
        (lambda manifest: manifest["config"].update(out_channels=-1), "asapnet: out_channels must be at least 0"),
        (lambda manifest: manifest["config"].update(width=10**30), "no generator can be built"),
        # Weights of a terabyte, which must not be asked for.
        (
            lambda manifest: manifest["config"].update(width=200_000, max_width=200_000),
            "the weights do not fit the conf",
        ),
        (lambda manifest: manifest.update(config=3), "not a manifest of pixelwise: 'config' must be an object"),
        (lambda manifest: manifest.update(family=["asapnet"]), "not a manifest of pixelwise: 'family' must be text"),
        (
            lambda manifest: manifest.update(target={"channels": 3}, restores=False),
            "the configuration has out_channels = 2, the manifest's specs 3",
        ),
        (lambda manifest: manifest.update(target={"channels": 3}), "not a manifest of pixelwise: .* reads, not 3 of 2"),
        (lambda manifest: manifest.update(noise=[25]), "not a manifest of pixelwise: 'noise' must be"),
        (
            lambda manifest: manifest["config"].update(instance_edges=True),
            "the configuration has instance_edges = True, the manifest's specs no instance maps",
        ),
        (
            lambda manifest: manifest["spec"].update(style=True),
            "a generator of the configuration has style = False, the manifest's specs True",
        ),
        (
            lambda manifest: manifest["spec"].update(labels={"names": ["a"]}),
            "the configuration has num_labels = .*, the manifest's specs 1",
        ),
    ],
)
def test_a_manifest_with_a_fault(path: Path, change: Callable[[dict[str, Any]], object], message: str):
    rewrite(path, manifest=change)
    with pytest.raises(InputError, match=rf"model\.safetensors: {message}"):
        load_checkpoint(path)


@pytest.mark.parametrize("manifest", ["", "[]", "3", "null", "{", "[" * 100_000])
def test_a_manifest_that_is_none(path: Path, manifest: str):
    save_file(load_file(path), path, {MANIFEST_KEY: manifest})
    with pytest.raises(InputError, match=r"model\.safetensors: "):
        load_checkpoint(path)


def replace_first(tensors: dict[str, Tensor], tensor: Tensor) -> None:
    tensors[next(iter(tensors))] = tensor


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tensors: tensors.popitem(), "do not fit the configuration: 1 missing"),
        (lambda tensors: tensors.update(more=torch.zeros(1)), r"do not fit the configuration: 1 unexpected \(more"),
        (lambda tensors: replace_first(tensors, torch.zeros(2)), r"1 of another shape \(\S+ \(2,\) for "),
        (lambda tensors: next(iter(tensors.values())).flatten()[:2].fill_(torch.nan), r"2 of \d+ values of .* are NaN"),
        (lambda tensors: next(iter(tensors.values())).flatten()[:1].fill_(torch.inf), "are NaN or infinite"),
    ],
)
def test_weights_with_a_fault(path: Path, change: Callable[[dict[str, Tensor]], object], message: str):
    rewrite(path, tensors=change)
    with pytest.raises(InputError, match=rf"model\.safetensors: .*{message}"):
        load_checkpoint(path)


def test_only_sound_weights_are_saved(path: Path, generator: AsapNet):
    before = path.read_bytes()
    weight = next(generator.parameters()).data.flatten()
    weight[0] = 1e6
    with pytest.raises(InputError, match=r"model\.safetensors: 1 of \d+ values of .*infinite \(torch\.float16\)"):
        save_checkpoint(path, generator, MANIFEST, torch.float16)
    weight[0] = torch.nan
    with pytest.raises(InputError, match=r"model\.safetensors: 1 of \d+ values of .*NaN"):
        save_checkpoint(path, generator, MANIFEST)
    assert path.read_bytes() == before


def test_another_suffix(tmp_path: Path, generator: AsapNet):
    with pytest.raises(InputError, match=r"model\.pth: a checkpoint's name ends in \.safetensors"):
        save_checkpoint(tmp_path / "model.pth", generator, MANIFEST)


@pytest.mark.parametrize("num_bytes", [0, 1000, 4000])
def test_on_a_full_disk_the_old_checkpoint_stays(
    path: Path, generator: AsapNet, full_disk: Callable[[int], AbstractContextManager[None]], num_bytes: int
):
    before = path.read_bytes()
    assert len(before) > num_bytes
    with full_disk(num_bytes), pytest.raises(InputError, match=r"model\.safetensors: cannot be written \(.*too large"):
        save_checkpoint(path, generator, replace(MANIFEST, step=8))
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_model_is_named_or_its_file_given(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pixelwise.checkpoint.BUNDLED", path.parent)
    assert resolve("model") == path
    assert resolve(str(path)) == path
    with pytest.raises(InputError, match=r"\./model: neither a file nor a bundled model"):
        resolve("./model")
    with pytest.raises(InputError, match=r"mdel: neither a file nor a bundled model \(model\)"):
        resolve("mdel")
    with pytest.raises(InputError, match="neither a file nor a bundled model"):
        resolve("../model")


@pytest.mark.parametrize(("changes", "message"), [
    ({"num_labels": 0}, "reads labels or an image and makes one, got num_labels = 0, image_channels = 0"),
    ({"out_channels": 0}, "makes one, got num_labels = 4, image_channels = 0 and out_channels = 0"),
    ({"image_channels": -1}, "image_channels = -1"),
    ({"width": 10**12}, "no generator can be built from the configuration"),
    ({"size": (16, 64)}, r"size must be at least 32 x 32 pixels, got \(16, 64\)"),
])  # fmt: skip
def test_impossible_configurations_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        build(replace(TINY_RIVALS["spade"], **changes))  # type: ignore[type-var]
