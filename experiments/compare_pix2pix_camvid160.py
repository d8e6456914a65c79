"""Side by side: pix2pix of half its width, among compact rivals (`compare_*_camvid160`).

All of them see the same 8000 images at 128 x 160, in the same order, against the same discriminator, on a CPU. Its
rate is that of the other rivals; five levels of the U-Net are what 128 x 160 allow.
"""

from dataclasses import replace
from pathlib import Path

from pixelwise.models.pix2pix import Pix2PixConfig
from pixelwise.training.experiment import read_experiment

asapnet = read_experiment(Path(__file__).with_name("compare_asapnet_camvid160.py"))

config = replace(
    asapnet,
    model=Pix2PixConfig(width=32, num_downsamplings=5),
    objective=replace(asapnet.objective, field_decay=0.0),
    out="runs/compare_pix2pix_camvid160",
    learning_rate=4e-4,
)
