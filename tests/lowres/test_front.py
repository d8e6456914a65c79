import pytest
import torch
from label_maps import patches
from torch import Tensor, nn

from pixelwise.errors import InputError
from pixelwise.labels import one_hot
from pixelwise.lowres.band import Band
from pixelwise.lowres.blocks import Block
from pixelwise.lowres.front import Front
from pixelwise.lowres.reference import TentReduction
from pixelwise.native import library

ENGINES = [*(library.instruction_sets() if library.missing() is None else ()), None]
"""Instruction sets, and None for torch."""

pytestmark = pytest.mark.usefixtures("poisoned", "seeded")

PADDINGS = ("zeros", "reflect", "replicate")


def modules(channels: int, outputs: int, norm: str = "instance", padding: str = "zeros") -> tuple[nn.Conv2d, nn.Module]:
    """A convolution and its norm as a trained network has them."""
    convolution = nn.Conv2d(channels, outputs, 3, padding=1, padding_mode=padding, bias=norm == "none")
    if norm == "none":
        return convolution, nn.Identity()
    kind = nn.InstanceNorm2d(outputs, affine=True) if norm == "instance" else nn.BatchNorm2d(outputs)
    nn.init.normal_(kind.weight)
    nn.init.normal_(kind.bias)
    if norm == "batch":
        nn.init.normal_(kind.running_mean)
        nn.init.uniform_(kind.running_var, 0.1, 2)
    return convolution, kind.eval()


def front(engine: str | None, block: tuple[nn.Conv2d, nn.Module], num_labels: int, stride: int) -> Front:
    return Front(Block.of(*block), num_labels, stride, native=engine is not None, instruction_set=engine)


@torch.no_grad()
def definition(
    block: tuple[nn.Conv2d, nn.Module], num_labels: int, stride: int, labels: Tensor | None, planes: Tensor | None
) -> Tensor:
    parts = [] if labels is None else [one_hot(labels, num_labels)]
    parts += [] if planes is None else [planes]
    network = nn.Sequential(TentReduction(stride), *block, nn.ReLU()).double()
    features = network(torch.cat(parts, dim=1).double())
    network.float()
    return features


def edges(size: tuple[int, int, int]) -> Tensor:
    return (torch.rand(size[0], 1, *size[1:]) < 0.1).float()


@torch.no_grad()
def features_of(made: Front, labels: Tensor | None, planes: Tensor | None) -> Tensor:
    """With norm and ReLU, B O h w."""
    convolved = made(labels, planes)
    assert convolved.cells.is_contiguous()
    return made.norm.settled(convolved.moments)(convolved.cells).values().permute(0, 3, 1, 2)


