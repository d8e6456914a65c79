"""ASAP-Net beside rivals made as slim as it is fast: the paper's Fig. 8, at a size and for a time that suit a CPU.

    pixelwise train experiments/pix2pix_camvid_labels160.py
    python benchmarks/slimmer.py --segmenter runs/pix2pix_camvid_labels160/best.safetensors

The second call trains what is not trained yet, each network on the same label maps in the same order, judges all on the
validation split, and times a picture with all of them taking turns. It writes ``results/slimmer.json``, the table of
``results/slimmer.md``, made from it, the plot ``docs/slimmer_time.png`` of quality against time, and
``docs/slimmer.jpg``: label maps drawn for this project, and what each network makes of them.
"""

from __future__ import annotations

from dataclasses import replace

import typer

from ablations import COLUMNS, STUDY
from pixelwise.losses.objective import Objective
from pixelwise.models.pix2pixhd import Pix2PixHdConfig
from pixelwise.models.spade import SpadeConfig
from trained_comparison import TableSpec, TrainedComparison

# The rate of the other comparisons with SPADE; a rival has no field to decay.
_RIVAL = replace(STUDY, learning_rate=4e-4, objective=Objective(feature_matching=10.0, perceptual=0.0, l1=10.0))


SLIMMER = TrainedComparison(
    name="slimmer",
    title="Rivals as slim as ASAP-Net is fast",
    text=(
        "The paper's Fig. 8 takes channels away from SPADE and pix2pixHD until they are as fast as ASAP-Net, and both "
        "fall apart. Width is the channels at full resolution; SPADE's second number is that of the channels between "
        "the convolutions that read the label map, 128 as published, without which a narrow SPADE stays slow."
    ),
    trials={
        "ASAP-Net": STUDY,
        **{
            f"SPADE, width {width}, {hidden}": replace(_RIVAL, model=SpadeConfig(width=width, hidden=hidden))
            for width, hidden in ((8, 32), (2, 8))
        },
        **{f"pix2pixHD, width {width}": replace(_RIVAL, model=Pix2PixHdConfig(width=width)) for width in (8, 4)},
    },
    protocol="camvid-val-128x160-v1",
    tables=(TableSpec(COLUMNS),),
)

main, markdown = SLIMMER.main, SLIMMER.markdown

if __name__ == "__main__":
    typer.run(main)
