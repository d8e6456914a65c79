"""One .safetensors file <-> a generator and its manifest.

The manifest is JSON in the file's header, so that a model is ONE file which says all that is needed to run it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from pixelwise.atomic import write_atomically
from pixelwise.condition import ConditionSpec
from pixelwise.errors import InputError
from pixelwise.fields import from_fields
from pixelwise.images import ImageSpec, TargetSpec, num_outputs
from pixelwise.initial_weights import NothingDrawn
from pixelwise.labels import LabelSpec
from pixelwise.models import family_named, family_of
from pixelwise.models.family import Generator, GeneratorConfig, config_from_json, config_to_json
from pixelwise.models.memory import BankReference
from pixelwise.state_dict import check_fits, load_strictly

MANIFEST_KEY = "pixelwise"
MANIFEST_VERSION = 1
BUNDLED = Path(__file__).parent / "bundled"


@dataclass(frozen=True)
class Manifest:
    """What a checkpoint says of itself.

    Attributes:
        family: a name of ``FAMILIES``.
        config: the family's configuration as JSON fields.
        spec: what conditions must carry.
        image: how the condition's image is stored in files, None when there is none.
        target: how the output is, a picture or a label map.
        restores: whether the output is the input made better: the same photo, to be stored as that was.
        noise: the least and the greatest standard deviation, in grey levels 0..255, of the Gaussian noise that a
            restoring model was trained to take away; None where it is not known.
        weights: "raw", or "ema" for the exponential moving average.
        source: where the weights come from: data set and command, or the published file.
        licence: terms of the weights and of what they were trained on.
        step: optimiser steps taken.
        metrics: scores on the validation split, by name.
        bank: the memory bank that the generator draws from, of a family that has one.
        version: of this format.
    """

    family: str
    config: Mapping[str, Any]
    spec: ConditionSpec
    image: ImageSpec | None = None
    target: TargetSpec = field(default_factory=ImageSpec)
    restores: bool = False
    noise: tuple[float, float] | None = None
    weights: str = "raw"
    source: str = ""
    licence: str = ""
    step: int = 0
    metrics: Mapping[str, float] = field(default_factory=dict)
    bank: BankReference | None = None
    version: int = MANIFEST_VERSION

    def __post_init__(self) -> None:
        # JSON gives a list.
        object.__setattr__(self, "noise", None if self.noise is None else tuple(self.noise))
        read, made = self.spec.image_channels, num_outputs(self.target)
        if self.restores and (read != made or isinstance(self.target, LabelSpec)):
            raise InputError(f"a model that restores photos makes as many channels as it reads, not {made} of {read}")

    def to_json(self) -> dict[str, Any]:
        content = {**vars(self), "spec": self.spec.to_json(), "target": self.target.to_json()}
        content["image"] = None if self.image is None else self.image.to_json()
        # Left out where there is none: such files can be read by those who know of no banks.
        del content["bank"]
        return content if self.bank is None else {**content, "bank": asdict(self.bank)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Manifest:
        """The inverse of ``to_json``. Raises InputError for a newer version, unknown, missing or unfit fields."""
        try:
            _check_version(content["version"])
            parsed = {
                **content,
                "spec": ConditionSpec.from_json(content["spec"]),
                "image": None if content["image"] is None else ImageSpec.from_json(content["image"]),
                "target": _target_from_json(content["target"]),
            }
            if content.get("bank") is not None:
                parsed["bank"] = from_fields(BankReference, content["bank"])
        except (KeyError, TypeError) as error:
            raise InputError(f"not a manifest of pixelwise: {error}") from error
        try:
            return from_fields(cls, parsed)
        except InputError as error:
            raise InputError(f"not a manifest of pixelwise: {error}") from error


@dataclass(frozen=True)
class Checkpoint:
    """A loaded model. ``generator`` is in eval mode, and has no memory bank yet: see ``give_bank``."""

    generator: Generator
    manifest: Manifest


def check_name(path: Path) -> None:
    """Raises InputError unless a checkpoint can be called so."""
    if path.suffix != ".safetensors":
        raise InputError(f"{path}: a checkpoint's name ends in .safetensors")


def save_checkpoint(path: Path, generator: nn.Module, manifest: Manifest, dtype: torch.dtype = torch.float32) -> None:
    """Writes ``generator`` with its manifest, all or nothing: a failure leaves what was at ``path`` untouched.

    Args:
        path: ends in .safetensors.
        generator: its floating-point tensors are stored as ``dtype``.
        manifest: describes it.
        dtype: torch.float32, or torch.float16 for half the bytes.

    Raises:
        InputError: another suffix; weights that are NaN, infinite or beyond the dtype's range; or the file cannot be
            written (disk full, no permission).
    """
    check_name(path)
    tensors = {
        name: (tensor.to(dtype) if tensor.is_floating_point() else tensor).contiguous()
        for name, tensor in generator.state_dict().items()
    }
    _check_finite(tensors, path)
    # Not with save_file, which lets nobody but the user read the file.
    content = save(tensors, {MANIFEST_KEY: json.dumps(manifest.to_json())})
    try:
        write_atomically(path, lambda beside: beside.write_bytes(content))
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error}); what stood there is untouched") from error


def read_manifest(path: Path) -> Manifest:
    """The manifest alone, without reading weights. Raises InputError as ``load_checkpoint``."""
    return _read(path, with_tensors=False)[0]


def load_checkpoint(path: Path, device: torch.device | str = "cpu", family: str | None = None) -> Checkpoint:
    """Builds the generator that a file describes and loads its weights, as float32.

    Args:
        path: a .safetensors file that pixelwise wrote.
        device: where the weights go.
        family: the family that is expected, or None for any.

    Raises:
        InputError: no such file, truncated, written by something else, another family, a newer manifest version,
            weights that do not fit the configuration, or NaN in the weights; always naming the file.
    """
    manifest, tensors = _read(path, with_tensors=True)
    if family is not None and manifest.family != family:
        raise InputError(f"{path}: a checkpoint of {manifest.family}, expected {family}")
    try:
        config = config_from_json(family_named(manifest.family), manifest.config)
        _check_agreement(manifest, config)
        with NothingDrawn():
            with torch.device("meta"):
                # A configuration may ask for more memory than there is, of a file that holds nothing of the kind.
                check_fits(build(config), tensors)
            generator = build(config)
        load_strictly(generator, tensors)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    _check_finite(tensors, path)
    return Checkpoint(generator.to(device).eval(), manifest)  # type: ignore[arg-type]


def give_bank(checkpoint: Checkpoint, folder: Path, told: Path | None = None) -> None:
    """Lets the generator draw from the memory bank that its manifest names, if it names one.

    Args:
        checkpoint: a loaded model.
        folder: where the bank lies, usually beside the checkpoint.
        told: the bank's file, if it lies elsewhere.

    Raises:
        InputError: no such file, another bank, one that does not suit, or one is told and none is needed.
    """
    reference, memory = checkpoint.manifest.bank, family_named(checkpoint.manifest.family).memory
    if reference is not None and memory is not None:
        memory.give(checkpoint.generator, memory.open(reference.find(folder, told)))
    elif told is not None:
        raise InputError(f"{told}: this {checkpoint.manifest.family} model draws from no memory bank")


def manifest_for(config: GeneratorConfig, spec: ConditionSpec, **fields: Any) -> Manifest:
    """The manifest of a generator with this configuration; ``fields`` are further ones of ``Manifest``."""
    return Manifest(family_of(config).name, config_to_json(config), spec, **fields)


def bundled(model: str | Path) -> Path | None:
    """The file of the bundled model of that name; None for any other text: ``./facades`` is a place."""
    path = BUNDLED / f"{model}.safetensors"
    return path if Path(model).name == str(model) and path.is_file() else None


def resolve(model: str | Path) -> Path:
    """The file that a bundled name or a path means. Raises InputError with the bundled names when there is none."""
    path = bundled(model) or Path(model)
    if not path.is_file():
        names = ", ".join(sorted(file.stem for file in BUNDLED.glob("*.safetensors")))
        raise InputError(f"{model}: neither a file nor a bundled model ({names})")
    return path


def build(config: GeneratorConfig) -> nn.Module:
    """The generator of a configuration, in float32 whatever torch's default is.

    Raises:
        InputError: it would read nothing or make nothing, or torch cannot make it: too large, impossible sizes.
    """
    read = config.num_labels, config.image_channels
    if min(*read, config.out_channels - 1) < 0 or not any(read):
        raise InputError(
            "a generator reads labels or an image and makes one, got "
            f"num_labels = {config.num_labels}, image_channels = {config.image_channels} and "
            f"out_channels = {config.out_channels}"
        )
    try:
        return family_of(config).generator(config).float()
    except (TypeError, IndexError, RuntimeError, MemoryError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"no generator can be built from the configuration: {reason}") from error


def _check_agreement(manifest: Manifest, config: GeneratorConfig) -> None:
    """Raises InputError when what the manifest says of files is not what the generator reads and makes."""
    spec = manifest.spec
    said = {
        "num_labels": spec.num_labels,
        "image_channels": spec.image_channels if manifest.image is None else manifest.image.channels,
        "out_channels": num_outputs(manifest.target),
    }
    for name, value in said.items():
        if getattr(config, name) != value:
            raise InputError(f"the configuration has {name} = {getattr(config, name)}, the manifest's specs {value}")
    if config.instance_edges and not spec.instances:
        raise InputError("the configuration has instance_edges = True, the manifest's specs no instance maps")
    if spec.style != (reads_style := family_of(config).reads_style(config)):
        raise InputError(
            f"a generator of the configuration has style = {reads_style}, the manifest's specs {spec.style}"
        )


def _target_from_json(content: dict[str, Any]) -> TargetSpec:
    return LabelSpec.from_json(content) if "names" in content else ImageSpec.from_json(content)


def _check_version(version: Any) -> None:
    if not isinstance(version, int) or version < 1:
        raise InputError(f"manifest version {version!r}, expected 1 to {MANIFEST_VERSION}")
    if version > MANIFEST_VERSION:
        raise InputError(f"manifest version {version}, this pixelwise reads up to {MANIFEST_VERSION}: take a newer one")


def _read(path: Path, with_tensors: bool) -> tuple[Manifest, dict[str, Tensor]]:
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in (file.keys() if with_tensors else ())}
    except (SafetensorError, OSError) as error:
        size = path.stat().st_size
        raise InputError(f"{path}: not a complete safetensors file ({size} bytes): {error}") from error
    if MANIFEST_KEY not in header:
        raise InputError(f"{path}: has no pixelwise manifest; bring published weights in with `pixelwise adopt`")
    try:
        manifest = Manifest.from_json(json.loads(header[MANIFEST_KEY]))
    except (InputError, json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{path}: {error}") from error
    floats = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}
    return manifest, floats


def _check_finite(tensors: Mapping[str, Tensor], path: Path) -> None:
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            bad = f"{int((~tensor.isfinite()).sum())} of {tensor.numel()} values of {name}"
            raise InputError(f"{path}: {bad} are NaN or infinite ({tensor.dtype})")
