"""MSG U-Net (Laxman et al., 2021) from aerial photos to maps at 256 x 256, small enough for a CPU: three scales of the
paper's four, from 256 x 256 to 64 x 64, and a quarter of the channels of generator and discriminators.

Its losses are the paper's, but without VGG19's weights (``--vgg19 FILE``, or ``--vgg19 download``) there is no
perceptual term. The paper tells neither optimiser nor rate nor epochs: they are pix2pix's.
"""

from dataclasses import replace

from pixelwise.models.msgunet import MsgUNetConfig, discriminator
from pixelwise.training import TrainConfig

STEPS_PER_EPOCH = 60

MODEL = MsgUNetConfig(width=16, num_scales=3)

config = TrainConfig(
    model=MODEL,
    discriminator=replace(discriminator(MODEL), width=16),
    dataset="maps",
    data="../shared/data/maps",
    out="runs/msgunet_maps256",
    scale=(286, 286),
    crop=(256, 256),
    batch_size=1,
    steps=200 * STEPS_PER_EPOCH,
    constant_steps=100 * STEPS_PER_EPOCH,
    learning_rate=2e-4,
    discriminator_learning_rate=2e-4,
    betas=(0.5, 0.999),
    licence=(
        "research weights: trained on the maps of pix2pix (Isola et al., 2017), which come from Google Maps and whose "
        "terms were not at hand; see THIRD_PARTY.md"
    ),
)
