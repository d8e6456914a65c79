"""Photo -> metric depth of rooms, 312 x 232, a compact ASAP-Net for a CPU.

The right depth is one number, not one of many likely pictures: a mean absolute error without an adversary. Holes of the
depth maps don't count. Nothing was tuned.

    pixelwise train experiments/asapnet_nyu_depth232.py --dataset nyu_depth_to_photo    # the other way round
"""

from pixelwise.losses.objective import Objective
from pixelwise.models.asapnet import AsapNetConfig
from pixelwise.training import TrainConfig

config = TrainConfig(
    model=AsapNetConfig(
        cell=8,
        width=32,
        max_width=192,
        num_blocks=6,
        mlp_width=24,
        mlp_depth=4,
        norm="batch",
        bilinear=True,
        scaled_parameters=True,
    ),
    objective=Objective(adversarial=None, feature_matching=0.0, perceptual=0.0, l1=10.0, field_decay=10.0),
    dataset="nyu_depth",
    data="../shared/data/nyu_depth",
    out="runs/asapnet_nyu_depth232",
    scale=(232, 312),
    batch_size=4,
    steps=4000,
    constant_steps=2000,
    learning_rate=1e-3,
    betas=(0.9, 0.999),
    max_gradient_norm=20.0,
    licence=(
        "research weights: trained on NYU Depth V2 (Silberman et al., 2012), whose terms were not at hand; "
        "see THIRD_PARTY.md"
    ),
)
