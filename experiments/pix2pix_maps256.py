"""pix2pix (Isola et al., CVPR 2017) from aerial photos to maps at 256 x 256: the U-Net of full size, with the paper's
losses, jitter, rate and epochs, of the 1096 pairs that were published. Wants a GPU.

The paper itself was not at hand; what was compared with accounts of it is told in `pix2pix_facades256`, and the number
of pairs is theirs.

    pixelwise train experiments/pix2pix_maps256.py --dataset maps_to_photo --out runs/pix2pix_maps_to_photo256
"""

from pixelwise.models.pix2pix import Pix2PixConfig
from pixelwise.training import TrainConfig

STEPS = 200 * 1096

config = TrainConfig(
    model=Pix2PixConfig(),
    dataset="maps",
    data="../shared/data/maps",
    out="runs/pix2pix_maps256",
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
        "research weights: trained on the maps of pix2pix (Isola et al., 2017), images of Google Maps, whose terms "
        "were not at hand; see THIRD_PARTY.md"
    ),
)
