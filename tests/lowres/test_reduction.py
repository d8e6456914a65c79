import pytest
import torch
from label_maps import patches
from torch import Tensor

from pixelwise.errors import InputError
from pixelwise.labels import one_hot
from pixelwise.lowres.band import Band
from pixelwise.lowres.reduction import PresentPlanes, Reduced, Reduction, SparsePlanes, rows_read
from pixelwise.lowres.reference import TentReduction
from pixelwise.native import library

ENGINES = [*(library.instruction_sets() if library.missing() is None else ()), None]
"""Instruction sets, and None for torch."""

pytestmark = pytest.mark.usefixtures("poisoned", "seeded")


def reduction(engine: str | None, stride: int, num_labels: int, num_planes: int) -> Reduction:
    return Reduction(stride, num_labels, num_planes, native=engine is not None, instruction_set=engine)


def dense(reduced: Reduced, num_channels: int) -> Tensor:
    """The planes that ``reduced`` stands for, B C h w."""
    if isinstance(reduced, PresentPlanes):
        batch, _, height, width = reduced.planes.shape
        planes = torch.zeros(batch, num_channels, height, width)
        planes[:, reduced.channels] = reduced.planes
        return planes
    batch, height, width = reduced.repeats.shape
    planes = torch.zeros(batch, num_channels, height, width)
    for b in range(batch):
        for y in range(height):
            ends = (reduced.ends[b, y] + reduced.starts[b, y]).tolist()
            for x in range(width):
                entries = reduced.entries[ends[x] : ends[x + 1]]
                planes[b, entries[:, 1].long(), y, x] = entries[:, 0].contiguous().view(torch.float32)
    return planes


def definition(labels: Tensor | None, planes: Tensor | None, stride: int, num_labels: int) -> Tensor:
    parts = [] if labels is None else [one_hot(labels, num_labels)]
    parts += [] if planes is None else [planes]
    return TentReduction(stride).double()(torch.cat(parts, dim=1).double())


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("stride", [1, 2, 4, 6, 8, 64])
def test_labels_and_planes_are_reduced_as_defined(engine: str | None, stride: int) -> None:
    size = (2, 3 * stride, 5 * stride)
    labels, planes = patches(size, 7, 5), torch.randn(2, 2, *size[1:])
    reduced = dense(reduction(engine, stride, 7, 2)(labels, planes), 9)
    torch.testing.assert_close(reduced.double(), definition(labels, planes, stride, 7), rtol=0, atol=1e-6)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("num_labels", [1, 40, 256])
def test_labels_that_are_noise(engine: str | None, num_labels: int) -> None:
    labels = torch.randint(num_labels, (2, 24, 40))
    reduced = dense(reduction(engine, 8, num_labels, 0)(labels, None), num_labels)
    torch.testing.assert_close(reduced.double(), definition(labels, None, 8, num_labels), rtol=0, atol=1e-7)


@pytest.mark.parametrize("engine", ENGINES)
def test_planes_alone(engine: str | None) -> None:
    planes = torch.randn(2, 3, 12, 20)[:, :, :, ::2]
    reduced = dense(reduction(engine, 2, 0, 3)(None, planes), 3)
    torch.testing.assert_close(reduced.double(), definition(None, planes, 2, 0), rtol=0, atol=1e-6)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("extra", [1, 3, 5])
def test_pictures_need_not_be_multiples_of_the_stride(engine: str | None, extra: int) -> None:
    labels, planes = patches((1, 12 + extra, 18 + extra), 5, 4), torch.rand(1, 1, 12 + extra, 18 + extra)
    reduced = dense(reduction(engine, 6, 5, 1)(labels, planes), 6)
    torch.testing.assert_close(reduced.double(), definition(labels, planes, 6, 5), rtol=0, atol=1e-6)


@pytest.mark.parametrize("engine", ENGINES)
def test_weights_of_labels_are_exact(engine: str | None) -> None:
    labels = patches((1, 32, 32), 3, 5)
    reduced = dense(reduction(engine, 8, 3, 0)(labels, None), 3)
    assert (reduced.sum(1) == 1).all()
    assert (reduced * 4 * 8**4 == (reduced * 4 * 8**4).round()).all()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.int64])
