import torch

from pixelwise.layers.layout import Layout


def test_planes_include_the_pyramids_features_of_their_size() -> None:
    labels = torch.tensor([[[0, 0, 1, 1]] * 4])
    fine, coarse = torch.full((1, 1, 4, 4), 0.25), torch.full((1, 1, 2, 2), 0.5)
    layout = Layout(labels, num_labels=2, pyramid=(coarse, fine))
    assert torch.equal(layout.planes, torch.cat([torch.eye(2)[labels].permute(0, 3, 1, 2), fine], dim=1))
    expected = torch.tensor([[[[1.0, 0.0]] * 2, [[0.0, 1.0]] * 2, [[0.5, 0.5]] * 2]])
    assert torch.equal(layout.at((2, 2)).planes, expected)
    assert layout.at((1, 1)).planes.shape == (1, 2, 1, 1)
