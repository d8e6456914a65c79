"""The bundled `facades`: label map -> photo of a house front, 256 x 256, a compact ASAP-Net for a CPU.

It learns from crops of 128 x 128; a generator of this kind then takes any size. Its first 1750 steps were called with
--steps 20000 --constant-steps 20000, which for those steps means the same rates.
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
