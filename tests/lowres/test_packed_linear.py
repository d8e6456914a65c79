"""A packed product is torch's own, wherever it can be packed and wherever not."""

import platform
import sys

import pytest
import torch
import torch.nn.functional as F
from default_type import float64_by_default
from torch import Tensor

from pixelwise.lowres import packed_linear
from pixelwise.lowres.packed_linear import PackedLinear


@pytest.mark.parametrize(("rows", "inputs", "outputs"), [(1, 1, 1), (3, 5, 7), (16, 64, 33), (257, 1024, 48)])
@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("packs", [True, False])
@torch.no_grad()
def test_it_is_the_product(
    rows: int, inputs: int, outputs: int, with_bias: bool, packs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not packs:
        monkeypatch.setattr(packed_linear, "_can_pack", lambda: False)
    x, weight, bias = _random(rows, inputs), _random(outputs, inputs), _random(outputs) if with_bias else None
    product = PackedLinear(weight, bias)
    expected = F.linear(x.double(), weight.double(), None if bias is None else bias.double()).float()
    for found in (product(x), product(x[None, :, None])[0, :, 0]):
        torch.testing.assert_close(found, expected, atol=1e-5 * inputs**0.5, rtol=0)
    assert product._is_packed == (packs and packed_linear._can_pack())


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="torch may lack oneDNN's operators"
)
def test_torch_for_linux_has_the_operators() -> None:
    assert packed_linear._can_pack()


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
@torch.no_grad()
def test_other_types_stay_as_they_are(dtype: torch.dtype) -> None:
    x, weight, bias = _random(4, 8).to(dtype), _random(6, 8).to(dtype), _random(6).to(dtype)
    assert torch.equal(PackedLinear(weight, bias)(x), F.linear(x, weight, bias))


def test_they_are_found_whatever_torchs_defaults_are() -> None:
    with float64_by_default(), torch.device("meta"):
        found = packed_linear._can_pack.__wrapped__()
    assert found == packed_linear._can_pack()


def test_operators_that_are_missing_or_compute_something_else_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    class Nothing:
        def __getattr__(self, name: str) -> None:
            raise AttributeError(name)

    class Wrong:
        def _reorder_linear_weight(self, weight: Tensor) -> Tensor:
            return weight

        def _linear_pointwise(self, x: Tensor, weight: Tensor, *_: object) -> Tensor:
            return x @ weight.t() + 1

    for operators in (Nothing(), Wrong()):
        monkeypatch.setattr(torch.ops, "mkldnn", operators)
        assert not packed_linear._can_pack.__wrapped__()


def _random(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))
