import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from pixelwise.errors import InputError
from pixelwise.rasters import check_space
from pixelwise.rasters.disk import writing


def test_room_is_asked_for_where_the_file_will_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    asked = []

    def disk_usage(folder: Path) -> SimpleNamespace:
        asked.append(folder)
        return SimpleNamespace(free=2_500_000_000)

    monkeypatch.setattr(shutil, "disk_usage", disk_usage)
    path = tmp_path / "a" / "b" / "c.tif"
    check_space(path, 2_500_000_000)
    with pytest.raises(InputError, match=r"c\.tif: takes up to 7\.2 GB, but only 2\.5 GB are free on its disk"):
        check_space(path, 7_200_000_000)
    assert asked == [tmp_path, tmp_path]


def test_what_the_system_refuses_names_the_file(tmp_path: Path):
    with (
        pytest.raises(InputError, match=r"gone.a\.tif: cannot be written: No such file"),
        writing(tmp_path / "gone/a.tif"),
    ):
        (tmp_path / "gone/a.tif").write_bytes(b"")
    with pytest.raises(KeyError), writing(tmp_path):
        raise KeyError
