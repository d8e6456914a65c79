import pytest
import torch

from pixelwise.chance import seeded, seeds_from
from pixelwise.errors import InputError

CPU = torch.device("cpu")


def test_numbers_follow_from_the_seed_and_others_go_on() -> None:
    torch.manual_seed(7)
    expected = torch.rand(2)
    torch.manual_seed(7)
    with seeded(3, CPU):
        drawn = torch.rand(2)
    assert torch.equal(torch.rand(2), expected)
    with seeded(3, CPU):
        assert torch.equal(torch.rand(2), drawn)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_so_it_is_on_a_gpu() -> None:
    device = torch.device("cuda", 0)
    torch.cuda.manual_seed(7)
    expected = torch.rand(2, device=device)
    torch.cuda.manual_seed(7)
    with seeded(3, device):
        drawn = torch.rand(2, device=device)
    assert torch.equal(torch.rand(2, device=device), expected)
    with seeded(3, device):
        assert torch.equal(torch.rand(2, device=device), drawn)


def test_seeds_follow_each_other() -> None:
    assert list(seeds_from(None, 2)) == [0, 1]
    assert list(seeds_from(5, 1)) == [5]
    for seed, count in ((-1, 1), (2**63 - 1, 2), (0, 0), (1.5, 1), ("1", 1), (0, 2.0)):
        with pytest.raises(InputError):
            seeds_from(seed, count)  # type: ignore[arg-type]
