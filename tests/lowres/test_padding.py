"""What lies beyond the border, against torch's padding."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from pixelwise.errors import InputError
from pixelwise.lowres.band import Band
from pixelwise.lowres.padding import check_padding, column_sources, padded, row_sources

MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "replicate"}


@pytest.mark.parametrize("padding", MODES)
@pytest.mark.parametrize("size", [2, 5])
def test_sources_name_what_torch_pads_with(padding: str, size: int) -> None:
    numbered = torch.arange(1.0, size + 1)
    expected = F.pad(numbered[None, None], (1, 1), mode=MODES[padding])[0, 0]
    columns = column_sources(size, padding)
    assert columns.dtype == torch.int32
    assert torch.equal(torch.cat([numbered, torch.zeros(1)])[columns], expected)


def test_rows_count_from_the_first_one_at_hand() -> None:
    assert row_sources(Band(range(4, 6), 2, 7), 1, "zeros").tolist() == [1, 2, 3, 4]
    assert row_sources(Band(range(5, 7), 2, 7), 1, "reflect").tolist() == [2, 3, 4, 3]
    assert row_sources(Band(range(2, 4), 3, 7), 2, "zeros").tolist() == [0, 1, 2, 3, -1]


@pytest.mark.parametrize("padding", MODES)
@pytest.mark.parametrize("rows", [range(3), range(1, 4), range(2, 5), range(5)])
def test_a_padded_band_is_a_part_of_the_padded_whole(padding: str, rows: range) -> None:
    x = torch.rand(1, 2, 5, 4)
    top = max(rows.start - 1, 0)
    found = padded(x[:, :, top : rows.stop + 1], Band(rows, top, 5), 1, padding)
    expected = F.pad(x, (1, 1, 1, 1), mode=MODES[padding])[:, :, rows.start : rows.stop + 2]
    assert torch.equal(found, expected)


def test_a_single_row_has_no_reflection() -> None:
    with pytest.raises(InputError, match="1 x 5 cells cannot be padded with its reflection"):
        check_padding(1, 5, "reflect")
    check_padding(1, 5, "replicate")
