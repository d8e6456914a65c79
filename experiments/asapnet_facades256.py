"""The bundled `facades`: label map -> photo of a house front, 256 x 256, a compact ASAP-Net for a CPU.

The bundled weights come from these calls, each going on where the one before was stopped or had ended: at step 1750, at
3000, at 4300. Of the third, the first steps may have been crops of 128 x 128 at batch 4, as below.

    pixelwise train experiments/asapnet_facades256.py --steps 20000 --constant-steps 20000
    pixelwise train experiments/asapnet_facades256.py
    pixelwise train experiments/asapnet_facades256.py --crop none --batch-size 2 --steps 20000 --constant-steps 20000
    pixelwise train experiments/asapnet_facades256.py --crop none --batch-size 2 --steps 7400 --constant-steps 5400
        --learning-rate 4e-4 --discriminator-learning-rate 2e-4
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
        bilinear=True,
        scaled_parameters=True,
    ),
    objective=Objective(feature_matching=10.0, perceptual=0.0, l1=10.0, field_decay=10.0),
    discriminator=PatchDiscriminatorConfig(width=32, max_width=128),
    dataset="facades",
    data="../shared/data/facades_mini",
    out="runs/facades256",
    crop=(128, 128),
    batch_size=4,
    steps=3000,
    constant_steps=2000,
    learning_rate=1e-3,
    discriminator_learning_rate=1e-4,
    betas=(0.5, 0.999),
    max_gradient_norm=20.0,
    validation_samples=32,
    licence=(
        "research weights: trained on crops of the CMP Facade Database (Tyleček and Šára, 2013), "
        "whose terms were not at hand; see THIRD_PARTY.md"
    ),
)
