import pytest
import torch

from pixelwise.device import find_device, find_dtype
from pixelwise.errors import InputError


def test_devices_that_are_not_there_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert find_device("auto") == find_device("cpu") == torch.device("cpu")
    with pytest.raises(InputError, match="device abacus: not available here"):
        find_device("abacus")


def test_precisions_have_names() -> None:
    assert find_dtype("bf16") == torch.bfloat16
    with pytest.raises(InputError, match="precision 'fp64' is not one of fp32, fp16, bf16"):
        find_dtype("fp64")
