"""The bundled `street`: CamVid label map -> street photo, 320 x 240, a compact ASAP-Net for a CPU.

Batch norm, not the paper's instance norm: an earlier run with instance norm ringed large areas of one class with
contours. It differed in crops, batch and schedule too, so the norm is the likely cause, not a proven one.

The bundled weights come from these calls, each going on where the one before was stopped or had ended: at step 1600, at
2500, near 3600, at 6400. Of the third, the first steps may have been crops of 128 x 160 at batch 4, as below.

    pixelwise train experiments/asapnet_street240.py --steps 1700 --constant-steps 1100
    pixelwise train experiments/asapnet_street240.py
    pixelwise train experiments/asapnet_street240.py --crop none --batch-size 2 --steps 20000 --constant-steps 20000
    pixelwise train experiments/asapnet_street240.py --crop none --batch-size 2 --steps 7400 --constant-steps 5400
        --learning-rate 4e-4 --discriminator-learning-rate 2e-4
    pixelwise train experiments/asapnet_street240.py --crop none --batch-size 2 --steps 6950 --constant-steps 5400
        --learning-rate 4e-4 --discriminator-learning-rate 2e-4

What changed most by eye were whole pictures instead of crops, and a discriminator that learns half as fast as the
generator instead of a tenth; neither was tried alone.
"""

from pixelwise.discriminators.patch import PatchDiscriminatorConfig
from pixelwise.losses.objective import Objective
from pixelwise.models.asapnet import AsapNetConfig
from pixelwise.training import TrainConfig

config = TrainConfig(
    model=AsapNetConfig(
        cell=8,
        width=32,
        max_width=192,
        num_blocks=6,
        mlp_width=24,
        mlp_depth=4,
        norm="batch",
        bilinear=True,
        scaled_parameters=True,
    ),
    objective=Objective(feature_matching=10.0, perceptual=0.0, l1=10.0, field_decay=10.0),
    discriminator=PatchDiscriminatorConfig(width=32, max_width=128),
    dataset="camvid",
    data="../shared/data/camvid",
    out="runs/street240",
    scale=(240, 320),
    crop=(128, 160),
    batch_size=4,
    steps=2500,
    constant_steps=1700,
    learning_rate=1e-3,
    discriminator_learning_rate=1e-4,
    betas=(0.5, 0.999),
    max_gradient_norm=20.0,
    validation_samples=32,
    licence=(
        "research weights: trained on CamVid (Brostow et al., 2009) as published with SegNet, "
        "CC BY-NC 4.0, personal and research use only; see THIRD_PARTY.md"
    ),
)
