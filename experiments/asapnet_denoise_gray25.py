"""Grey photos under noise of 25 grey levels to clean ones, for as long as a CPU allows.

The network of the bundled `denoise` for one noise level: how near does it come to DnCNN-S, which knows only that level
too, when it sees 320,000 patches and not 16,000, as benchmarks/restorers.py shows its candidates?
"""

from dataclasses import replace
from pathlib import Path

from pixelwise.training.experiment import read_experiment

blind = read_experiment(Path(__file__).with_name("asapnet_denoise.py"))

config = replace(
    blind,
    dataset="bsd_gray",
    data="../shared/data/bsd_gray",
    out="runs/asapnet_denoise_gray25",
    grey=0.0,
    steps=20_000,
    constant_steps=12_500,
)
