"""What is to be done: names mirror the inputs', and nothing would be lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_pairs import draw

from pixelwise import images
from pixelwise.errors import InputError
from pixelwise.translate.job_plan import Job, place_of, plan, read_region


def destinations(jobs: list[Job], out: Path) -> dict[str, str]:
    return {str(job.source): job.destination.relative_to(out).as_posix() for job in jobs}


def test_names_mirror_the_inputs(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    paths = [draw(folder / name) for name in ("a.png", "b/a.png", "b/c/d.e.png")]
    mirrored = ["a.png", "b/a.png", "b/c/d.e.png"]
    (folder / "notes.txt").write_text("no image")
    draw(folder / ".hidden.png")
    draw(folder / ".cache" / "x.png")
    assert list(destinations(plan([str(folder)], out), out).values()) == mirrored
    assert list(destinations(plan([f"{folder}/**/*.png"], out), out).values()) == mirrored
    assert list(destinations(plan([f"{folder}/b/*"], out), out).values()) == ["a.png"]
    assert destinations(plan([str(paths[2])], out, ".tif"), out) == {str(paths[2]): "d.e.tif"}


def test_a_picture_of_one_file_may_be_named(tmp_path: Path) -> None:
    path, out = draw(tmp_path / "in" / "a.png"), tmp_path / "b.jpg"
    assert plan([str(path)], out) == [Job(path, out, is_named=True)]
    for inputs in ([str(path), str(path)], [str(path.parent)], [f"{path.parent}/*"]):
        with pytest.raises(InputError, match=r"b\.jpg: is one picture's name, expected a folder's"):
            plan(inputs, out)
    with pytest.raises(InputError, match=r"c\.png: no such file or folder"):
        plan([str(path.with_name("c.png"))], out)
    with pytest.raises(InputError, match=r"b\.jpg: is one picture's name, but 2 samples are wanted"):
        plan([str(path)], out, samples=2)
    out.mkdir()
    assert destinations(plan([str(path)], out), out) == {str(path): "a.png"}


def test_pictures_go_beside_their_inputs_unless_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "in"
    first = draw(folder / "a.png")
    draw(folder / "b" / "c.d.png")

    def planned(*inputs: object, **options: int) -> list[str]:
        jobs = plan(list(map(str, inputs)), None, ".png", model="denoise", **options)
        return [job.destination.absolute().relative_to(tmp_path).as_posix() for job in jobs]

    assert planned(first) == ["in/a_denoise.png"]
    assert planned(first, samples=2) == ["in/a_denoise-0.png", "in/a_denoise-1.png"]
    mirrored = ["in_denoise/a.png", "in_denoise/b/c.d.png"]
    assert planned(folder) == planned(f"{folder}/**/*.png") == mirrored
    assert planned(first, folder) == ["in/a_denoise.png", mirrored[1]]
    monkeypatch.chdir(folder)
    assert planned(".") == planned("b/..") == mirrored


def test_what_was_made_of_an_input_is_none_itself(tmp_path: Path) -> None:
    paths = [
        draw(tmp_path / "in" / name) for name in ("a.png", "b.png", "a_denoise.png", "b_denoise-3.png", "c_denoise.png")
    ]
    (tmp_path / "in" / "b_denoise_preview.png").write_bytes(paths[0].read_bytes())
    for inputs in ([str(tmp_path / "in")], [*map(str, paths)]):
        sources = [job.source.name for job in plan(inputs, None, model="denoise")]
        assert sources == ["a.png", "b.png", "c_denoise.png"]
    assert [job.source for job in plan([str(paths[2])], None, model="denoise")] == [paths[2]]


def test_what_was_made_of_a_folder_within_is_no_input(tmp_path: Path) -> None:
    made = ("photos_denoise/b/a.png", "photos_denoise/b/a-3.png", "photos_denoise/b/a-3_preview.png")
    kept = ("photos/b/a.png", "photos_denoise/b/c.png", "photos_other/b/a.png")
    for name in (*made, *kept):
        draw(tmp_path / "in" / name)
    told: list[str] = []
    jobs = plan([str(tmp_path / "in")], None, model="denoise", remark=told.append)
    assert tuple(job.source.relative_to(tmp_path / "in").as_posix() for job in jobs) == kept
    first = tmp_path / "in" / "photos_denoise" / "b" / "a-3.png"
    assert told == [f"left out 3 pictures that denoise has made of other inputs, such as {first}"]
    folder = tmp_path / "in" / "photos_denoise"
    assert len(plan([str(folder)], None, model="denoise", remark=told.append)) == 4
    assert len(told) == 1


def test_a_file_that_is_named_beside_its_folder_is_done_once(tmp_path: Path) -> None:
    path = draw(tmp_path / "in" / "b" / "a.png")
    assert [job.destination for job in plan([str(tmp_path / "in"), str(path)], None, model="m")] == [
        path.with_name("a_m.png")
    ]


def test_where_pictures_are_is_said_in_one_word(tmp_path: Path) -> None:
    paths = [str(draw(tmp_path / name)) for name in ("a/1.png", "b/1.png")]
    assert place_of(plan(paths[:1], None, model="m")) == tmp_path / "a" / "1_m.png"
    assert place_of(plan(paths, None, model="m")) == tmp_path
    assert place_of(plan([f"{tmp_path}/a", f"{tmp_path}/a/1.png"], None, model="m")) == tmp_path / "a" / "1_m.png"


def test_a_file_that_is_named_twice_is_done_once(tmp_path: Path) -> None:
    path = draw(tmp_path / "in" / "a.png")
    assert len(plan([str(path), str(path.parent), f"{path.parent}/*.png"], tmp_path / "out")) == 1


def test_two_inputs_of_one_name_are_refused(tmp_path: Path) -> None:
    first, second = draw(tmp_path / "x" / "a.png"), draw(tmp_path / "y" / "a.png")
    with pytest.raises(InputError, match=r"x/a.png, .*y/a.png would all become .*out/a.png"):
        plan([str(first), str(second)], tmp_path / "out")
    images.write(first.with_suffix(".tif"), np.zeros((2, 2), np.uint8))
    with pytest.raises(InputError, match=r"x/a.png, .*x/a.tif would all become"):
        plan([str(first.parent)], tmp_path / "out")


def test_an_input_is_never_replaced(tmp_path: Path) -> None:
    path = draw(tmp_path / "in" / "a.png")
    with pytest.raises(InputError, match=r"in/a.png: is an input"):
        plan([str(path)], path.parent / ".." / "in")
    assert [job.destination.name for job in plan([str(path)], path.parent, ".tif")] == ["a.tif"]
    with pytest.raises(InputError, match=r"ids/a.png: is an input"):
        plan([str(path)], draw(tmp_path / "ids" / "a.png").parent, instances=tmp_path / "ids")


@pytest.mark.parametrize("text", ["", "1,2,3", "1,2,3,4,5", "1,2,3,x", "1,2,3,-4", "1 2 3 4", "1,2,3,4.0", "٣,2,3,4"])
def test_a_region_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="expected TOP,LEFT,HEIGHT,WIDTH in pixels"):
        read_region(text)


def test_a_region_is_read() -> None:
    assert read_region("0,16, 300,20") == (0, 16, 300, 20)