def assert_equal(features: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(features.double(), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("norm", ["instance", "batch", "none"])
def test_norms_and_paddings(engine: str | None, norm: str, padding: str) -> None:
    size = (2, 14, 22)
    block = modules(6, 64, norm, padding)
    labels, planes = patches(size, 5, 6), edges(size)
    features = features_of(front(engine, block, 5, 2), labels, planes)
    assert_equal(features, definition(block, 5, 2, labels, planes))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("stride", [1, 2, 4, 8])
@pytest.mark.parametrize("num_labels", [1, 13, 40])
def test_strides_and_labels(engine: str | None, stride: int, num_labels: int) -> None:
    size = (2, 7 * stride, 9 * stride)
    block = modules(num_labels + 1, 32)
    labels, planes = patches(size, num_labels, 3 * stride + 1), edges(size)
    features = features_of(front(engine, block, num_labels, stride), labels, planes)
    assert_equal(features, definition(block, num_labels, stride, labels, planes))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("stride", [1, 4])
def test_labels_that_are_noise(engine: str | None, stride: int) -> None:
    block = modules(40, 64)
    labels = torch.randint(40, (2, 9 * stride, 11 * stride))
    features = features_of(front(engine, block, 40, stride), labels, None)
    assert_equal(features, definition(block, 40, stride, labels, None))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("stride", [1, 2])
def test_an_image_alone(engine: str | None, stride: int, padding: str) -> None:
    block = modules(3, 64, padding=padding)
    image = torch.rand(2, 3, 7 * stride, 5 * stride) * 2 - 1
    features = features_of(front(engine, block, 0, stride), None, image)
    assert_equal(features, definition(block, 0, stride, None, image))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("outputs", [7, 20, 48, 72, 100])
def test_any_number_of_outputs(engine: str | None, outputs: int) -> None:
    block = modules(5, outputs)
    labels = patches((2, 11, 13), 5, 4)
    assert_equal(features_of(front(engine, block, 5, 1), labels, None), definition(block, 5, 1, labels, None))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("padding", PADDINGS)
def test_wide_areas(engine: str | None, padding: str) -> None:
    """Wider than what is convolved at a time, with repetitions across its borders, and more rows than items, of which
    the last is smaller."""
    block = modules(3, 16, padding=padding)
    labels = torch.zeros(1, 71, 200, dtype=torch.long)
    labels[:, 20:50, 30:64] = 1
    labels[:, 30:, 127:150] = 2
    assert_equal(features_of(front(engine, block, 3, 1), labels, None), definition(block, 3, 1, labels, None))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("size", [(1, 1), (1, 5), (5, 1), (2, 2)])
def test_tiny_pictures(engine: str | None, size: tuple[int, int]) -> None:
    block = modules(4, 32, norm="none")
    labels = torch.randint(4, (2, *size))
    assert_equal(features_of(front(engine, block, 4, 1), labels, None), definition(block, 4, 1, labels, None))


@pytest.mark.parametrize("engine", ENGINES)
def test_instance_norm_far_from_zero(engine: str | None) -> None:
    """Variance must not be lost beside a large mean: no more than the convolution's own rounding loses of it."""
    block = modules(2, 16, padding="replicate")
    planes = 100 + torch.rand(1, 2, 24, 80)
    expected = definition(block, 0, 1, None, planes)
    with torch.no_grad():
        rounding = (nn.Sequential(*block, nn.ReLU())(planes) - expected).abs().max()
    assert (features_of(front(engine, block, 0, 1), None, planes) - expected).abs().max() < 2 * rounding


@pytest.mark.parametrize("engine", ENGINES)
def test_one_label_everywhere_is_its_shift(engine: str | None) -> None:
    block = modules(2, 16, padding="replicate")
    features = features_of(front(engine, block, 2, 2), torch.ones(1, 12, 12, dtype=torch.long), None)
    expected = block[1].bias.detach().relu()[:, None, None].expand_as(features)
    # Without variance the norm multiplies rounding errors by epsilon^-1/2 = 316.
    torch.testing.assert_close(features, expected, rtol=0, atol=316 * 3e-7)


@pytest.mark.parametrize("engine", ENGINES)
def test_bands_make_the_whole(engine: str | None) -> None:
    size, stride = (1, 4 * 22, 4 * 6), 4
    labels, planes = patches(size, 9, 5), edges(size)
    whole = front(engine, modules(10, 32), 9, stride)
    bands = []
    for first, last in ((0, 5), (5, 6), (6, 22)):
        read = whole.rows_read(range(first, last), size[1])
        rows, band = slice(read.start, read.stop), Band(range(first, last), read.start, size[1])
        made = whole(labels[:, rows], planes[:, :, rows], band)
        variance, mean = torch.var_mean(made.cells, dim=(1, 2), correction=0)
        for found, expected in zip(made.moments(), (mean, variance), strict=True):
            torch.testing.assert_close(found.float(), expected, rtol=1e-5, atol=1e-6)
        bands.append(made.cells)
    cells = whole(labels, planes).cells
    torch.testing.assert_close(torch.cat(bands, dim=1), cells, rtol=0, atol=0 if engine else 1e-6)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("band", [Band(range(3, 5), 8, 32), Band(range(7, 9), 0, 32), Band(range(0, 3), 0, 32)])
def test_bands_that_cannot_be_made_of_the_rows_at_hand(engine: str | None, band: Band) -> None:
    with pytest.raises(InputError, match="rows"):
        front(engine, modules(2, 16), 2, 4)(torch.zeros(1, 8, 8).long(), None, band)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_same_with_any_number_of_threads(engine: str | None) -> None:
    if engine is None:
        pytest.skip("torch's own threads")
    whole = front(engine, modules(9, 32), 9, 2)
    labels = patches((1, 80, 60), 9, 5)
    threads = torch.get_num_threads()
    made = []
    try:
        for num_threads in (1, 3):
            torch.set_num_threads(num_threads)
            made.append(features_of(whole, labels, None))
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(*made)


def test_fronts_there_are_not() -> None:
    with pytest.raises(InputError, match="3 channels cannot read 4 labels"):
        Front(Block(torch.zeros(8, 3, 3, 3)), 4, 1, native=False)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_single_row_has_no_reflection(engine: str | None) -> None:
    with pytest.raises(InputError, match="reflection"):
        front(engine, modules(3, 8, padding="reflect"), 3, 4)(torch.zeros(1, 4, 20, dtype=torch.long), None)
