"""SIMS (Qi et al., CVPR 2018) on CamVid at 240 x 320, with the paper's loss. Wants a GPU, and its memory bank first::

    pixelwise memorise --dataset camvid --data ../shared/data/camvid --out runs/sims_camvid240/bank.safetensors \\
        --licence "CamVid (Brostow et al., 2009) as published with SegNet, CC BY-NC 4.0, personal and research use only"
    pixelwise train experiments/sims_camvid240.py
    pixelwise translate labels/ --model runs/sims_camvid240/last.safetensors --out out/

The bank, of the training split alone, lies in the run's folder, where its checkpoints look for it. It holds the
pictures as they are stored, 480 x 360, and takes 363 MB.

The paper was not at hand, and no account of its training was found: loss and schedule, taken from CRN, were compared
with nothing.
"""

from pixelwise.models.sims import SimsConfig
from pixelwise.training import TrainConfig

BATCH_SIZE = 8
STEPS_PER_EPOCH = 367 // BATCH_SIZE

config = TrainConfig(
    model=SimsConfig(),
    dataset="camvid",
    data="../shared/data/camvid",
    out="runs/sims_camvid240",
    bank="runs/sims_camvid240/bank.safetensors",
    scale=(240, 320),
    batch_size=BATCH_SIZE,
    steps=200 * STEPS_PER_EPOCH,
    constant_steps=200 * STEPS_PER_EPOCH,
    learning_rate=1e-4,
    betas=(0.9, 0.999),
    vgg19="download",
    num_workers=4,
    licence=(
        "research weights: trained on CamVid (Brostow et al., 2009) as published with SegNet, "
        "CC BY-NC 4.0, personal and research use only; see THIRD_PARTY.md"
    ),
)
