"""Noisy photos, grey or coloured, under noise of up to 55 grey levels, to clean ones.

The bundled `denoise`, which learned for an hour and a half of a CPU's core:

    pixelwise train experiments/asapnet_denoise.py

An ASAP-Net of the finest cells, with one predicted kernel of 5 x 5 pixels for each (benchmarks/restorers.py). A third
of the patches loses its colours, so that one model does for both: it reads a grey photo as three equal channels.
"""

from pixelwise.losses.objective import Objective
from pixelwise.models.asapnet import AsapNetConfig
from pixelwise.training import TrainConfig

config = TrainConfig(
    model=AsapNetConfig(
        cell=2,
        unshuffle=2,
        max_width=64,
        num_blocks=12,
        mlp_depth=1,
        neighbourhood=5,
        padding="replicate",
        norm="batch",
        tanh=False,
        residual=True,
        scaled_parameters=True,
    ),
    objective=Objective(adversarial=None, feature_matching=0.0, perceptual=0.0, l1=1.0, kl=0.0),
    dataset="bsd_photo_blind",
    data="../shared/data/bsd_color",
    out="runs/denoise",
    crop=(64, 64),
    grey=0.33,
    batch_size=16,
    steps=11_500,
    constant_steps=7_500,
    learning_rate=1e-3,
    betas=(0.9, 0.999),
    max_gradient_norm=1.0,
    ema_decay=0.999,
    licence=(
        "research weights: trained on the Berkeley Segmentation Dataset (Martin et al., 2001), whose terms were "
        "not at hand; see THIRD_PARTY.md"
    ),
)
