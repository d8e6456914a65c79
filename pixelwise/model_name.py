"""What a model is called, from where it lies or what it has made: in names of files, tables and studies."""

from __future__ import annotations

from pathlib import Path

_FOLDERS_THAT_TELL_NOTHING: tuple[str, ...] = ("pictures",)
"""What an evaluation has kept of each model is called so: the folder around it tells."""

_FILES_THAT_TELL_NOTHING: tuple[str, ...] = ("best", "last")
"""The same of every run's weights."""


def model_name(place: str | Path) -> str:
    """The stem of a file or bundled name, the name of a folder; ``runs/wide/last.safetensors`` is ``wide``, and
    ``report/wide/pictures`` too."""
    path = Path(place)
    if path.is_dir():
        name, told_around = path.resolve().name, _FOLDERS_THAT_TELL_NOTHING
    else:
        name, told_around = path.stem, _FILES_THAT_TELL_NOTHING
    return path.resolve().parent.name if name in told_around else name
