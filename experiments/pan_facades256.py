"""PAN (Wang et al., TIP 2018) on facades at 256 x 256: the network of full size, with the paper's losses. Wants a GPU.

Jitter and epochs are those of the experiment on pix2pix, with four pictures a batch. It reads the label map as classes,
where the paper reads it as a picture.

The paper itself was not at hand. Public accounts of it agree on the form of both losses and on the layers; the weights
of the four distances, the margin, the rate and the batch were compared with nothing.
"""

from pixelwise.models.pan import PanConfig
from pixelwise.training import TrainConfig

BATCH_SIZE = 4
STEPS_PER_EPOCH = 906 // BATCH_SIZE

config = TrainConfig(
    model=PanConfig(),
    dataset="facades",
    data="../shared/data/facades_mini",
    out="runs/pan_facades256",
    scale=(286, 286),
    crop=(256, 256),
    batch_size=BATCH_SIZE,
    steps=200 * STEPS_PER_EPOCH,
    constant_steps=100 * STEPS_PER_EPOCH,
    learning_rate=2e-4,
    discriminator_learning_rate=2e-4,
    betas=(0.5, 0.999),
    num_workers=4,
    licence=(
        "research weights: trained on crops of the CMP Facade Database (Tyleček and Šára, 2013), "
        "whose terms were not at hand; see THIRD_PARTY.md"
    ),
)
