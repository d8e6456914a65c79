import numpy as np
import pytest
import torch
from recorded import GOLDEN

from pixelwise.layers.position import centre_offsets, connected_regions


@pytest.mark.parametrize(("name", "normalised"), [("dist_norm", True), ("dist_no", False)])
def test_conformance_is_exact(name: str, normalised: bool) -> None:
    with np.load(GOLDEN / "icpe_distmap.npz") as file:
        labels, expected = torch.from_numpy(file["in/label"])[None], torch.from_numpy(file[f"out/{name}"])
    assert torch.equal(centre_offsets(labels, normalised=normalised)[0], expected)


def test_regions_join_across_corners_and_around_holes() -> None:
    labels = torch.tensor([[[1, 0, 0, 1], [0, 1, 1, 0], [1, 0, 0, 0], [1, 1, 1, 1]]])
    expected = torch.tensor([[[0, 1, 1, 0], [1, 0, 0, 1], [0, 1, 1, 1], [0, 0, 0, 0]]])
    assert torch.equal(connected_regions(labels), expected)


@pytest.mark.parametrize("seed", range(5))
def test_regions_are_those_of_flood_filling(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(2 + seed % 2, (2, 9, 13), generator=generator)
    assert torch.equal(connected_regions(labels), _flooded(labels))


def _flooded(labels: torch.Tensor) -> torch.Tensor:
    found = torch.full(labels.shape, -1)
    batch, height, width = labels.shape
    for b, y, x in np.ndindex(batch, height, width):
        number = found.max() + 1
        stack = [(y, x)] if found[b, y, x] < 0 else []
        while stack:
            i, j = stack.pop()
            if not (0 <= i < height and 0 <= j < width) or found[b, i, j] >= 0 or labels[b, i, j] != labels[b, y, x]:
                continue
            found[b, i, j] = number
            stack += [(i + di, j + dj) for di in (-1, 0, 1) for dj in (-1, 0, 1)]
    return found


def test_pictures_of_a_batch_do_not_touch() -> None:
    labels = torch.randint(3, (3, 8, 6), generator=torch.Generator().manual_seed(0))
    alone = torch.cat([centre_offsets(picture[None]) for picture in labels])
    assert torch.equal(centre_offsets(labels), alone)


def test_one_pixel_and_one_row() -> None:
    assert torch.equal(centre_offsets(torch.ones(1, 1, 1, dtype=torch.int64)), torch.zeros(1, 2, 1, 1))
    across = centre_offsets(torch.ones(1, 1, 3, dtype=torch.int64))[0, 1, 0]
    torch.testing.assert_close(across, torch.tensor([-1.0, 0.0, 1.0]), atol=2e-5, rtol=0)
