"""SEAN (Zhu et al., CVPR 2020) on CamVid at 256 x 320: as large as published for faces but for one doubling more, with
the paper's losses. Wants a GPU.

The schedule is that of the experiment on SPADE, with a quarter of the batch. In training the style of each class is
that of the target.

The paper itself was not at hand. That its losses are SPADE's is what readers of it report. From memory: both rates; and
that it trains for 50 epochs, of 28 000 faces, where here 200 are of 367 streets. Not compared: its batch.
"""

from pixelwise.models.sean import SeanConfig
from pixelwise.training import TrainConfig

BATCH_SIZE = 8
STEPS_PER_EPOCH = 367 // BATCH_SIZE

config = TrainConfig(
    model=SeanConfig(num_upsamplings=6),
    dataset="camvid",
    data="../shared/data/camvid",
    out="runs/sean_camvid256x320",
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
