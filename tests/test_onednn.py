"""oneDNN's products: used where torch has them and they compute what they should."""

import platform
import sys

import pytest
import torch
import torch.nn.functional as F
from default_type import float64_by_default
from torch import Tensor

from pixelwise import onednn

has_operators = pytest.mark.skipif(not onednn.is_there(), reason="torch has no such operators here")


@has_operators
@pytest.mark.parametrize(("rows", "inputs", "outputs"), [(1, 1, 1), (3, 5, 7), (1024, 64, 64), (257, 1024, 3)])
@pytest.mark.parametrize("slope", [1.0, 0.01, 0.2, 0.0, 1.5])
@torch.no_grad()
def test_a_product_is_torchs(rows: int, inputs: int, outputs: int, slope: float) -> None:
    torch.manual_seed(0)
    x, weight, bias = torch.randn(rows, inputs), torch.randn(outputs, inputs), torch.randn(outputs)
    expected = F.leaky_relu(F.linear(x.double(), weight.double(), bias.double()), slope).float()
    transposed = weight.t().contiguous().t()
    for read in (weight, transposed, onednn.packed(weight)):
        found = onednn.linear(x, read, bias, slope)
        torch.testing.assert_close(found, expected, atol=1e-5 * inputs**0.5, rtol=0)


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="torch may lack oneDNN's operators"
)
def test_torch_for_linux_has_the_operators() -> None:
    assert onednn.is_there()


def test_they_are_found_whatever_torchs_defaults_are() -> None:
    with float64_by_default(), torch.device("meta"):
        found = onednn.is_there.__wrapped__()
    assert found == onednn.is_there()


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
        assert not onednn.is_there.__wrapped__()
