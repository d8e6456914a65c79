"""CLADE (Tan et al., TPAMI 2021) on CamVid at 256 x 320: as large as published for Cityscapes, with the paper's losses.
Wants a GPU.

The schedule is that of the experiment on SPADE, whose rates and epochs are this paper's. The paper takes the best of
every tenth epoch by FID; here the best is that by SSIM, as in every run.
"""

from dataclasses import replace
from pathlib import Path

from pixelwise.models.clade import CladeConfig
from pixelwise.training.experiment import read_experiment

spade = read_experiment(Path(__file__).with_name("spade_camvid256x320.py"))

config = replace(
    spade,
    model=CladeConfig(num_upsamplings=6),
    out="runs/clade_camvid256x320",
)
