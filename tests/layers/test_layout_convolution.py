import pytest
import torch

from pixelwise.layers import layout_convolution
from pixelwise.layers.convolution import init_weights
from pixelwise.layers.layout import Layout
from pixelwise.layers.layout_convolution import GatheredConv2d, LayoutConv2d

LABELS = torch.randint(4, (2, 9, 7), generator=torch.Generator().manual_seed(0))
PICTURE = torch.linspace(-1, 1, 2 * 3 * 9 * 7).view(2, 3, 9, 7)
LAYOUTS = {
    "labels": Layout(LABELS, 4),
    "int32": Layout(LABELS.int(), 4),
    "labels and edges": Layout(LABELS, 4, edges=(LABELS[:, None] > 1).float()),
    "labels and features": Layout(LABELS, 4, image=PICTURE, features=(PICTURE[:, :, :4, :3], PICTURE + 1)),
    "a picture": Layout(None, 0, image=PICTURE),
}


@pytest.mark.parametrize("rows_at_once", [1, 1000, 1 << 22])
@pytest.mark.parametrize("padding_mode", ["constant", "reflect"])
@pytest.mark.parametrize("kernel_size", [1, 3, 7])
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@torch.no_grad()
def test_gathering_is_convolving(
    layout: Layout, kernel_size: int, padding_mode: str, rows_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout_convolution, "_ROWS_AT_ONCE", rows_at_once)
    convolution = LayoutConv2d(layout.planes.shape[1], 5, kernel_size, padding_mode)
    torch.testing.assert_close(GatheredConv2d(convolution)(layout), convolution(layout), atol=1e-6, rtol=1e-6)


@torch.no_grad()
def test_it_is_a_convolution() -> None:
    planes = LAYOUTS["labels and edges"].planes
    for padding_mode, theirs in (("constant", "zeros"), ("reflect", "reflect")):
        convolution = LayoutConv2d(5, 2, 3, padding_mode)
        plain = torch.nn.Conv2d(5, 2, 3, padding=1, padding_mode=theirs)
        plain.load_state_dict(convolution.state_dict())
        torch.testing.assert_close(convolution(LAYOUTS["labels and edges"]), plain(planes))


@torch.no_grad()
def test_layouts_smaller_than_the_kernel() -> None:
    convolution = LayoutConv2d(4, 5, 3)
    layout = Layout(LABELS[:, :1, :1], 4)
    torch.testing.assert_close(GatheredConv2d(convolution)(layout), convolution(layout), atol=1e-6, rtol=1e-6)


def test_it_is_initialised_as_other_convolutions_are() -> None:
    convolution = LayoutConv2d(64, 64, 3)
    init_weights(convolution)
    assert not convolution.bias.any()
    assert convolution.weight.std().item() == pytest.approx(0.02 * (2 / (2 * 9 * 64)) ** 0.5, rel=0.05)
    assert list(convolution.state_dict()) == ["weight", "bias"]


def test_gathered_rows_are_not_stored() -> None:
    assert list(GatheredConv2d(LayoutConv2d(4, 5, 3)).state_dict()) == ["weight", "bias"]
