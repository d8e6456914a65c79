"""Every engine that can run here against the reference in double precision."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from pixelwise import onednn
from pixelwise.errors import InputError
from pixelwise.native import library
from pixelwise.render import ENGINES, Guide, PixelMlp, PixelwiseField, Window, render
from pixelwise.render.axis import axis, visible_cells
from pixelwise.render.field import num_code_channels
from pixelwise.render.guide import Features
from pixelwise.render.lookup import render_lookup
from pixelwise.render.native import render_native
from pixelwise.render.window import covered


def cells_together(parameters: Tensor) -> Tensor:
    """B h w P in memory."""
    return parameters.to(memory_format=torch.channels_last)


def one_for_all_cells(parameters: Tensor) -> Tensor:
    return parameters[:, :, :1, :1].expand_as(parameters)


@dataclass(frozen=True)
class Case:
    """What is rendered, of random numbers.

    Attributes:
        part: whether the engine is given no more of field and guide than ``window`` needs.
        layout: how the field's parameters lie in memory; B P h w, as convolutions return them, unless changed.
        index: the labels' type.
    """

    size: tuple[int, int] = (19, 26)
    cell: int = 8
    labels: int = 5
    channels: int = 0
    neighbourhood: int = 1
    hidden: tuple[int, ...] = (24, 24)
    outputs: int = 3
    batch: int = 1
    bilinear: bool = False
    code: bool = True
    tanh: bool = True
    slope: float = 0.01
    scale: float = 1.0
    window: Window | None = None
    part: bool = False
    layout: Callable[[Tensor], Tensor] = Tensor.contiguous
    index: torch.dtype = torch.int64

    def guide(self) -> Guide:
        random = torch.Generator().manual_seed(1)
        # The last label never occurs: see ``field``.
        labels = torch.randint(max(1, self.labels - 1), (self.batch, *self.size), generator=random).to(self.index)
        image = torch.randn(self.batch, self.channels, *self.size, generator=random)
        return Guide(labels if self.labels else None, self.labels, image if self.channels else None, self.neighbourhood)

    def field(self, absent: float) -> PixelwiseField:
        """Outputs before tanh are of the order of 1; ``absent`` are the weights of the label that does not occur."""
        guide = self.guide()
        inputs = guide.num_channels + (num_code_channels(self.cell) if self.code else 0)
        mlp = PixelMlp((inputs, *self.hidden, self.outputs), self.slope, self.tanh)
        grid = (-(-side // self.cell) for side in self.size)
        random = torch.Generator().manual_seed(2)
        parameters = torch.randn(self.batch, *grid, mlp.num_parameters, generator=random)
        for _, weight in mlp.layers(parameters):
            weight /= weight.shape[-2] ** 0.5
        weight = mlp.layers(parameters)[0][1]
        for neighbour in range(self.neighbourhood**2 if self.labels else 0):
            weight[..., neighbour * (self.labels + self.channels) + self.labels - 1, :] = absent
        parameters = self.layout(parameters.movedim(-1, 1).contiguous())
        return PixelwiseField(parameters, mlp, self.cell, self.bilinear, self.code)


def both(name: str, **changes: object) -> list[object]:
    """A case with nearest and one with bilinear parameters."""
    case = Case(**changes)  # type: ignore[arg-type]
    pair = {"nearest": case, "bilinear": replace(case, bilinear=True)}
    return [pytest.param(case, id=f"{name}, {parameters}") for parameters, case in pair.items()]


WINDOWS = {
    "inside": Window(5, 6, 9, 13),
    "top left": Window(0, 0, 9, 5),
    "bottom right": Window(14, 17, 5, 9),
    "one pixel": Window(12, 7, 1, 1),
}
CASES = [
    *both("default"),
    *(case for n in (1, 2, 3, 5, 8, 16, 31, 64, 128) for case in both(f"cell {n}", cell=n, size=(2 * n + 1, n + 3))),
    *both("one cell, in part", size=(5, 7)),
    *both("one cell", size=(8, 8)),
    *both("labels in bytes", index=torch.uint8, neighbourhood=3),
    *both("image", labels=0, channels=3),
    *both("labels and image", channels=3),
    *both("labels of 3x3", neighbourhood=3),
    *both("image of 5x5", labels=0, channels=2, neighbourhood=5),
    *both("labels and image of 3x3", channels=1, neighbourhood=3),
    *(case for n in (1, 2, 4, 5, 8) for case in both(f"{n} outputs", outputs=n)),
    *(case for n in range(1, 9) for case in both(f"{n} layers", hidden=(16,) * (n - 1))),
    *(case for n in (8, 17, 64, 100, 128) for case in both(f"width {n}", hidden=(n, n))),
    *both("mixed widths", hidden=(9, 33, 20)),
    *(case for n in (2, 3, 4) for case in both(f"batch of {n}", batch=n, channels=1)),
    *both("no code", code=False),
    *both("no tanh", tanh=False),
    *(case for slope in (0.0, 0.2, 1.5) for case in both(f"slope {slope}", slope=slope)),
    *both("cells together in memory", layout=cells_together, batch=2),
    *both("one MLP for all cells", layout=one_for_all_cells, batch=2),
    *(
        case
        for part in (False, True)
        for name, window in WINDOWS.items()
        for case in both(f"{name}{', of a part' * part}", window=window, part=part, neighbourhood=3, channels=1)
    ),
    *(case for scale in (0.5, 2.0, 3.7) for case in both(f"scale {scale}", scale=scale, channels=2)),
    *both("finer, of a part", scale=3.7, window=Window(30, 41, 20, 33), part=True, channels=1),
]

CASES_FOR_GRADIENTS = [
    *both("labels", size=(9, 11), cell=4, hidden=(17, 8)),
    *both("image", size=(9, 11), cell=5, hidden=(8, 17), labels=0, channels=2),
    *both("both of 3x3", size=(5, 7), cell=4, hidden=(8,), channels=2, neighbourhood=3, batch=2),
    *both("one layer", size=(9, 7), cell=2, hidden=(), batch=3),
    *both("a cell per pixel", size=(3, 5), cell=1, hidden=(8,), channels=1),
    *both("finer, a window", size=(7, 6), cell=4, hidden=(8,), channels=1, scale=2.3, window=Window(3, 2, 9, 8)),
    *both("one MLP for all cells", size=(9, 7), cell=4, hidden=(8,), layout=one_for_all_cells),
    *both("slope 1.5, no tanh", size=(9, 7), cell=4, hidden=(8, 8, 8), slope=1.5, tanh=False),
]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """For work as small as this a second one costs more than it does, above all on a busy machine."""
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(num_threads)


SLOWER_INSTRUCTION_SETS = () if library.missing() else library.instruction_sets()[1:]


@pytest.fixture(params=[*(name for name in ENGINES if name != "reference"), *SLOWER_INSTRUCTION_SETS], scope="module")
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """Engines by name; the native one again for every set of instructions that this machine has but does not use."""
    name: str = request.param
    with pytest.MonkeyPatch.context() as patch:
        if name in SLOWER_INSTRUCTION_SETS:
            slower = replace(ENGINES["native"], render=partial(render_native, instruction_set=name))
            patch.setitem(ENGINES, "native", slower)  # type: ignore[arg-type]
            name = "native"
        if reason := ENGINES[name].missing():
            pytest.skip(reason)
        yield name


@pytest.mark.parametrize("case", CASES)
def test_values(engine: str, case: Case) -> None:
    check_values(engine, case)


def test_values_with_several_threads(engine: str) -> None:
    torch.set_num_threads(3)
    check_values(engine, Case(size=(70, 50), bilinear=True, batch=2, channels=1))


@pytest.mark.parametrize("numbers", [1, 10_000])
@pytest.mark.parametrize("case", [*both("labels", batch=2), *both("finer", channels=1, scale=1.7)])
def test_torch_engine_in_tiles(case: Case, numbers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A block each, then several."""
    monkeypatch.setattr("pixelwise.render.lookup._CACHED", numbers)
    check_values("torch", case)
    check_gradients("torch", case, torch.float64)


