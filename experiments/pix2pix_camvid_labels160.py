"""Photo -> labels at 160 x 128: who reads streets in what `compare_*_camvid160` make, squeezed as they are.

The narrow U-Net of `pix2pix_camvid_labels240`. Its best average (step 1800, by mean IoU) gets 82.6 % of the pixels of
the 101 real validation photos right, mean IoU 46.3 %; of the same photos at 320 x 240 only 56 % and 25 %:
what it judges must have its size.

    pixelwise train experiments/pix2pix_camvid_labels160.py
"""

from pixelwise.losses.objective import Objective
from pixelwise.models.pix2pix import Pix2PixConfig
from pixelwise.training import TrainConfig

config = TrainConfig(
    model=Pix2PixConfig(width=24, num_downsamplings=5, batch_statistics=False, dropout=0.0, tanh=False),
    objective=Objective(adversarial=None, feature_matching=0.0, perceptual=0.0, kl=0.0, cross_entropy=1.0),
    dataset="camvid_labels",
    data="../shared/data/camvid",
    out="runs/pix2pix_camvid_labels160",
    scale=(128, 160),
    batch_size=8,
    steps=3200,
    constant_steps=1600,
    learning_rate=1e-3,
    betas=(0.9, 0.999),
    ema_decay=0.99,
    validate_every=200,
    validation_samples=101,
    licence=(
        "research weights: trained on CamVid (Brostow et al., 2009) as published with SegNet, "
        "CC BY-NC 4.0, personal and research use only; see THIRD_PARTY.md"
    ),
)
