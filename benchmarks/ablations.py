"""What ASAP-Net owes to its parts: the paper's ablations (Fig. 9), at a size and for a time that suit a CPU.

    pixelwise train experiments/pix2pix_camvid_labels160.py
    python benchmarks/ablations.py --segmenter runs/pix2pix_camvid_labels160/best.safetensors

The second call trains the variants that are not trained yet, each on the same label maps in the same order, judges them
on the validation split, and times a picture with all of them taking turns. It writes ``results/ablations.json``, the
table of ``results/ablations.md``, made from it, the plot ``docs/ablations_time.png`` of quality against time, and
``docs/ablations.jpg``: label maps drawn for this project, and what each variant makes of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import typer

from pixelwise.discriminators.patch import PatchDiscriminatorConfig
from pixelwise.losses.objective import Objective
from pixelwise.models.asapnet import AsapNetConfig
from pixelwise.training import TrainConfig
from trained_comparison import MACS, PARAMETERS, TIME, TableSpec, TrainedComparison, figure
from trials import CAMVID

_WHOLE = AsapNetConfig(
    cell=8, width=32, max_width=192, num_blocks=6, mlp_width=24, mlp_depth=4, norm="batch", scaled_parameters=True
)
VARIANTS: Mapping[str, AsapNetConfig] = {
    "whole": _WHOLE,
    "without pixel code": replace(_WHOLE, pixel_code=False),
    "one MLP for all cells": replace(_WHOLE, constant_mlp=True),
    "cells of 16": replace(_WHOLE, cell=16),
    "cells of 4": replace(_WHOLE, cell=4),
}
"""In the figure's order. The pixel's label is an input of all MLPs."""

STUDY = TrainConfig(
    model=_WHOLE,
    objective=Objective(feature_matching=10.0, perceptual=0.0, l1=10.0, field_decay=10.0),
    discriminator=PatchDiscriminatorConfig(width=32, max_width=128),
    dataset="camvid",
    data=str(CAMVID),
    out="",
    scale=(128, 160),
    batch_size=4,
    steps=600,
    constant_steps=400,
    learning_rate=1e-3,
    discriminator_learning_rate=1e-4,
    betas=(0.5, 0.999),
    max_gradient_norm=20.0,
    save_every=100,
    sheet_every=600,
    validate_every=600,
    validation_samples=101,
)

COLUMNS = (
    *map(figure, ("psnr", "ssim", "mean_iou", "pixel_accuracy", "frechet_segmenter_train")),
    MACS,
    PARAMETERS,
    TIME,
)

ABLATIONS = TrainedComparison(
    name="ablations",
    title="What ASAP-Net owes to its parts",
    text=(
        "The paper's Fig. 9 changes one part at a time. Without the code of a pixel's position the MLPs cannot draw "
        "what the label map does not say; one MLP for all cells cannot tell places apart; larger cells cost less and "
        "say less. As in the paper, parameters are not interpolated between cells."
    ),
    trials={name: replace(STUDY, model=model) for name, model in VARIANTS.items()},
    protocol="camvid-val-128x160-v1",
    tables=(TableSpec(COLUMNS),),
)

main, markdown = ABLATIONS.main, ABLATIONS.markdown

if __name__ == "__main__":
    typer.run(main)
