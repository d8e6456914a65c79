"""METRICS: the table of contents. Each compares pictures with what they should have been; ``scores`` those that fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from torch import Tensor

from pixelwise.condition import PairedSample
from pixelwise.images import ImageSpec, TargetSpec
from pixelwise.labels import LabelSpec
from pixelwise.layers.pyramid import filled_pyramid
from pixelwise.metrics.depth import DepthMetric, abs_rel, metres, rmse, within
from pixelwise.metrics.fidelity import l1, ms_ssim, psnr, ssim, vif
from pixelwise.metrics.segmentation import mean_iou, pixel_accuracy

METRICS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "psnr": psnr,
    "ssim": ssim,
    "ms_ssim": ms_ssim,
    "vif": vif,
    "l1": l1,
}
"""Of pictures B C H W in [-1, 1]."""

WATCHED = ("psnr", "ssim")
"""What training looks at: quickly told, and of all but the smallest pictures."""

DEPTH_METRICS: Mapping[str, DepthMetric] = {
    "abs_rel": abs_rel,
    "rmse": rmse,
    "delta1": within(1.25),
    "delta2": within(1.25**2),
    "delta3": within(1.25**3),
}
"""Of depth in metres."""


SEGMENTATION_METRICS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "mean_iou": mean_iou,
    "pixel_accuracy": pixel_accuracy,
}
"""Of a set's confused classes."""


def metrics_of(target: ImageSpec) -> tuple[str, ...]:
    """The names of all that pictures of this kind can be compared by."""
    return tuple(DEPTH_METRICS if target.unit else METRICS)


def watched_metrics(target: ImageSpec) -> tuple[str, ...]:
    """The names of those that pictures of this kind are compared by while a model learns."""
    return tuple(DEPTH_METRICS) if target.unit else WATCHED


def best_by(target: TargetSpec) -> str:
    """The metric by which a model is chosen; more is better."""
    if isinstance(target, LabelSpec):
        return "mean_iou"
    return "delta1" if target.unit else "ssim"


def scores(picture: Tensor, sample: PairedSample, target: ImageSpec, names: Iterable[str]) -> dict[str, float]:
    """Means over a batch of pictures.

    Args:
        picture: B C H W in [-1, 1].
        sample: what they should have been. What was not measured doesn't count.
        target: how that is stored.
        names: of ``metrics_of(target)``.
    """
    if target.unit:
        depth, wanted = metres(picture, target), metres(sample.target, target)
        return {name: float(DEPTH_METRICS[name](depth, wanted, sample.valid).mean()) for name in names}
    (wanted,) = filled_pyramid(sample.target, sample.valid, [picture])
    return {name: float(METRICS[name](picture, wanted).mean()) for name in names}
