"""CRN (Chen and Koltun, ICCV 2017) on facades at 128 x 128, small enough for a CPU: four pictures of each label map, of
which every class learns from the best one.

`pixelwise translate --samples 4` writes them all. The loss is the paper's; widths and schedule are chosen for the size.
"""

from pixelwise.models.crn import CrnConfig
from pixelwise.training import TrainConfig

config = TrainConfig(
    model=CrnConfig(widths=(128, 128, 128, 128, 128, 64), num_variants=4),
    dataset="facades",
    data="../shared/data/facades_mini",
    out="runs/crn_facades128",
    scale=(128, 128),
    batch_size=1,
    steps=20_000,
    constant_steps=20_000,
    learning_rate=1e-4,
    betas=(0.9, 0.999),
    vgg19="download",
    licence=(
        "research weights: trained on crops of the CMP Facade Database (Tyleček and Šára, 2013), "
        "whose terms were not at hand; see THIRD_PARTY.md"
    ),
)
