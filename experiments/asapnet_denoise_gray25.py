"""Grey photos under noise of 25 grey levels to clean ones, for as long as a CPU allows.

The widest design of benchmarks/restorers.py, two blocks deeper, for one noise level: how near does it come to DnCNN-S,
which knows only that level too, when it sees 320,000 patches and not 16,000?
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
    dataset="bsd_gray",
    data="../shared/data/bsd_gray",
    out="runs/asapnet_denoise_gray25",
    crop=(64, 64),
    batch_size=16,
    steps=20_000,
    constant_steps=12_500,
    learning_rate=1e-3,
    betas=(0.9, 0.999),
    max_gradient_norm=1.0,
    ema_decay=0.999,
    licence=(
        "research weights: trained on the Berkeley Segmentation Dataset (Martin et al., 2001), whose terms were "
        "not at hand; see THIRD_PARTY.md"
    ),
)
