"""A spec.json to begin with, for pairs that have none yet: from what a check has found in them."""

from __future__ import annotations

from typing import Any

from pixelwise.check.soundness import Report
from pixelwise.data.layout import INSTANCE_KINDS, LABEL_KINDS

_MOST_CLASSES = 64
_USUAL_IGNORE_ID = 255
_USUAL_FORMAT = "3 x uint8"
_MOST = {"uint8": 255, "uint16": 65535, "float32": 1}


def starting_spec(report: Report) -> dict[str, Any] | None:
    """A ``FolderSpec`` in JSON, as folders' names and files suggest it; None for what is no pairs.

    Classes are named after their values, and 255 is taken for pixels without one. The white of pictures that are not
    8-bit is the most that they can hold.
    """
    # Of any split: a test set often has inputs only.
    kinds = [kind for kind in report.splits[0].files if any(split.files[kind] for split in report.splits)]
    ids = [kind for kind in kinds if kind in (*LABEL_KINDS, *INSTANCE_KINDS)]
    pictures = [kind for kind in kinds if kind not in ids]
    condition, targets = (ids, pictures) if ids else (pictures[:1], pictures[1:])
    if not condition or len(targets) != 1:
        return None
    content: dict[str, Any] = {"condition": condition, "target": targets[0]}
    if any(kind in LABEL_KINDS for kind in ids) and report.classes:
        content["labels"] = _labels([row.value for row in report.classes])
    if unusual := _unusual_images(report):
        content["images"] = unusual
    return content


def _labels(values: list[int | str]) -> dict[str, Any]:
    colours = sorted(value for value in values if isinstance(value, str))[:_MOST_CLASSES]
    if colours:
        return {"names": colours, "colours": [list(bytes.fromhex(text.removeprefix("#"))) for text in colours]}
    found = sorted(value for value in values if isinstance(value, int))
    ids = [value for value in found if value != _USUAL_IGNORE_ID][:_MOST_CLASSES]
    content: dict[str, Any] = {"names": [f"class {file_id}" for file_id in ids], "ids": ids}
    if _USUAL_IGNORE_ID in found:
        content["ignore_id"] = _USUAL_IGNORE_ID
    return content


def _unusual_images(report: Report) -> dict[str, Any]:
    """How pictures are stored, by kind, where that is not 8-bit RGB; the most frequent way where there are several."""
    usual = {kind: max(formats, key=formats.__getitem__) for kind, formats in report.formats.items()}
    parts = {kind: text.split(" x ") for kind, text in usual.items() if text != _USUAL_FORMAT}
    return {
        kind: {"channels": int(channels), "dtype": dtype, "white": _MOST[dtype]}
        for kind, (channels, dtype) in parts.items()
        if dtype in _MOST
    }
