"""What a model is called, from where it lies or what it has made: in names of files, tables and studies."""

from __future__ import annotations

from pathlib import Path

_TELL_NOTHING = ("best", "last", "pictures")
"""A run's weights are all called so, and the pictures of each model that an evaluation has kept: the folder tells."""


def model_name(place: str | Path) -> str:
    """The stem of a file or bundled name, the name of a folder; ``runs/wide/last.safetensors`` is ``wide``, and
    ``report/wide/pictures`` too."""
    path = Path(place)
    name = path.resolve().name if path.is_dir() else path.stem
    return path.resolve().parent.name if name in _TELL_NOTHING else name