@pytest.mark.skipif(not onednn.is_there(), reason="torch has no such operators here")
@pytest.mark.parametrize("case", [case for case in CASES if not case.values[0].bilinear])
def test_torch_engine_block_by_block(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """As large blocks are made, whatever their size."""
    calls = []
    linear = onednn.linear
    monkeypatch.setattr(onednn, "linear", lambda *arguments: calls.append(1) or linear(*arguments))
    monkeypatch.setattr("pixelwise.render.lookup._MANY_PIXELS", 1)
    check_values("torch", case)
    assert calls or not case.hidden
    calls.clear()
    field = case.field(absent=0.0)
    rendered("torch", case, replace(field, parameters=field.parameters.requires_grad_()), case.guide())
    assert not calls


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    case=st.builds(
        Case,
        size=st.tuples(st.integers(1, 20), st.integers(1, 20)),
        cell=st.integers(1, 17),
        labels=st.sampled_from([2, 9]),
        channels=st.integers(0, 2),
        neighbourhood=st.sampled_from([1, 1, 3]),
        hidden=st.lists(st.integers(1, 20), max_size=3).map(tuple),
        outputs=st.integers(1, 20),
        batch=st.integers(1, 3),
        bilinear=st.booleans(),
        code=st.booleans(),
        scale=st.sampled_from([1.0, 0.7, 1.9]),
        layout=st.sampled_from([Tensor.contiguous, cells_together]),
    )
)
def test_values_of_anything(engine: str, case: Case) -> None:
    check_values(engine, case)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("case", CASES_FOR_GRADIENTS)
