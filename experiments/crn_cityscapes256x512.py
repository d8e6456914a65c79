"""CRN (Chen and Koltun, ICCV 2017) on Cityscapes at 256 x 512: the network of full size for all 35 classes, with the
paper's loss and 200 epochs at one rate. Wants a GPU.

The paper was not at hand: loss and schedule are as the field knows them, to be compared with it.
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
