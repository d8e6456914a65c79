import pytest
import torch
from torch import nn

from pixelwise.chance import NothingDrawn, seeded, seeds_from
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


def test_a_network_can_be_built_without_drawing_and_is_otherwise_the_same() -> None:
    def build() -> nn.Module:
        layers = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Linear(4, 5))
        nn.init.xavier_normal_(layers[0].weight, gain=0.5)
        nn.init.constant_(layers[1].weight, 2)
        return layers

    state = torch.random.get_rng_state()
    with NothingDrawn():
        found = build()
    assert torch.equal(torch.random.get_rng_state(), state)
    expected = build()
    assert not torch.equal(torch.random.get_rng_state(), state)
    assert str(found) == str(expected)
    assert {name: p.shape for name, p in found.state_dict().items()} == {
        name: p.shape for name, p in expected.state_dict().items()
    }
    for before, after in zip(found[1].state_dict().values(), expected[1].state_dict().values(), strict=True):
        assert torch.equal(before, after)
    assert torch.rand(1) >= 0, "numbers are drawn again afterwards"


def test_seeds_follow_each_other() -> None:
    assert list(seeds_from(None, 2)) == [0, 1]
    assert list(seeds_from(5, 1)) == [5]
    for seed, count in ((-1, 1), (2**63 - 1, 2), (0, 0), (1.5, 1), ("1", 1), (0, 2.0)):
        with pytest.raises(InputError):
            seeds_from(seed, count)  # type: ignore[arg-type]
