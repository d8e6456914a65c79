"""Photo -> labels: the classes of a street, 320 x 240, by a narrow U-Net (pix2pix's) and cross-entropy, on a CPU.

Its last layer gives a logit for each class; nobody's pixels, don't care, don't count. No dropout: there is one right
answer. Nothing was tuned.

    pixelwise train experiments/pix2pix_camvid_labels240.py
"""

from pixelwise.losses.objective import Objective
from pixelwise.models.pix2pix import Pix2PixConfig
from pixelwise.training import TrainConfig

config = TrainConfig(
    model=Pix2PixConfig(width=24, num_downsamplings=5, batch_statistics=False, dropout=0.0, tanh=False),
    objective=Objective(adversarial=None, feature_matching=0.0, perceptual=0.0, kl=0.0, cross_entropy=1.0),
    dataset="camvid_labels",
    data="../shared/data/camvid",
    out="runs/pix2pix_camvid_labels240",
    scale=(240, 320),
    crop=(224, 288),
    batch_size=4,
    steps=4000,
    constant_steps=2000,
    learning_rate=1e-3,
    betas=(0.9, 0.999),
    licence=(
        "research weights: trained on CamVid (Brostow et al., 2009) as published with SegNet, "
        "CC BY-NC 4.0, personal and research use only; see THIRD_PARTY.md"
    ),
)
