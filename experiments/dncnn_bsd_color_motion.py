"""Deblurring: DnCNN, a denoiser, on 150 colour Berkeley pictures under straight motion of 5 to 15 pixels and a little
noise. It sees 35 pixels, so that all that a way of 15 has spread is within its reach.

The network is the paper's, crops, batch and schedule are what a CPU can try; nothing was tuned.

    pixelwise train experiments/dncnn_bsd_color_motion.py --dataset bsd_color_gaussian_blur --out runs/focus
"""

from pixelwise.models.dncnn import DnCnnConfig
from pixelwise.training import TrainConfig

config = TrainConfig(
    model=DnCnnConfig(),
    dataset="bsd_color_motion",
    data="../shared/data/bsd_color",
    out="runs/dncnn_bsd_color_motion",
    crop=(48, 48),
    batch_size=16,
    steps=20_000,
    constant_steps=12_000,
    learning_rate=1e-3,
    betas=(0.9, 0.999),
    max_gradient_norm=1.0,
    licence=(
        "research weights: trained on the Berkeley Segmentation Dataset (Martin et al., 2001), whose terms were "
        "not at hand; see THIRD_PARTY.md"
    ),
)
