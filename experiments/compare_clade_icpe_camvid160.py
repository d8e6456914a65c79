"""Side by side: CLADE-ICPE of a quarter of its width, among compact rivals (`compare_*_camvid160`).

All of them see the same 8000 images at 128 x 160, in the same order, against the same discriminator, on a CPU. Its
rate: in one trial of 70 steps, 4e-4 did slightly better than 1e-3. Void pixels have no offsets.
"""

from dataclasses import replace
from pathlib import Path

from pixelwise.models.clade import CladeConfig
from pixelwise.training.experiment import read_experiment

asapnet = read_experiment(Path(__file__).with_name("compare_asapnet_camvid160.py"))

config = replace(
    asapnet,
    model=CladeConfig(width=16, offsets_modulate=True, without_offsets=11),
    objective=replace(asapnet.objective, field_decay=0.0),
    out="runs/compare_clade_icpe_camvid160",
    learning_rate=4e-4,
)
