"""pix2pixHD on Cityscapes at 1024 x 2048 (Wang et al., CVPR 2018, Sec. 3.2), the second half: the local enhancer around
the generator that `pixelwise train experiments/pix2pixhd_cityscapes512x1024.py` has made. Full size, with the paper's
losses. Wants a GPU with much memory.

The enhancer learns alone for 10 epochs, then both learn for 90, the last 50 of them with rates that fall to zero. That
order is the paper's, as its authors have said in public; how long is from memory. What else was compared with accounts
of the paper is told in `pix2pixhd_cityscapes512x1024`.
"""

from pixelwise.models.pix2pixhd import Pix2PixHdConfig
from pixelwise.training import TrainConfig

STEPS_PER_EPOCH = 2975

config = TrainConfig(
    model=Pix2PixHdConfig(instance_edges=True, num_features=3, width=32, num_enhancers=1),
    dataset="cityscapes",
    data="data/cityscapes",
    out="runs/pix2pixhd_cityscapes1024x2048",
    scale=(1024, 2048),
    batch_size=1,
    steps=100 * STEPS_PER_EPOCH,
    constant_steps=50 * STEPS_PER_EPOCH,
    frozen_steps=10 * STEPS_PER_EPOCH,
    start_from="runs/pix2pixhd_cityscapes512x1024/last.safetensors",
    learning_rate=2e-4,
    discriminator_learning_rate=2e-4,
    betas=(0.5, 0.999),
    vgg19="download",
    num_workers=4,
)
