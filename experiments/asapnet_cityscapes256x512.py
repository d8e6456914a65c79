"""ASAP-Net as published for Cityscapes at 256 x 512 (Sec. 4): full size, the paper's losses and schedule. Wants a GPU.

200 epochs at constant rates, 100 more to zero, of 2975 samples in batches of 8.
"""

from pixelwise.models.asapnet import PUBLISHED
from pixelwise.training import TrainConfig

STEPS_PER_EPOCH = 2975 // 8

config = TrainConfig(
    model=PUBLISHED["cityscapes256x512"].config,
    dataset="cityscapes",
    data="data/cityscapes",
    out="runs/cityscapes256x512",
    scale=(256, 512),
    batch_size=8,
    steps=300 * STEPS_PER_EPOCH,
    constant_steps=200 * STEPS_PER_EPOCH,
    learning_rate=1e-4,
    discriminator_learning_rate=4e-4,
    betas=(0.0, 0.9),
    vgg19="download",
    num_workers=4,
)
