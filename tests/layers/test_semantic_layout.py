import pytest
import torch

from pixelwise.condition import Condition
from pixelwise.layers.layout import Layout
from pixelwise.layers.modulation import ClassModulation


def test_planes_include_the_features_of_their_size() -> None:
    labels = torch.tensor([[[0, 0, 1, 1]] * 4])
    fine, coarse = torch.full((1, 1, 4, 4), 0.25), torch.full((1, 1, 2, 2), 0.5)
    layout = Layout(labels, num_labels=2, features=(coarse, fine))
    assert torch.equal(layout.planes, torch.cat([torch.eye(2)[labels].permute(0, 3, 1, 2), fine], dim=1))
    expected = torch.tensor([[[[1.0, 0.0]] * 2, [[0.0, 1.0]] * 2, [[0.5, 0.5]] * 2]])
    assert torch.equal(layout.at((2, 2)).planes, expected)
    assert layout.at((1, 1)).planes.shape == (1, 2, 1, 1)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.int32])
def test_rows_are_gathered_by_labels_of_any_integer_type(dtype: torch.dtype) -> None:
    labels, features = torch.tensor([[[0, 1], [1, 1]]]), torch.arange(8.0).view(1, 2, 2, 2)
    modulation = ClassModulation(2, num_labels=2)
    torch.nn.init.normal_(modulation.gamma)
    expected, found = (
        modulation(features, Layout.of(Condition(labels=ids), 2, 0, edges=False)) for ids in (labels, labels.to(dtype))
    )
    assert torch.equal(found, expected)
