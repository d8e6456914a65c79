"""CLADE (Tan et al., TPAMI 2021) on CamVid at 256 x 320: as large as published for Cityscapes, with the paper's losses.
Wants a GPU.

The schedule is that of the experiment on SPADE, whose rates and epochs are this paper's. The paper takes the best of
every tenth epoch by FID; here the best is that by SSIM, as in every run.
"""

from pixelwise.models.clade import CladeConfig
from pixelwise.training import TrainConfig

BATCH_SIZE = 32
STEPS_PER_EPOCH = 367 // BATCH_SIZE

config = TrainConfig(
    model=CladeConfig(num_upsamplings=6),
    dataset="camvid",
    data="../shared/data/camvid",
    out="runs/clade_camvid256x320",
    scale=(256, 320),
    batch_size=BATCH_SIZE,
    steps=200 * STEPS_PER_EPOCH,
    constant_steps=100 * STEPS_PER_EPOCH,
    learning_rate=1e-4,
    discriminator_learning_rate=4e-4,
    betas=(0.0, 0.9),
    vgg19="download",
    num_workers=4,
    licence=(
        "research weights: trained on CamVid (Brostow et al., 2009) as published with SegNet, "
        "CC BY-NC 4.0, personal and research use only; see THIRD_PARTY.md"
    ),
)
