"""Figures as JSON, which knows no infinity, the PSNR of equal pictures, and no NaN: they become null."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from pixelwise.atomic import write_text


def write_json(path: Path, content: Any) -> None:
    """Writes a file that is there whole or not at all. Raises OSError: disk full or no permission."""
    write_text(path, json_text(content))


def json_text(content: Any) -> str:
    """Of what JSON can hold, but for numbers that are not finite."""
    return json.dumps(_finite(content), indent=1, allow_nan=False) + "\n"


def _finite(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content
