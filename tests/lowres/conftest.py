import pytest
import torch
from torch import Tensor


@pytest.fixture
def poisoned(monkeypatch: pytest.MonkeyPatch) -> None:
    """New memory holds what nobody should read."""
    empty = torch.empty

    def filled(*size: int, **options: object) -> Tensor:
        tensor = empty(*size, **options)
        # Bytes may be read as floats: four of 0xFF are NaN.
        return tensor.fill_(
            float("nan") if tensor.is_floating_point() else 0xFF if tensor.dtype == torch.uint8 else 0x7F
        )

    monkeypatch.setattr(torch, "empty", filled)


@pytest.fixture
def seeded() -> None:
    torch.manual_seed(0)
