"""pix2pixHD (Wang et al., CVPR 2018, Sec. 3.2) on facades, the second half: the local enhancer around the generator
that `pixelwise train experiments/pix2pixhd_facades128.py` has made. Full size, with the paper's losses. Wants a GPU.

The enhancer learns alone for 10 epochs, then both learn for 90, the last 50 of them with rates that fall to zero. That
order is the paper's, as its authors have said in public; how long is chosen here.

The paper itself was not at hand; what was compared with accounts of it is told in `pix2pixhd_cityscapes512x1024`. The
paper has no facades.
"""

from pixelwise.models.pix2pixhd import Pix2PixHdConfig
from pixelwise.training import TrainConfig

STEPS_PER_EPOCH = 906

config = TrainConfig(
    model=Pix2PixHdConfig(width=32, num_enhancers=1),
    dataset="facades",
    data="../shared/data/facades_mini",
    out="runs/pix2pixhd_facades256",
    scale=(256, 256),
    batch_size=1,
    steps=100 * STEPS_PER_EPOCH,
    constant_steps=50 * STEPS_PER_EPOCH,
    frozen_steps=10 * STEPS_PER_EPOCH,
    start_from="runs/pix2pixhd_facades128/last.safetensors",
    learning_rate=2e-4,
    discriminator_learning_rate=2e-4,
    betas=(0.5, 0.999),
    vgg19="download",
    num_workers=4,
    licence=(
        "research weights: trained on crops of the CMP Facade Database (Tyleček and Šára, 2013), "
        "whose terms were not at hand; see THIRD_PARTY.md"
    ),
)
