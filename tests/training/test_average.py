import torch
from torch import nn

from pixelwise.training.average import WeightAverage

STARTING_DECAYS = [1 / 10, 2 / 11, 3 / 12, 4 / 13]


def followed(decay: float) -> tuple[list[float], list[float]]:
    """The values of a weight, and those of its average after each."""
    module = nn.Linear(1, 1, bias=False).requires_grad_(False)
    average = WeightAverage(module, decay)
    values, averages = [module.weight.item()], []
    for num_updates, value in enumerate([1.0, -2.0, 0.5, 3.0]):
        module.weight.fill_(value)
        average.update(module, num_updates)
        values.append(value)
        averages.append(average.averaged.weight.item())
    return values, averages


def closed_form(values: list[float], decays: list[float]) -> float:
    """Each value weighted by one minus its own decay times all later decays; the first one came without decay."""
    shares = [1.0, *(1 - decay for decay in decays)]
    for place in range(len(shares)):
        for decay in decays[place:]:
            shares[place] *= decay
    assert abs(sum(shares) - 1) < 1e-12
    return sum(share * value for share, value in zip(shares, values, strict=True))


def test_the_average_has_its_closed_form():
    for decay in (0.999, 0.2):
        values, averages = followed(decay)
        for count, average in enumerate(averages, start=1):
            decays = [min(decay, start) for start in STARTING_DECAYS[:count]]
            torch.testing.assert_close(average, closed_form(values[: count + 1], decays), rtol=1e-6, atol=1e-6)


def test_without_decay_the_average_is_the_module():
    values, averages = followed(0.0)
    assert averages == values[1:]


def test_statistics_are_copied():
    module = nn.BatchNorm1d(2)
    average = WeightAverage(module, 0.999)
    module(torch.randn(8, 2))
    average.update(module, 0)
    assert torch.equal(average.averaged.running_mean, module.running_mean)
    assert average.averaged.num_batches_tracked == 1


def test_the_average_is_a_model_to_use_not_to_train():
    module = nn.BatchNorm1d(2)
    average = WeightAverage(module, 0.9)
    assert not average.averaged.training
    assert module.training
    assert not any(parameter.requires_grad for parameter in average.averaged.parameters())
    assert all(parameter.requires_grad for parameter in module.parameters())
