"""pix2pixHD (Wang et al., CVPR 2018, Sec. 3.2) on facades, the second half: the local enhancer around the generator
that `pixelwise train experiments/pix2pixhd_facades128.py` has made. Full size, with the paper's losses. Wants a GPU.

The enhancer learns alone for 10 epochs, then both learn for 90, the last 50 of them with rates that fall to zero. That
order is the paper's, as its authors have said in public; how long is chosen here.

The paper itself was not at hand; what was compared with accounts of it is told in `pix2pixhd_cityscapes512x1024`. The
paper has no facades.
"""

from dataclasses import replace
from pathlib import Path

from pixelwise.training.experiment import read_experiment

STEPS_PER_EPOCH = 906

first_half = read_experiment(Path(__file__).with_name("pix2pixhd_facades128.py"))

config = replace(
    first_half,
    model=replace(first_half.model, width=32, num_enhancers=1),
    out="runs/pix2pixhd_facades256",
    scale=(256, 256),
    steps=100 * STEPS_PER_EPOCH,
    constant_steps=50 * STEPS_PER_EPOCH,
    frozen_steps=10 * STEPS_PER_EPOCH,
    start_from=f"{first_half.out}/last.safetensors",
)
