"""CRN (Chen and Koltun, ICCV 2017) on Cityscapes at 256 x 512: the network of full size for all 35 classes, with the
paper's loss and 200 epochs at one rate. Wants a GPU.

The paper itself was not at hand. The epochs are those that its authors name for this size; for twice the size they go
on for 20, and for 5 at twice that. Unlike theirs, the loss's terms are not rescaled after 100 epochs. From memory: the
rate, one picture a batch. Not compared: Adam's betas, mirroring.
"""

from pixelwise.models.crn import CrnConfig
from pixelwise.training import TrainConfig

STEPS = 200 * 2975

config = TrainConfig(
    model=CrnConfig(),
    dataset="cityscapes",
    data="data/cityscapes",
    out="runs/crn_cityscapes256x512",
    scale=(256, 512),
    batch_size=1,
    steps=STEPS,
    constant_steps=STEPS,
    learning_rate=1e-4,
    betas=(0.9, 0.999),
    vgg19="download",
    num_workers=4,
)
