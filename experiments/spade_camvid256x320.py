"""SPADE (Park et al., CVPR 2019) on CamVid at 256 x 320: as large as published for Cityscapes, with the paper's losses.
Wants a GPU.

200 epochs at the rates of Tan et al. (TPAMI 2021, Sec. 4.1). A batch of 32 and two scales to judge are the paper's by
public accounts and its authors' answers, and so is Adam's second beta, which the paper's first print gives as 0.999.
That the rates fall over the second half is from memory. `--accumulate 4` where 32 pictures are too many for one GPU.
"""

from pixelwise.models.spade import SpadeConfig
from pixelwise.training import TrainConfig

BATCH_SIZE = 32
STEPS_PER_EPOCH = 367 // BATCH_SIZE

config = TrainConfig(
    model=SpadeConfig(num_upsamplings=6),
    dataset="camvid",
    data="../shared/data/camvid",
    out="runs/spade_camvid256x320",
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
