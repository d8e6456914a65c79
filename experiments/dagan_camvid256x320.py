"""DAGAN (Tang et al., ACM Multimedia 2020) on CamVid at 256 x 320: as large as published for Cityscapes, with the
paper's losses. Wants a GPU.

Losses and schedule are those of the experiment on SPADE: the paper puts its attention into SPADE's network and, as its
abstract says, adds nothing to the training. The paper itself was not at hand: batch, epochs and rates were compared
with nothing else.
"""

from dataclasses import replace
from pathlib import Path

from pixelwise.models.dagan import DaganConfig
from pixelwise.training.experiment import read_experiment

spade = read_experiment(Path(__file__).with_name("spade_camvid256x320.py"))

config = replace(
    spade,
    model=DaganConfig(num_upsamplings=6),
    out="runs/dagan_camvid256x320",
)
