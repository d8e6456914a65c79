"""What a picture costs with every family: parameters, multiply-adds, time and memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import nn

from pixelwise import machine
from pixelwise.bench.memory import family_peak_bytes
from pixelwise.bench.plan import read_sizes
from pixelwise.bench.scene import draw_condition
from pixelwise.bench.subject import Size, cell_for, random_network
from pixelwise.bench.table import Row
from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.layers.folded import folded
from pixelwise.metrics.complexity import Macs, Runtime, count_macs, measure_runtime, num_parameters
from pixelwise.models import FAMILIES, family_named, family_of, for_inference
from pixelwise.models.asapnet import AsapNetConfig
from pixelwise.models.family import GeneratorConfig, Translation

Progress = Callable[[str], object]

_PREFERRED = ("cityscapes", "ade20k")
"""How the names of configurations begin that most families have published."""

_LARGEST = 1024
"""Pixels on a side: what was published for larger pictures is measured only where there is nothing for smaller ones."""


@dataclass(frozen=True)
class FamilySubject:
    """One line of the table.

    Attributes:
        name: the family's, and what it is configured for.
        configure: from the pictures' (height, width) to the family's configuration.
    """

    name: str
    configure: Callable[[Size], GeneratorConfig]


@dataclass(frozen=True)
class FamilyPlan:
    """What is measured of every subject, one picture at a time.

    Attributes:
        sizes: (height, width) in pixels.
        repeats: calls that are measured at most, after one that warms up.
        patience: seconds that they may take together; one is measured in any case.
        memory: whether memory is measured too, which starts a process for each size.
    """

    sizes: tuple[Size, ...] = ((256, 256), (512, 512), (512, 1024))
    repeats: int = 3
    patience: float = 10.0
    memory: bool = True

    def __post_init__(self) -> None:
        if self.repeats < 1:
            raise InputError(f"expected repeats >= 1, got {self.repeats}")


QUICK = FamilyPlan(sizes=((64, 64), (64, 128), (128, 128)), repeats=1)


def measure_published(
    families: str, quick: bool, sizes: str, repeats: int, memory: bool, progress: Progress = print
) -> Row:
    """What a command line asks for: ``measure_families`` of ``published_subjects``.

    Args:
        families: see ``published_subjects``.
        quick: starts from ``QUICK``.
        sizes: such as 256x256,512x1024 (height first); "" for the plan's.
        repeats: 0 for the plan's.
        memory, progress: see ``FamilyPlan`` and ``measure_families``.

    Raises:
        InputError: sizes that are none, or a family that does not exist.
    """
    plan = QUICK if quick else FamilyPlan()
    plan = replace(
        plan, sizes=read_sizes(sizes) if sizes else plan.sizes, repeats=repeats or plan.repeats, memory=memory
    )
    return measure_families(published_subjects(families), plan, progress)


def published_subjects(families: str = "all") -> list[FamilySubject]:
    """Families at full size, each as it was published for Cityscapes, or else for ADE20K, or else first; and the
    variants that are published under that name and one of their own, such as CLADE-ICPE.

    Args:
        families: names with commas between them, or "all" that have published configurations.

    Raises:
        InputError: a family that does not exist, or that has none.
    """
    names = [name for name in FAMILIES if FAMILIES[name].published] if families == "all" else families.split(",")
    return [_published_subject(family, name) for family in names for name in _measured_of(family)]


def _measured_of(family: str) -> list[str]:
    """Names of its published configurations."""
    published = family_named(family).published
    if not published:
        raise InputError(f"{family} has no published configurations that could be measured")
    fitting = [name for name in published if max(published[name].size) <= _LARGEST] or list(published)
    chosen = next((name for start in _PREFERRED for name in fitting if name.startswith(start)), fitting[0])
    return [chosen, *(name for name in published if name.startswith(f"{chosen}_"))]


def _published_subject(family: str, name: str) -> FamilySubject:
    config = family_named(family).published[name].config

    def configure(size: Size) -> GeneratorConfig:
        # A published ASAP-Net has sixteen rows of cells, whatever the size of its pictures.
        return replace(config, cell=cell_for(size)) if isinstance(config, AsapNetConfig) else config

    return FamilySubject(f"{family}, {name}", configure)


def measure_families(subjects: Sequence[FamilySubject], plan: FamilyPlan, progress: Progress = print) -> Row:
    """All rows, and what a reader must know to judge them, in what JSON can hold; on the CPU."""
    rows = []
    for number, subject in enumerate(subjects, start=1):
        for size in plan.sizes:
            progress(f"{number}/{len(subjects)} {subject.name}, {size[0]}x{size[1]}")
            rows.append({"model": subject.name, **picture_cost(subject.configure(size), size, plan)})
    return {
        **machine.circumstances(),
        "plan": asdict(plan),
        "rows": rows,
    }


def picture_cost(config: GeneratorConfig, size: Size, plan: FamilyPlan) -> Row:
    """What one picture costs with random weights, on which neither time nor size depends."""
    with torch.device("meta"):
        definition = family_of(config).generator(config).eval()
    condition = condition_for(config, size)
    macs = _macs_of(definition, condition)
    run = partial(_translate, ready_generator(config), condition)
    return {
        "size": size,
        "parameters": num_parameters(definition),
        "macs": {"total": macs.total, "low_resolution": macs.low_resolution, "pixelwise": macs.pixelwise},
        "seconds": asdict(patient_runtime(run, plan.repeats, plan.patience)),
        "memory_bytes": family_peak_bytes(config, size) if plan.memory else None,
    }


def _macs_of(definition: nn.Module, condition: Condition) -> Macs:
    """Of a generator on the meta device, which computes nothing."""
    try:
        return count_macs(definition, condition.to("meta"))
    except NotImplementedError:
        # It asks where objects are, which only numbers tell.
        return count_macs(definition.to_empty(device="cpu"), condition)


def ready_generator(config: GeneratorConfig) -> Callable[[Condition], Translation]:
    """A generator of random weights, as a Translator has it on a CPU."""
    if isinstance(config, AsapNetConfig):
        network: Any = random_network(config)
    else:
        network = family_of(config).generator(config).eval()
    fast = for_inference(network)
    return folded(network) if fast is None else fast


def condition_for(config: GeneratorConfig, size: Size) -> Condition:
    """Polygons, see ``draw_condition``, with a style picture of noise where the configuration reads one."""
    condition = draw_condition(config, size)
    style = torch.rand(1, 3, *size) * 2 - 1 if family_of(config).reads_style(config) else None
    return replace(condition, style=style)


@torch.inference_mode()
def _translate(generator: Callable[[Condition], Translation], condition: Condition) -> None:
    generator(condition)


def patient_runtime(run: Callable[[], object], repeats: int, patience: float) -> Runtime:
    """The call that warms up tells how many more there is patience for.

    Args:
        run: is measured.
        repeats: calls at most.
        patience: seconds that they may take together; one is made in any case.
    """
    first = measure_runtime(run, repeats=1, warm_up=0).median
    return measure_runtime(run, max(1, min(repeats, int(patience / first))), warm_up=0)