def test_gradients(engine: str, case: Case, dtype: torch.dtype) -> None:
    check_gradients(engine, case, dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("bilinear", [False, True])
def test_low_precision(engine: str, bilinear: bool, dtype: torch.dtype) -> None:
    """Of the parameters, or of what autocast makes of float32 on the way."""
    case = Case(bilinear=bilinear, channels=1)
    field = case.field(absent=torch.nan)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.float32):
        image = rendered(engine, case, replace(field, parameters=field.parameters.to(dtype)), case.guide())
    assert image.dtype == dtype
    torch.testing.assert_close(image.float(), expected_values(case), atol=0.05, rtol=0)


class OneDevice(TorchDispatchMode):
    """Refuses, as a GPU would, what reads tensors of two devices."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        devices = {leaf.device for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)}
        assert len(devices) <= 1, f"{func} reads tensors on {devices}"
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("bilinear", [False, True])
def test_torch_engine_stays_on_the_device_of_its_field(bilinear: bool) -> None:
    case = Case(size=(20, 31), bilinear=bilinear, channels=1, batch=2)
    field, guide = case.field(absent=0.0), case.guide()
    rows, columns = (axis(field, 0, count, 1.0, dim) for dim, count in enumerate(guide.size))
    features = guide.at(rows, columns)
    labels, planes = ([(n, plane.to("meta")) for n, plane in pairs] for pairs in (features.labels, features.planes))
    field = replace(field, parameters=field.parameters.to("meta"))
    with OneDevice():
        image = render_lookup(field, Features(labels, features.num_labels, planes), rows, columns)
    assert (image.device.type, image.shape) == ("meta", (2, 3, 20, 31))


def check_values(engine: str, case: Case) -> None:
    with torch.no_grad():
        image = rendered(engine, case, case.field(absent=torch.nan), case.guide())
    torch.testing.assert_close(image, expected_values(case), atol=1e-5, rtol=1e-5)


@cache
def expected_values(case: Case) -> Tensor:
    """Cropped out of the whole picture."""
    # The reference multiplies all weights, also those of labels that do not occur.
    field, guide = case.field(absent=0.0), case.guide()
    image = guide.image.double() if guide.image is not None else None
    field, guide = replace(field, parameters=field.parameters.double()), replace(guide, image=image)
    window = case.window or covered(guide.size, scale=case.scale)
    whole = render(field, guide, "reference", scale=case.scale).float()
    return whole[..., window.top : window.bottom, window.left : window.right]


def check_gradients(engine: str, case: Case, dtype: torch.dtype) -> None:
    tolerance = 1e-9 if dtype == torch.float64 else 2e-5
    truths = gradients("reference", case, torch.float64)
    for gradient, truth in zip(gradients(engine, case, dtype), truths, strict=True):
        largest = truth.abs().max()
        torch.testing.assert_close(gradient / largest, (truth / largest).to(dtype), atol=tolerance, rtol=0)


def gradients(engine: str, case: Case, dtype: torch.dtype) -> list[Tensor]:
    """Those of a random linear function of the output with respect to parameters and image."""
    field, guide = case.field(absent=0.0), case.guide()
    inputs = [field.parameters.to(dtype).requires_grad_()]
    if guide.image is not None:
        inputs.append(guide.image.to(dtype).requires_grad_())
        guide = replace(guide, image=inputs[1])
    image = rendered(engine, case, replace(field, parameters=inputs[0]), guide)
    weights = torch.randn(image.shape, generator=torch.Generator().manual_seed(3)).to(dtype)
    return list(torch.autograd.grad((image * weights).sum(), inputs))


def rendered(engine: str, case: Case, field: PixelwiseField, guide: Guide) -> Tensor:
    """By the engine, which finds nothing but NaN in memory that it does not write. Skips what it refuses."""
    if case.part:
        assert case.window
        grid = (field.parameters.shape[2], field.parameters.shape[3])
        top, left, height, width = visible_cells(field.cell, field.bilinear, grid, case.window, case.scale)
        visible = field.parameters[:, :, top : top + height, left : left + width]
        field = replace(field, parameters=visible, first_cell=(top, left))
        guide = guide.around(case.window, case.scale)
    poison_freed_memory()
    try:
        return render(field, guide, engine, window=case.window, scale=case.scale)
    except InputError as error:
        if "cannot be used" not in str(error):
            raise
        pytest.skip(str(error))


def poison_freed_memory() -> None:
    _ = [torch.full((2**power,), torch.nan) for power in range(4, 21) for _ in range(3)]