def test_labels_of_any_integer_type_and_layout(engine: str | None, dtype: torch.dtype) -> None:
    labels = patches((2, 20, 16), 200, 3)
    given = labels.to(dtype).transpose(1, 2).contiguous().transpose(1, 2)
    reduced = dense(reduction(engine, 4, 200, 0)(given, None), 200)
    torch.testing.assert_close(reduced.double(), definition(labels, None, 4, 200), rtol=0, atol=1e-7)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("stride", [1, 2, 8])
def test_bands_join_to_the_whole(engine: str | None, stride: int) -> None:
    height, width = 23 * stride, 6 * stride
    labels, planes = patches((2, height, width), 9, 3), torch.rand(2, 1, height, width)
    reduce = reduction(engine, stride, 9, 1)
    bands = []
    for first, last in ((0, 1), (1, 18), (18, 23)):
        read = rows_read(range(first, last), stride, height)
        rows = slice(read.start, read.stop)
        bands.append(reduce(labels[:, rows], planes[:, :, rows], Band(range(first, last), read.start, height)))
    joined = torch.cat([dense(band, 10) for band in bands], dim=2)
    torch.testing.assert_close(joined, dense(reduce(labels, planes), 10), rtol=0, atol=0 if engine else 1e-7)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("wrong", [-1, 3, 255, 256, 1 << 40])
def test_unknown_labels_are_errors(engine: str | None, wrong: int) -> None:
    labels = torch.randint(3, (1, 16, 16))
    labels[0, 5, 7] = wrong
    with pytest.raises(InputError, match=rf"labels run from .*{max(wrong, 2)}, expected 0\.\.2"):
        reduction(engine, 4, 3, 0)(labels, None)


@pytest.mark.parametrize("engine", ENGINES)
def test_more_unknown_labels_than_there_is_room_for(engine: str | None) -> None:
    with pytest.raises(InputError, match=r"expected 0\.\.1"):
        reduction(engine, 8, 2, 0)(torch.randint(256, (1, 64, 64), dtype=torch.uint8), None)


@pytest.mark.parametrize(
    ("labels", "planes", "message"),
    [
        (None, torch.zeros(1, 1, 8, 8), "expected labels and 1 planes, got no labels"),
        (torch.zeros(1, 8, 8).long(), None, "and 1 planes, got labels and 0"),
        (torch.zeros(1, 8, 8).long(), torch.zeros(1, 2, 8, 8), "got labels and 2"),
        (torch.zeros(1, 8, 8).long(), torch.zeros(1, 1, 8, 9), "of one size"),
        (torch.zeros(1, 3, 8).long(), torch.zeros(1, 1, 3, 8), "3 x 8 pixels, reduced by 4"),
        (torch.zeros(1, 8, 3).long(), torch.zeros(1, 1, 8, 3), "8 x 3 pixels, reduced by 4"),
    ],
)
def test_inputs_that_do_not_fit(labels: Tensor | None, planes: Tensor | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Reduction(4, 2, 1, native=False)(labels, planes)


@pytest.mark.parametrize("band", [Band(range(1, 2), 3, 32), Band(range(1, 3), 2, 32), Band(range(7, 9), 26, 32)])
def test_bands_that_do_not_hold_what_is_wanted(band: Band) -> None:
    with pytest.raises(InputError, match="rows"):
        Reduction(4, 2, 0, native=False)(torch.zeros(1, 8, 8).long(), None, band)


@pytest.mark.parametrize(("stride", "num_labels"), [(0, 2), (3, 2), (182, 2), (2, 257)])
def test_reductions_there_are_not(stride: int, num_labels: int) -> None:
    with pytest.raises(InputError, match=r"stride|256"):
        Reduction(stride, num_labels, 0, native=False)


@pytest.mark.skipif(library.missing() is not None, reason="no compiled kernels")
def test_repeats_are_the_pixels_equal_to_their_left_neighbour() -> None:
    labels, planes = patches((2, 16, 40), 3, 7), torch.randint(2, (2, 1, 16, 40)).float()
    reduced = Reduction(2, 3, 1)(labels, planes)
    assert isinstance(reduced, SparsePlanes)
    values = dense(reduced, 4)
    same = (values[..., 1:] == values[..., :-1]).all(1)
    # Lists in another order are not recognised.
    assert not (reduced.repeats[..., 1:].bool() & ~same).any()
    assert not reduced.repeats[..., 0].any()
    assert reduced.repeats.sum() > same.sum() / 2
