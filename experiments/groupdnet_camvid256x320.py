"""GroupDNet (Zhu et al., CVPR 2020) on CamVid at 256 x 320: as wide for each class as published for Cityscapes, with
its encoder and the paper's losses. Wants a GPU.

The schedule is that of the experiment on SPADE, with a quarter of the batch. In training the style of each class is
that of the target.

The paper itself was not at hand, and no account of its training was found: the losses, SPADE's with the weights of 10,
10 and 0.05, are from memory, and batch, epochs and rates were compared with nothing.
"""

from pixelwise.models.groupdnet import GroupDNetConfig
from pixelwise.training import TrainConfig

BATCH_SIZE = 8
STEPS_PER_EPOCH = 367 // BATCH_SIZE

config = TrainConfig(
    model=GroupDNetConfig(size=(256, 320)),
    dataset="camvid",
    data="../shared/data/camvid",
    out="runs/groupdnet_camvid256x320",
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
