"""The real data sets, where they lie beside the checkout."""

from pathlib import Path

import pytest

from pixelwise.data import DATASETS
from pixelwise.labels import LabelSpec

DATA = Path(__file__).parents[2] / "../shared/data"

SETS = [
    ("facades", "facades_mini", {"train": 906, "val": 91}, (256, 256)),
    ("facades_cmp", "facades_cmp_sample", {"val": 2}, None),
    ("camvid", "camvid", {"train": 367, "val": 101, "test": 71}, (360, 480)),
    ("facades_labels", "facades_mini", {"train": 906}, (256, 256)),
    ("camvid_labels", "camvid", {"train": 367, "test": 71}, (360, 480)),
    ("maps", "maps", {"train": 60, "val": 20}, (600, 600)),
    ("maps_to_photo", "maps", {"train": 60, "val": 20}, (600, 600)),
    ("nyu_depth", "nyu_depth", {"train": 140, "val": 45}, (464, 624)),
    ("nyu_depth_to_photo", "nyu_depth", {"train": 140, "val": 45}, (464, 624)),
    ("nyu_photo", "nyu_depth", {"train": 140, "val": 45}, (464, 624)),
    ("bsd_gray", "bsd_gray", {"train": 400, "val": 12, "test": 68}, None),
    ("bsd_color", "bsd_color", {"train": 150, "val": 68}, None),
    ("bsd_gray_blind", "bsd_gray", {"train": 400}, (180, 180)),
    ("bsd_gray_gaussian_blur", "bsd_gray", {"train": 400}, (180, 180)),
    ("bsd_color_motion", "bsd_color", {"train": 150, "val": 68}, None),
    ("bsd_color_shake", "bsd_color", {"train": 150}, None),
    ("ade20k", "ade20k_sample", {"val": 3}, None),
    ("coco_stuff", "coco_stuff_sample", {"train": 13, "val": 8}, None),
]


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared data sets are not here")
@pytest.mark.parametrize(("name", "folder", "lengths", "size"), SETS, ids=[row[0] for row in SETS])
def test_real_files_are_read(name: str, folder: str, lengths: dict[str, int], size: tuple[int, int] | None):
    for split, length in lengths.items():
        samples = DATASETS[name](DATA / folder, split)
        assert len(samples) == len(set(samples.names)) == length
        for index in (0, length // 2, length - 1):
            sample = samples[index]
            assert size is None or sample.condition.size == size
            if isinstance(samples.target, LabelSpec):
                assert sample.target.max() < samples.target.num_channels
            else:
                assert len(sample.target[0]) == samples.target.channels
                assert sample.target.abs().max() <= 1
            if sample.condition.labels is not None:
                assert sample.condition.labels.max() < samples.spec.num_labels
