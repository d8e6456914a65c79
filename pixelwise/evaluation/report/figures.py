"""FIGURES: what the figures of an evaluation are called, in which unit they are shown, and whether more is better."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

NONE = "–"
"""In the place of a figure that there is not."""

ERROR = "_error"
"""What the name of a figure's standard error ends in."""

SHARE = "class_area"
"""Which part of the area each class has: what classes are ordered by, and no figure of a model."""


@dataclass(frozen=True)
class FigureSpec:
    """How a figure is shown.

    Attributes:
        label: what people call it.
        unit: with it; empty for plain numbers.
        decimals: None for four significant digits.
        more_is_better: None where nobody said.
        factor: from the figure to its unit.
        beside_photos: whether real photos have it too, and it means little without theirs beside it.
    """

    label: str
    unit: str = ""
    decimals: int | None = None
    more_is_better: bool | None = None
    factor: float = 1.0
    beside_photos: bool = False

    @property
    def name_and_unit(self) -> str:
        return f"{self.label}, {self.unit}" if self.unit else self.label

    @property
    def head(self) -> str:
        """Name, unit, and an arrow to where it is better."""
        arrows = {True: " ↑", False: " ↓", None: ""}
        return self.name_and_unit + arrows[self.more_is_better]

    def shown(self, value: float | None) -> float | None:
        """In its unit; None for what is not a number."""
        return None if value is None or math.isnan(value) else self.factor * value

    def text(self, value: float | None) -> str:
        if (shown := self.shown(value)) is None:
            return NONE
        if math.isinf(shown):
            return "∞" if shown > 0 else "−∞"
        return (f"{shown:.4g}" if self.decimals is None else f"{shown:.{self.decimals}f}").replace("-", "−")


def _more(label: str, decimals: int, unit: str = "") -> FigureSpec:
    return FigureSpec(label, unit, decimals, more_is_better=True)


def _less(label: str, decimals: int, unit: str = "") -> FigureSpec:
    return FigureSpec(label, unit, decimals, more_is_better=False)


def _percent(label: str, beside_photos: bool = False) -> FigureSpec:
    return FigureSpec(label, "%", 1, more_is_better=True, factor=100.0, beside_photos=beside_photos)


FIGURES: Mapping[str, FigureSpec] = {
    "psnr": _more("PSNR", 2, "dB"),
    "ssim": _more("SSIM", 3),
    "ms_ssim": _more("MS-SSIM", 3),
    "vif": _more("VIF", 3),
    "lpips": _less("LPIPS", 3),
    "l1": _less("L1", 4),
    "fid": _less("FID", 1),
    "kid": _less("KID", 4),
    "frechet_segmenter": _less("segmenter Fréchet", 1),
    "kernel_segmenter": _less("segmenter kernel", 4),
    "mean_iou": _percent("mIoU", beside_photos=True),
    "mean_iou_of_occurring": _percent("mIoU of classes that occur", beside_photos=True),
    "pixel_accuracy": _percent("pixel accuracy", beside_photos=True),
    "class_iou": _percent("IoU", beside_photos=True),
    "abs_rel": _less("AbsRel", 3),
    "rmse": _less("RMSE", 3, "m"),
    "delta1": _percent("δ < 1.25"),
    "delta2": _percent("δ < 1.25²"),
    "delta3": _percent("δ < 1.25³"),
    "seams": FigureSpec("seams", decimals=3),
    SHARE: FigureSpec("share of the area", "%", 1, factor=100.0),
}


GROUPS: Mapping[str, tuple[str, ...]] = {
    "Fidelity": ("psnr", "ssim", "ms_ssim", "vif", "lpips", "l1"),
    "Sets of pictures": ("fid", "kid", "frechet_segmenter", "kernel_segmenter"),
    "Segmentation": ("mean_iou", "mean_iou_of_occurring", "pixel_accuracy"),
    "Depth": ("abs_rel", "rmse", "delta1", "delta2", "delta3"),
    "Artefacts": ("seams",),
}
"""What stands in one table: of these, whatever was measured."""

OTHERS = "Other figures"


def group_of(name: str) -> str:
    """Of which table a figure is."""
    described = _described(name)[0]
    return next((group for group, names in GROUPS.items() if described in names), OTHERS)


def figure_spec(name: str) -> FigureSpec:
    """Of any figure. Variants go by what they are variants of: fid_clean_train, lpips_alex, seams_8.

    One that nobody described is shown plainly, under its own name.
    """
    described, variant = _described(name)
    if described is None:
        return FigureSpec(name)
    spec = FIGURES[described]
    return replace(spec, label=f"{spec.label} ({variant.replace('_', ', ')})") if variant else spec


def in_order(names: Iterable[str]) -> list[str]:
    """Each once: those of ``FIGURES`` in its order, their variants with them, then the others as they come."""
    order: dict[str | None, int] = {name: number for number, name in enumerate([*FIGURES, None])}
    return sorted(dict.fromkeys(names), key=lambda name: order[_described(name)[0]])


def _described(name: str) -> tuple[str | None, str]:
    """What ``FIGURES`` has of it, the longest, and the rest of its name."""
    parts = name.split("_")
    for count in range(len(parts), 0, -1):
        if (described := "_".join(parts[:count])) in FIGURES:
            return described, "_".join(parts[count:])
    return None, ""
