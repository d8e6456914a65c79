"""pix2pixHD (Wang et al., CVPR 2018, Sec. 3.2) on facades, the first half: the global generator, for pictures of half
the size that `pixelwise train experiments/pix2pixhd_facades256.py` then goes on to. Full size, with the paper's losses
and schedule. Wants a GPU.

The paper itself was not at hand; what was compared with accounts of it is told in `pix2pixhd_cityscapes512x1024`. The
paper has no facades.
"""

from pixelwise.models.pix2pixhd import Pix2PixHdConfig
from pixelwise.training import TrainConfig

STEPS_PER_EPOCH = 906

config = TrainConfig(
    model=Pix2PixHdConfig(),
    dataset="facades",
    data="../shared/data/facades_mini",
    out="runs/pix2pixhd_facades128",
    scale=(128, 128),
    batch_size=1,
    steps=200 * STEPS_PER_EPOCH,
    constant_steps=100 * STEPS_PER_EPOCH,
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
