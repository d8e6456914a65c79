"""pix2pixHD on Cityscapes at 512 x 1024, with the features of objects (Wang et al., CVPR 2018, Sec. 3.4): the global
generator of full size and the encoder, with the paper's losses and schedule. Wants a GPU.

At the end it keeps ten looks of each class, to draw from where there is no style picture.

The paper itself was not at hand. Compared with public accounts of it, and equal: three discriminators, feature matching
summed over their scales. Compared with the options that its authors' code prints, and equal: least squares, feature
matching's weight of 10, the rate, 100 epochs and 100 more in which it falls, one picture a batch, Adam's first beta,
mirroring. From memory: the perceptual loss's weight of 10.
"""

from pixelwise.models.pix2pixhd import Pix2PixHdConfig
from pixelwise.training import TrainConfig

STEPS_PER_EPOCH = 2975

config = TrainConfig(
    model=Pix2PixHdConfig(instance_edges=True, num_features=3),
    dataset="cityscapes",
    data="data/cityscapes",
    out="runs/pix2pixhd_cityscapes512x1024",
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
