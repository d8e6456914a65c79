"""pix2pix (Isola et al., CVPR 2017) on facades at 256 x 256: the U-Net of full size, with the paper's losses, jitter,
rate and epochs. Wants a GPU.

It reads the label map as classes, where the published models read it as a picture; and an epoch is of 906 crops, where
the paper's is of 400 whole fronts.

The paper itself was not at hand. Compared with public accounts of it, and equal: the L1 weight of 100, the patch of 70
pixels, one picture a batch, the rate, 200 epochs, jitter and mirroring, how weights start, dropout and the batch's own
statistics at test time. From memory: Adam's betas, and that the rate does not fall (in its authors' later code it does,
over the second half).
"""

from pixelwise.models.pix2pix import Pix2PixConfig
from pixelwise.training import TrainConfig

STEPS = 200 * 906

config = TrainConfig(
    model=Pix2PixConfig(),
    dataset="facades",
    data="../shared/data/facades_mini",
    out="runs/pix2pix_facades256",
    scale=(286, 286),
    crop=(256, 256),
    batch_size=1,
    steps=STEPS,
    constant_steps=STEPS,
    learning_rate=2e-4,
    discriminator_learning_rate=2e-4,
    betas=(0.5, 0.999),
    num_workers=4,
    licence=(
        "research weights: trained on crops of the CMP Facade Database (Tyleček and Šára, 2013), "
        "whose terms were not at hand; see THIRD_PARTY.md"
    ),
)
