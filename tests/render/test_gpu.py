"""The kernels in Triton's interpreter, which needs no GPU but must be on before Triton is imported: in a process of its
own. The interpreter accepts more than the compiler, so that has its say as well, for a device that is not there."""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from pixelwise.render import Guide, PixelMlp, PixelwiseField, Window, gpu
from pixelwise.render.axis import axis
from pixelwise.render.engine import Render
from pixelwise.render.field import num_code_channels
from pixelwise.render.guide import Features
from pixelwise.render.reference import render_reference
from pixelwise.render.window import covered

needs_triton = pytest.mark.skipif(find_spec("triton") is None, reason="triton is not installed")
needs_device = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")

Interpreted = Callable[..., None]


@dataclass(frozen=True)
class Case:
    size: tuple[int, int]
    cell: int = 4
    batch: int = 1
    num_labels: int = 3
    num_channels: int = 1
    neighbourhood: int = 1
    hidden: tuple[int, ...] = (16, 12)
    num_outputs: int = 3
    tanh: bool = True
    bilinear: bool = False
    code: bool = True
    scale: float = 1
    window: Window | None = None
    first_cell: tuple[int, int] = (0, 0)

    def guide(self) -> Guide:
        labels = torch.randint(self.num_labels, (self.batch, *self.size)) if self.num_labels else None
        image = torch.rand(self.batch, self.num_channels, *self.size) * 2 - 1 if self.num_channels else None
        origin = (self.first_cell[0] * self.cell, self.first_cell[1] * self.cell)
        return Guide(labels, self.num_labels, image, self.neighbourhood, origin)

    def field(self) -> PixelwiseField:
        inputs = self.guide().num_channels + (num_code_channels(self.cell) if self.code else 0)
        mlp = PixelMlp((inputs, *self.hidden, self.num_outputs), tanh=self.tanh)
        grid = (-(-side // self.cell) for side in self.size)
        parameters = torch.randn(self.batch, mlp.num_parameters, *grid) / 3
        return PixelwiseField(parameters, mlp, self.cell, self.bilinear, self.code, self.first_cell)


CASES = {
    "nearest": Case((6, 7), batch=2),
    "bilinear": Case((6, 7), bilinear=True),
    "labels alone": Case((5, 4), num_channels=0, code=False, tanh=False),
    "many labels": Case((5, 4), num_labels=40, num_channels=0),
    "image alone": Case((5, 4), num_labels=0, num_channels=17),
    "neighbourhood": Case((4, 4), neighbourhood=3, num_channels=2),
    "one layer": Case((5, 4), hidden=(), num_outputs=17),
    "widths of three sizes": Case((4, 4), hidden=(40, 9), num_outputs=2),
    "eight layers": Case((4, 4), hidden=(8,) * 7),
    "wide": Case((3, 4), hidden=(64, 128)),
    "batch of four": Case((4, 3), batch=4, bilinear=True, num_channels=0),
    "a cell per pixel": Case((2, 3), cell=1),
    "odd cell": Case((5, 4), cell=3),
    "a block of several tiles": Case((12, 12), cell=12, hidden=(16,)),
    "finer": Case((5, 4), bilinear=True, scale=1.7),
    "coarser": Case((12, 9), scale=0.3),
    "window": Case((12, 9), bilinear=True, window=Window(3, 2, 5, 6)),
    "part": Case((4, 8), first_cell=(5, 2)),
}


def outcome(render: Render, case: Case, dtype: torch.dtype, device: str, precise: bool) -> list[Tensor]:
    """The image and the gradients of parameters and guide; in float32 where ``precise``, but of the same numbers."""
    torch.manual_seed(0)
    guide, field = case.guide(), case.field()
    parameters = field.parameters.to(device, dtype)
    image = None if guide.image is None else guide.image.to(device, dtype)
    leaves = [tensor.float() if precise else tensor for tensor in (parameters, image) if tensor is not None]
    leaves = [leaf.detach().requires_grad_() for leaf in leaves]
    labels = None if guide.labels is None else guide.labels.to(device)
    guide = replace(guide, labels=labels, image=None if image is None else leaves[1])
    field = replace(field, parameters=leaves[0])
    window = case.window or covered(guide.size, guide.origin, case.scale)
    rows = axis(field, window.top, window.height, case.scale, dim=0)
    columns = axis(field, window.left, window.width, case.scale, dim=1)
    rendered = render(field, guide.at(rows, columns), rows, columns)
    assert (rendered.dtype, rendered.device) == (leaves[0].dtype, leaves[0].device)
    rendered.backward(torch.linspace(-1, 1, rendered.numel()).view(rendered.shape).to(rendered))
    return [tensor.float() for tensor in (rendered.detach(), *(leaf.grad for leaf in leaves)) if tensor is not None]


def check_agrees(case: Case, dtype: torch.dtype, device: str = "cpu") -> None:
    """Agrees with the reference in float32, or is about as near to it as the reference in the same type is."""
    expected = outcome(render_reference, case, dtype, device, precise=True)
    fused = outcome(gpu.render_gpu, case, dtype, device, precise=False)
    rounded = outcome(render_reference, case, dtype, device, precise=False)
    assert len(fused) == len(expected)
    for result, of_same_type, truth in zip(fused, rounded, expected, strict=True):
        tolerance = 1e-5 * truth.abs().max()
        if dtype != torch.float32:
            tolerance += 2 * (of_same_type - truth).abs().max()
        torch.testing.assert_close(result, truth, atol=float(tolerance), rtol=0)


def prepare_interpreter() -> None:
    torch.set_num_threads(1)
    # Fills memory with NaN where it is not written: a kernel that skips a pixel shows.
    torch.use_deterministic_algorithms(True)


@pytest.fixture(scope="module")
def interpreted() -> Iterator[Interpreted]:
    """Calls a function of this file in a process in which kernels are interpreted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRITON_INTERPRET", "1")
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), prepare_interpreter) as executor:
            executor.submit(os.getpid).result()
            patch.undo()
            yield lambda *arguments: executor.submit(*arguments).result()


@needs_triton
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_agrees_with_the_reference(case: Case, interpreted: Interpreted) -> None:
    interpreted(check_agrees, case, torch.float32)


@needs_triton
@pytest.mark.parametrize("name", ["nearest", "bilinear", "image alone", "neighbourhood", "finer", "window", "wide"])
def test_agrees_with_the_reference_in_float16(name: str, interpreted: Interpreted) -> None:
    interpreted(check_agrees, CASES[name], torch.float16)


def check_prepared(case: Case) -> None:
    """Laid out for one picture, it renders another of the same size."""
    torch.manual_seed(0)
    guides, fields = [case.guide() for _ in range(2)], [case.field() for _ in range(2)]
    window = case.window or covered(guides[0].size, guides[0].origin, case.scale)
    rows = axis(fields[0], window.top, window.height, case.scale, dim=0)
    columns = axis(fields[0], window.left, window.width, case.scale, dim=1)
    shape = replace(fields[0], parameters=fields[0].parameters.to("meta"))
    rendering = gpu.prepare_gpu(shape, guides[0].at(rows, columns), rows, columns, torch.device("cpu"))
    for guide, field in zip(guides, fields, strict=True):
        features = guide.at(rows, columns)
        expected = render_reference(field, features, rows, columns)
        torch.testing.assert_close(rendering(field.parameters, features), expected, atol=1e-5, rtol=0)


@needs_triton
@pytest.mark.parametrize("name", ["nearest", "bilinear", "labels alone", "image alone", "window"])
def test_prepared_for_a_size_it_renders_any_picture_of_it(name: str, interpreted: Interpreted) -> None:
    interpreted(check_prepared, CASES[name])


def check_runs_where_interpreted() -> None:
    assert gpu.missing() is None
    assert gpu.unfit(CASES["nearest"].field(), Features([], 0, [])) is None


@needs_triton
def test_can_run_where_it_is_interpreted(interpreted: Interpreted) -> None:
    interpreted(check_runs_where_interpreted)


class PretendedDriver:
    """Of a device that can be compiled for, but not used."""

    def __init__(self, capability: int) -> None:
        self._capability = capability

    def get_current_target(self) -> Any:
        from triton.backends.compiler import GPUTarget

        return GPUTarget("cuda", self._capability, 32)

    def get_current_device(self) -> int:
        return 0

    def get_current_stream(self, device: int) -> int:
        return 0


class CompiledOnly:
    """Stands in for a kernel: is compiled for what it would be launched with."""

    def __init__(self, kernel: Any) -> None:
        self._kernel = kernel

    def __getitem__(self, grid: tuple[int, ...]) -> Callable[..., Any]:
        return partial(self._kernel.warmup, grid=grid)


def check_compiles(capability: int) -> None:
    from triton.runtime import driver

    from pixelwise.render.gpu import kernels

    driver.set_active(PretendedDriver(capability))
    with pytest.MonkeyPatch.context() as patch:
        for name in ("forward", "backward"):
            patch.setattr(kernels, name, CompiledOnly(getattr(kernels, name)))
        outcome(gpu.render_gpu, Case((8, 8), cell=8, hidden=(32, 32)), torch.bfloat16, "cpu", precise=False)
        outcome(gpu.render_gpu, Case((8, 8), cell=8, bilinear=True), torch.float32, "cpu", precise=False)


@needs_triton
def test_compiles_for_a_device(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRITON_CACHE_DIR", str(tmp_path))
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as executor:
            executor.submit(check_compiles, 90).result()
    assert {path.stem for path in tmp_path.rglob("*.cubin")} == {"forward", "backward"}


def test_importing_the_engines_imports_no_triton() -> None:
    code = "import sys, pixelwise.render; sys.exit('triton' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    monkeypatch.setitem(sys.modules, "triton", SimpleNamespace(__version__="3.2.0"))
    monkeypatch.setattr(gpu, "find_spec", lambda name: None)
    assert gpu.missing() == "triton is not installed: pip install 'pixelwise[gpu]'"
    monkeypatch.setattr(gpu, "find_spec", lambda name: SimpleNamespace(name=name))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu.missing() == "no CUDA device"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert gpu.missing() == "triton 3.2.0 is older than 3.4"


def test_says_what_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    field, features = Case((4, 4)).field(), Features([], 0, [])
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    assert gpu.unfit(field, features) == "it reads parameters on a CUDA device, not on cpu"
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    assert gpu.unfit(field, features) is None
    double = replace(field, parameters=field.parameters.double())
    assert gpu.unfit(double, features) == "it reads parameters of float32, float16 or bfloat16, not torch.float64"
    wide = Case((4, 4), hidden=(16, 129)).field()
    assert gpu.unfit(wide, features) == "its layers are at most 128 wide, not 129"
    steep = replace(field, mlp=replace(field.mlp, negative_slope=1.5))
    assert gpu.unfit(steep, features) == "its leaky ReLU has a negative slope of 0 to 1, not 1.5"
    huge = Features([(0, torch.zeros(1, 1, 1, dtype=torch.uint8).expand(1, 2**16, 2**15))], 3, [])
    assert gpu.unfit(field, huge) == "it counts the pixels of a picture in 31 bits"


def test_says_that_gradients_are_not_deterministic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    monkeypatch.setattr(torch, "are_deterministic_algorithms_enabled", lambda: True)
    field, features = Case((4, 4)).field(), Features([], 0, [])
    assert gpu.unfit(field, features) is None
    field.parameters.requires_grad_()
    assert gpu.unfit(field, features) == "its gradients are not deterministic"
    with torch.no_grad():
        assert gpu.unfit(field, features) is None


FULL_SIZE = Case((1024, 1024), cell=64, num_labels=35, hidden=(64, 64, 64, 64))


@pytest.mark.gpu
@needs_device
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("case", [*CASES.values(), FULL_SIZE], ids=[*CASES, "full size"])
def test_agrees_with_the_reference_on_a_gpu(case: Case, dtype: torch.dtype) -> None:
    check_agrees(case, dtype, "cuda")


@pytest.mark.gpu
@needs_device
@pytest.mark.parametrize("name", ["nearest", "bilinear"])
def test_agrees_with_the_reference_in_tf32_on_a_gpu(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = outcome(render_reference, CASES[name], torch.float32, "cuda", precise=True)
    monkeypatch.setattr(torch.backends.cuda.matmul, "allow_tf32", True)
    fused = outcome(gpu.render_gpu, CASES[name], torch.float32, "cuda", precise=False)
    for result, truth in zip(fused, expected, strict=True):
        error = float((result - truth).abs().max() / truth.abs().max())
        # TF32 has 10 bits of fraction, float32 23: a wrong number would be further off, exact ones nearer.
        assert 2e-5 < error < 5e-3
