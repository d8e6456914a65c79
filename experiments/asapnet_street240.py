"""The bundled `street`, the beginning: CamVid label map -> street photo, 320 x 240, a compact ASAP-Net for a CPU.

Cells of 16 pixels, so that the low-resolution stream sees a road's edges from all over it: an earlier model with cells
of 8 drew pale lines where it no longer did. Batch norm, not the paper's instance norm: a run with instance norm ringed
large areas of one class with contours. What changed most by eye in earlier runs were whole pictures instead of crops,
and a discriminator that learns half as fast as the generator instead of a tenth, here a third; neither was tried alone.

Its last weights are what `asapnet_street240_finish` begins with. They come from these calls, each going on where the
one before was stopped, at steps 364, 1977, 7500 and 9093; the third was stopped once more, at 3980, and called again
with a second thread:

    pixelwise train experiments/asapnet_street240.py --steps 8500 --constant-steps 4500
    pixelwise train experiments/asapnet_street240.py --steps 7500 --constant-steps 4200
    pixelwise train experiments/asapnet_street240.py --steps 7500 --constant-steps 4200 --learning-rate 8e-4
    pixelwise train experiments/asapnet_street240.py --steps 15000 --constant-steps 11000
    pixelwise train experiments/asapnet_street240.py
"""

from pixelwise.discriminators.patch import PatchDiscriminatorConfig
from pixelwise.losses.objective import Objective
from pixelwise.models.asapnet import AsapNetConfig
from pixelwise.training import TrainConfig

config = TrainConfig(
    model=AsapNetConfig(
        cell=16,
        width=32,
        max_width=256,
        num_blocks=8,
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
    batch_size=2,
    steps=14_000,
    constant_steps=10_500,
    learning_rate=5e-4,
    discriminator_learning_rate=2.5e-4,
    betas=(0.5, 0.999),
    max_gradient_norm=20.0,
    validation_samples=32,
    licence=(
        "research weights: trained on CamVid (Brostow et al., 2009) as published with SegNet, "
        "CC BY-NC 4.0, personal and research use only; see THIRD_PARTY.md"
    ),
)
