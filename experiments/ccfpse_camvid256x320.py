"""CC-FPSE (Liu et al., NeurIPS 2019) on CamVid at 256 x 320: as large as published for Cityscapes, with the paper's
losses and its discriminator. Wants a GPU.

The schedule is that of the experiment on SPADE, on whose code this paper's builds.

The paper itself was not at hand, and public accounts of it tell no more than that it took 16 GPUs. From memory, and
equal: the hinge, the weights of 20, 10 and 0.05 for feature matching, perceptual loss and KL, both rates, a batch of
32. Not compared: epochs, and when the rates fall.
"""

from pixelwise.models.ccfpse import CcfpseConfig
from pixelwise.training import TrainConfig

BATCH_SIZE = 32
STEPS_PER_EPOCH = 367 // BATCH_SIZE

config = TrainConfig(
    model=CcfpseConfig(num_upsamplings=6, style=True, size=(256, 320)),
    dataset="camvid",
    data="../shared/data/camvid",
    out="runs/ccfpse_camvid256x320",
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
