"""Aerial photo -> map, 256 x 256, a compact ASAP-Net for a CPU.

A photo's pixel says less than a label: the MLPs read 3 x 3 of them. Nothing was tuned.

    pixelwise train experiments/asapnet_maps256.py --dataset maps_to_photo --out runs/asapnet_maps_to_photo256
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
        neighbourhood=3,
        bilinear=True,
        scaled_parameters=True,
    ),
    objective=Objective(feature_matching=10.0, perceptual=0.0, l1=10.0, field_decay=10.0),
    discriminator=PatchDiscriminatorConfig(width=32, max_width=128),
    dataset="maps",
    data="../shared/data/maps",
    out="runs/asapnet_maps256",
    scale=(286, 286),
    crop=(256, 256),
    batch_size=2,
    steps=4000,
    constant_steps=2000,
    learning_rate=4e-4,
    discriminator_learning_rate=2e-4,
    betas=(0.5, 0.999),
    max_gradient_norm=20.0,
    licence=(
        "research weights: trained on the maps of pix2pix (Isola et al., 2017), images of Google Maps, whose terms "
        "were not at hand; see THIRD_PARTY.md"
    ),
)
