import pytest
import torch
import torch.nn.functional as F

from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.layers.layout import Layout
from pixelwise.layers.modulation import BatchNorm, ClassModulation, SpatialModulation

LABELS = torch.arange(12).remainder(3).view(1, 3, 4)
FEATURES = torch.randn(1, 5, 3, 4, generator=torch.Generator().manual_seed(0))


def layout(**parts: torch.Tensor) -> Layout:
    return Layout(LABELS, 3, **parts)


def test_layouts_shrink_by_nearest_neighbour_rounding_down() -> None:
    labels = torch.arange(6 * 9).view(1, 6, 9)
    whole = Layout.of(Condition(labels=labels, instances=labels), 54, 0, edges=True)
    small = whole.at((2, 4))
    assert small.labels.tolist() == [[[0, 2, 4, 6], [27, 29, 31, 33]]]
    assert torch.equal(small.planes[:, :54].argmax(1), small.labels)
    assert small.edges.shape == (1, 1, 2, 4)
    assert whole.at((6, 9)) is whole
    assert torch.equal(whole.at((12, 18)).labels, F.interpolate(labels[None].float(), (12, 18))[0].long())


def test_a_class_table_of_ones_and_zeros_only_normalises() -> None:
    plain = ClassModulation(5, 3, norm="instance")
    torch.testing.assert_close(plain(FEATURES, layout()), F.instance_norm(FEATURES))


def test_each_place_takes_its_class_row() -> None:
    modulation = ClassModulation(5, 3, norm="instance")
    torch.nn.init.normal_(modulation.gamma)
    torch.nn.init.normal_(modulation.beta)
    found = modulation(FEATURES, layout())
    y, x = 1, 2
    row = LABELS[0, y, x]
    expected = F.instance_norm(FEATURES)[0, :, y, x] * modulation.gamma[row] + modulation.beta[row]
    torch.testing.assert_close(found[0, :, y, x], expected)


def test_what_is_appended_comes_last() -> None:
    modulation = ClassModulation(5, 3, edges=True, append_offsets=True).eval()
    edges, offsets = torch.rand(1, 1, 3, 4), torch.rand(1, 2, 3, 4)
    found = modulation(FEATURES, layout(edges=edges, offsets=offsets))
    assert found.shape[1] == modulation.out_channels == 7
    torch.testing.assert_close(found[:, 5:6], modulation.of_edges(edges))
    torch.testing.assert_close(found[:, 6:], modulation.of_offsets(offsets))


def test_classes_need_labels() -> None:
    with pytest.raises(InputError, match="needs a label map"):
        ClassModulation(5, 3)(FEATURES, Layout(None, 0, image=torch.zeros(1, 3, 3, 4)))


def test_a_spatial_modulation_of_zeros_only_normalises() -> None:
    modulation = SpatialModulation(5, 3, norm="instance")
    for convolution in (modulation.gamma, modulation.beta):
        torch.nn.init.zeros_(convolution.weight)
        torch.nn.init.zeros_(convolution.bias)
    torch.testing.assert_close(modulation(FEATURES, layout()), F.instance_norm(FEATURES))


def test_batch_norm_learns_from_more_than_one_place() -> None:
    norm = BatchNorm(5, affine=False)
    norm(torch.rand(2, 5, 1, 1))
    norm(torch.rand(1, 5, 1, 2))
    with pytest.raises(InputError, match=r"shrunk to 1 x 1 of a single picture; train with larger crops"):
        norm(torch.rand(1, 5, 1, 1))
    assert norm.eval()(torch.rand(1, 5, 1, 1)).isfinite().all()
