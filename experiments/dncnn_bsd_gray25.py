"""DnCNN-S (Zhang et al., TIP 2017) on 400 grey Berkeley pictures, under noise of deviation 25 grey levels.

Sec. IV-A's patches of 40 x 40, 128 of them at a time, for 50 epochs of 1600 such batches; with Adam, whose rate falls
over the last two fifths, where the paper has gradient descent with momentum. Wants a GPU, or days.

The paper was not at hand: the schedule is as the field knows it, to be compared with it.
"""

from pixelwise.models.dncnn import DnCnnConfig
from pixelwise.training import TrainConfig

STEPS_PER_EPOCH = 1600

config = TrainConfig(
    model=DnCnnConfig(),
    dataset="bsd_gray",
    data="../shared/data/bsd_gray",
    out="runs/dncnn_bsd_gray25",
    crop=(40, 40),
    batch_size=128,
    steps=50 * STEPS_PER_EPOCH,
    constant_steps=30 * STEPS_PER_EPOCH,
    learning_rate=1e-3,
    betas=(0.9, 0.999),
    ema_decay=0.0,
    num_workers=4,
    licence=(
        "research weights: trained on the Berkeley Segmentation Dataset (Martin et al., 2001), whose terms were "
        "not at hand; see THIRD_PARTY.md"
    ),
)
