"""What a published DRN-D-22 of three classes holds, spelt out."""

from __future__ import annotations

BATCH_NORM = ("weight", "bias", "running_mean", "running_var")


def published_shapes() -> dict[str, tuple[int, ...]]:
    """By name; without counters of batches, which older versions of torch did not keep."""
    shapes: dict[str, tuple[int, ...]] = {}

    def layer(convolution: str, norm: str, out_channels: int, in_channels: int, side: int) -> None:
        shapes[f"{convolution}.weight"] = (out_channels, in_channels, side, side)
        shapes.update({f"{norm}.{part}": (out_channels,) for part in BATCH_NORM})

    layer("base.0.0", "base.0.1", 16, 3, 7)
    layer("base.1.0", "base.1.1", 16, 16, 3)
    layer("base.2.0", "base.2.1", 32, 16, 3)
    before = 32
    for level, width in enumerate((64, 128, 256, 512), start=3):
        for number in range(2):
            block = f"base.{level}.{number}"
            layer(f"{block}.conv1", f"{block}.bn1", width, before if number == 0 else width, 3)
            layer(f"{block}.conv2", f"{block}.bn2", width, width, 3)
            if number == 0:
                layer(f"{block}.downsample.0", f"{block}.downsample.1", width, before, 1)
        before = width
    layer("base.7.0", "base.7.1", 512, 512, 3)
    layer("base.8.0", "base.8.1", 512, 512, 3)
    return {**shapes, "seg.weight": (3, 512, 1, 1), "seg.bias": (3,), "up.weight": (3, 1, 16, 16)}
