"""What ``test_processes`` has torchrun start: ``shared_run.py sound|poisoned DATA OUT``.

One run a start: a second group of processes under one torchrun now and then never comes together.
"""

import sys
from pathlib import Path

import torch
from tiny_run import poisoned, tiny_config

from pixelwise.data import DATASETS
from pixelwise.training import train
from pixelwise.training.step import Diverged

if __name__ == "__main__":
    torch.set_num_threads(1)
    kind, data, out = sys.argv[1], *map(Path, sys.argv[2:])
    if kind == "sound":
        train(tiny_config(data, out / "sound", batch_size=4, steps=3))
    else:
        DATASETS["poisoned"] = poisoned
        try:
            train(tiny_config(data, out / "poisoned", dataset="poisoned", save_every=1))
        except Diverged as error:
            print(error)
