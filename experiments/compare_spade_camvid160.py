"""Side by side: SPADE of a quarter of its width, among compact rivals (`compare_*_camvid160`).

All of them see the same 8000 images at 128 x 160, in the same order, against the same discriminator, on a CPU. The
rate is that of the experiment on CLADE-ICPE.
"""

from dataclasses import replace
from pathlib import Path

from pixelwise.models.spade import SpadeConfig
from pixelwise.training.experiment import read_experiment

asapnet = read_experiment(Path(__file__).with_name("compare_asapnet_camvid160.py"))

config = replace(
    asapnet,
    model=SpadeConfig(width=16),
    objective=replace(asapnet.objective, field_decay=0.0),
    out="runs/compare_spade_camvid160",
    learning_rate=4e-4,
)
