"""What a model is called, from where it lies or what it has made: in names of files, tables and studies."""

from __future__ import annotations

from pathlib import Path

_FOLDERS_THAT_TELL_NOTHING: tuple[str, ...] = ("pictures",)
"""What an evaluation has kept of each model is called so: the folder around it tells."""

_ENDINGS_OF_RUNS = {"last": "", "best": "-best"}
"""What every run's weights are called, and how names of them end: one model of a run is not the other."""


def model_name(place: str | Path) -> str:
    """The stem of a file or bundled name, the name of a folder; ``runs/wide/last.safetensors`` is ``wide``, and
    ``report/wide/pictures`` too; ``runs/wide/best.safetensors`` is ``wide-best``."""
    path = Path(place)
    around = path.resolve().parent.name
    if path.is_dir():
        name = path.resolve().name
        return around if name in _FOLDERS_THAT_TELL_NOTHING else name
    ending = _ENDINGS_OF_RUNS.get(path.stem)
    return path.stem if ending is None else f"{around}{ending}"
