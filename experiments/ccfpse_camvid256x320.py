"""CC-FPSE (Liu et al., NeurIPS 2019) on CamVid at 256 x 320: as large as published for Cityscapes, with the paper's
losses and its discriminator. Wants a GPU.

The schedule is that of the experiment on SPADE, on whose code this paper's builds.

The paper itself was not at hand, and public accounts of it tell no more than that it took 16 GPUs. From memory, and
equal: the hinge, the weights of 20, 10 and 0.05 for feature matching, perceptual loss and KL, both rates, a batch of
32. Not compared: epochs, and when the rates fall.
"""

from dataclasses import replace
from pathlib import Path

from pixelwise.models.ccfpse import CcfpseConfig
from pixelwise.training.experiment import read_experiment

spade = read_experiment(Path(__file__).with_name("spade_camvid256x320.py"))

config = replace(
    spade,
    model=CcfpseConfig(num_upsamplings=6, style=True, size=(256, 320)),
    out="runs/ccfpse_camvid256x320",
)
