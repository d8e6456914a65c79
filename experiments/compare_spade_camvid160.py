"""Side by side: SPADE of a quarter of its width, among compact rivals (`compare_*_camvid160`).

All of them see the same 8000 images at 128 x 160, in the same order, against the same discriminator, on a CPU. The
rate is that of the experiment on CLADE-ICPE.
"""

from pixelwise.discriminators.patch import PatchDiscriminatorConfig
from pixelwise.losses.objective import Objective
from pixelwise.models.spade import SpadeConfig
from pixelwise.training import TrainConfig

config = TrainConfig(
    model=SpadeConfig(width=16),
    objective=Objective(feature_matching=10.0, perceptual=0.0, l1=10.0),
    discriminator=PatchDiscriminatorConfig(width=32, max_width=128),
    dataset="camvid",
    data="../shared/data/camvid",
    out="runs/compare_spade_camvid160",
    scale=(128, 160),
    batch_size=4,
    steps=2000,
    constant_steps=1400,
    learning_rate=4e-4,
    discriminator_learning_rate=1e-4,
    betas=(0.5, 0.999),
    max_gradient_norm=20.0,
    validation_samples=101,
    licence=(
        "research weights: trained on CamVid (Brostow et al., 2009) as published with SegNet, "
        "CC BY-NC 4.0, personal and research use only; see THIRD_PARTY.md"
    ),
)
