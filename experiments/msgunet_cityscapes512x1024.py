"""MSG U-Net (Laxman et al., 2021) on Cityscapes at 512 x 1024: the paper's network without the topmost of its five
scales, with the paper's losses (Sec. 2.3, 3). Wants a GPU.

It reads the label map as classes, where the paper reads it as a picture. The paper tells neither optimiser nor rate nor
epochs: they are pix2pixHD's, whose losses it took.
"""

from pixelwise.models.msgunet import MsgUNetConfig
from pixelwise.training import TrainConfig

STEPS_PER_EPOCH = 2975

config = TrainConfig(
    model=MsgUNetConfig(num_scales=4),
    dataset="cityscapes",
    data="data/cityscapes",
    out="runs/msgunet_cityscapes512x1024",
    scale=(512, 1024),
    batch_size=1,
    steps=200 * STEPS_PER_EPOCH,
    constant_steps=100 * STEPS_PER_EPOCH,
    learning_rate=2e-4,
    discriminator_learning_rate=2e-4,
    betas=(0.5, 0.999),
    vgg19="download",
    num_workers=4,
)
"""With ``MsgUNetConfig()`` and ``scale=(1024, 2048)`` it is the paper's."""
