"""A packed product is torch's own, wherever it can be packed and wherever not."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from pixelwise import onednn
from pixelwise.lowres.packed_linear import PackedLinear


@pytest.mark.parametrize(("rows", "inputs", "outputs"), [(1, 1, 1), (3, 5, 7), (16, 64, 33), (257, 1024, 48)])
@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("packs", [True, False])
@torch.no_grad()
def test_it_is_the_product(
    rows: int, inputs: int, outputs: int, with_bias: bool, packs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not packs:
        monkeypatch.setattr(onednn, "is_there", lambda: False)
    x, weight, bias = _random(rows, inputs), _random(outputs, inputs), _random(outputs) if with_bias else None
    product = PackedLinear(weight, bias)
    expected = F.linear(x.double(), weight.double(), None if bias is None else bias.double()).float()
    for found in (product(x), product(x[None, :, None])[0, :, 0]):
        torch.testing.assert_close(found, expected, atol=1e-5 * inputs**0.5, rtol=0)
    assert product._is_packed == (packs and onednn.is_there())


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
@torch.no_grad()
def test_other_types_stay_as_they_are(dtype: torch.dtype) -> None:
    x, weight, bias = _random(4, 8).to(dtype), _random(6, 8).to(dtype), _random(6).to(dtype)
    assert torch.equal(PackedLinear(weight, bias)(x), F.linear(x, weight, bias))


def _random(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))
