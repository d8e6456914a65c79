"""DAGAN (Tang et al., ACM Multimedia 2020) on CamVid at 256 x 320: as large as published for Cityscapes, with the
paper's losses. Wants a GPU.

Losses and schedule are those of the experiment on SPADE: the paper puts its attention into SPADE's network and, as its
abstract says, adds nothing to the training. The paper itself was not at hand: batch, epochs and rates were compared
with nothing else.
"""

from pixelwise.models.dagan import DaganConfig
from pixelwise.training import TrainConfig

BATCH_SIZE = 32
STEPS_PER_EPOCH = 367 // BATCH_SIZE

config = TrainConfig(
    model=DaganConfig(num_upsamplings=6),
    dataset="camvid",
    data="../shared/data/camvid",
    out="runs/dagan_camvid256x320",
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
