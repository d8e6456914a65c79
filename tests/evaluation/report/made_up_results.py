"""Results as an evaluation writes them, made up, with names that want care; and the pictures that belong to them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from pixelwise import images, machine

FAST = 'street "fast" <b>'
ODD = "_großes | *Modell* $x$ テスト_"
PHOTOS = "real photos"
PICTURES = ("left/one & <i>two</i>", "left/ünter #1?%20", 'right/"three"', "four")

FIGURES = {"psnr": 15.7, "ssim": 0.39, "fid": 63.0, "kid": 0.0123, "kid_error": 0.0011, "mean_iou": 0.4}
SHARE = {"pole": 0.01, "road": 0.6, "sky": 0.39}


def runtime(milliseconds: float = 12.0) -> dict[str, Any]:
    quartiles = {"lower_quartile": 0.9 * milliseconds / 1000, "upper_quartile": 1.2 * milliseconds / 1000}
    conditions = {"repeats": 20, "threads": 2, "size": [240, 320], "device": "cpu", "dtype": "float32"}
    return {"median": milliseconds / 1000, **quartiles, **conditions}


def model(name: str, number: int = 0) -> dict[str, Any]:
    return {
        "model": name,
        "real": False,
        "family": "asapnet",
        "file_sha256": f"{number}" * 64,
        "parameters": 2_400_000 * (number + 1),
        "macs": {"total": 1_050_000_000, "pixelwise": 150_000_000},
        "runtime": runtime(12.0 * (number + 1)),
        "peak_memory": 5_300_000,
        "figures": {
            **{figure: value * (1 + number / 10) for figure, value in FIGURES.items()},
            "pixel_accuracy": 0.8,
            "unheard_of": 1234.5678,
            "class_iou": {"pole": 0.05, "road": 0.9, "sky": None},
            "class_area": SHARE,
        },
        "scores": {
            picture: {"psnr": 14.0 + place + number, "ssim": 0.5 - place / 10} for place, picture in enumerate(PICTURES)
        },
        "pictures": f"model {number}/pictures",
    }


def photos() -> dict[str, Any]:
    figures = {
        "mean_iou": 0.7,
        "pixel_accuracy": 0.95,
        "class_iou": {"pole": 0.4, "road": 0.97, "sky": 0.96},
        "class_area": SHARE,
    }
    return {"model": PHOTOS, "real": True, "figures": figures}


def results(*models: dict[str, Any]) -> dict[str, Any]:
    """Of these models; of two and the real photos without any."""
    return {
        "protocol": "camvid-val-v1",
        "what": "CamVid <val>, 240x320 & more",
        "samples": len(PICTURES),
        "names_sha256": "ab" * 32,
        "targets_sha256": "cd" * 32,
        "command": "pixelwise evaluate --models 'a<b' c",
        "circumstances": machine.circumstances(),
        "remarks": ["no FID: Inception's weights are not at hand"],
        "models": list(models) or [photos(), model(FAST), model(ODD, 1)],
        "inputs": "inputs",
        "targets": "targets",
    }


def write_pictures(out: Path, content: dict[str, Any]) -> None:
    """Every picture that the results name, 6 x 8."""
    random = np.random.default_rng(0)
    made = [model["pictures"] for model in content["models"] if not model["real"]]
    for folder in ("inputs", "targets", *made):
        for name in PICTURES:
            images.write(out / folder / f"{name}.png", random.integers(0, 256, (6, 8, 3), np.uint8))


def write_results(out: Path, content: dict[str, Any]) -> Path:
    write_pictures(out, content)
    path = out / "report.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path
