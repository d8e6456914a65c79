"""Photo -> labels of 256 x 256 house fronts: who reads facades in what models make of their labels.

pix2pix's U-Net, narrow, on random crops; being convolutional, it reads whole pictures. Its best average (step 2600, by
mean IoU) gets 75.8 % of the pixels of the 91 real validation photos right, mean IoU 54.6 %.

    pixelwise train experiments/pix2pix_facades_labels256.py
"""

from pixelwise.losses.objective import Objective
from pixelwise.models.pix2pix import Pix2PixConfig
from pixelwise.training import TrainConfig

config = TrainConfig(
    model=Pix2PixConfig(width=24, num_downsamplings=5, batch_statistics=False, dropout=0.0, tanh=False),
    objective=Objective(adversarial=None, feature_matching=0.0, perceptual=0.0, kl=0.0, cross_entropy=1.0),
    dataset="facades_labels",
    data="../shared/data/facades_mini",
    out="runs/pix2pix_facades_labels256",
    crop=(160, 160),
    batch_size=8,
    steps=3200,
    constant_steps=1600,
    learning_rate=1e-3,
    betas=(0.9, 0.999),
    ema_decay=0.99,
    validate_every=200,
    validation_samples=91,
    licence=(
        "research weights: trained on crops of the CMP Facade Database (Tyleček and Šára, 2013); see THIRD_PARTY.md"
    ),
)
