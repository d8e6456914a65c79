"""The label maps in examples/: they are what the script draws, in the classes that the bundled models know."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixelwise import images
from pixelwise.data.camvid import LABELS as STREET_LABELS
from pixelwise.data.facades import MINI_LABELS as FACADE_LABELS
from pixelwise.labels import LabelSpec

EXAMPLES = Path(__file__).parents[1] / "examples"

folders = pytest.mark.parametrize(
    ("folder", "spec", "size"), [("facades", FACADE_LABELS, (256, 256)), ("street", STREET_LABELS, (240, 320))]
)


@pytest.fixture(scope="module")
def redrawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("redrawn")
    subprocess.run([sys.executable, EXAMPLES / "draw_scenes.py", folder], check=True)
    return folder


@folders
def test_script_reproduces_every_map(folder: str, spec: LabelSpec, size: tuple[int, int], redrawn: Path) -> None:
    committed = sorted((EXAMPLES / folder).iterdir())
    assert [path.name for path in committed] == sorted(path.name for path in (redrawn / folder).iterdir())
    for path in committed:
        np.testing.assert_array_equal(images.read_ids(path), images.read_ids(redrawn / folder / path.name), path.name)


@folders
def test_a_dozen_maps_of_training_size_and_one_larger(folder: str, spec: LabelSpec, size: tuple[int, int]) -> None:
    sizes = [images.read_ids(path).shape for path in (EXAMPLES / folder).glob("*.png")]
    assert sizes.count(size) == 12
    assert max(sizes, key=np.prod) != size


@folders
def test_every_class_occurs_and_no_other(folder: str, spec: LabelSpec, size: tuple[int, int]) -> None:
    seen = [np.unique(images.read_labels(path, spec)) for path in (EXAMPLES / folder).glob("*.png")]
    assert set(np.concatenate(seen).tolist()) == set(range(spec.num_channels))


@folders
def test_palettes_hold_the_colours_of_the_classes(folder: str, spec: LabelSpec, size: tuple[int, int]) -> None:
    for path in (EXAMPLES / folder).glob("*.png"):
        with Image.open(path) as label_map:
            assert label_map.mode == "P"
            colours = np.asarray(label_map.convert("RGB"))
        np.testing.assert_array_equal(colours, spec.colourise(images.read_labels(path, spec)), path.name)
