"""pix2pix (Isola et al., CVPR 2017) on facades at 256 x 256: the U-Net of full size, with the paper's losses, jitter,
rate and epochs. Wants a GPU.

The rates fall over the second half. It reads the label map as classes, where the published models read it as a picture.

The paper was not at hand: losses and schedule are as the field knows them, to be compared with it.
"""

from pixelwise.models.pix2pix import Pix2PixConfig
from pixelwise.training import TrainConfig

STEPS_PER_EPOCH = 906

config = TrainConfig(
    model=Pix2PixConfig(),
    dataset="facades",
    data="../shared/data/facades_mini",
    out="runs/pix2pix_facades256",
    scale=(286, 286),
    crop=(256, 256),
    batch_size=1,
    steps=200 * STEPS_PER_EPOCH,
    constant_steps=100 * STEPS_PER_EPOCH,
    learning_rate=2e-4,
    discriminator_learning_rate=2e-4,
    betas=(0.5, 0.999),
    num_workers=4,
    licence=(
        "research weights: trained on crops of the CMP Facade Database (Tyleček and Šára, 2013), "
        "whose terms were not at hand; see THIRD_PARTY.md"
    ),
)
