"""How good pictures are at every size that MSG U-Net makes, from inputs of every such size: the paper's Tables 2 and 3,
a part of msgunet_tables.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from pixelwise.bench.table import Row, size_text
from pixelwise.evaluation import Examination, Protocol, Setting
from pixelwise.layers.pyramid import pyramid
from pixelwise.markdown import table
from pixelwise.metrics.fidelity import ssim
from pixelwise.translate import Translator

SIZES_TEXT = (
    "SSIM of MSG U-Net's pictures at all sizes that it makes, from inputs that were reduced to each of these and "
    "enlarged again (Sec. 3.2), ids by nearest neighbour. Height × width; a line for each input, a column for each "
    "output. A smaller output is compared with the target halved as often as training halves it."
)


def ssim_by_size(translator: Translator, setting: Setting) -> Row:
    """SSIM of pictures of every size from inputs of every size (Tables 2 and 3), in what JSON can hold.

    Args:
        translator: with a model that makes pictures at several sizes.
        setting: its protocol has a size, that of the largest pictures.

    Returns:
        "sizes", (height, width) from small to large, and "ssim": a row for each input, a column for each output.
    """
    sizes = sizes_of(setting.protocol, translator.generator.config.num_scales)
    whole = sizes[-1]
    protocols = [setting.protocol if size == whole else setting.protocol.from_source(size) for size in sizes]
    return {
        "sizes": sizes,
        "ssim": [ssim_by_output(translator, replace(setting, protocol=protocol)) for protocol in protocols],
    }


def sizes_of(protocol: Protocol, num_scales: int) -> list[tuple[int, int]]:
    """(height, width) from small to large: the protocol's, and what is left of it when it is halved."""
    assert protocol.size is not None
    height, width = protocol.size
    return [(-(-height >> level), -(-width >> level)) for level in reversed(range(num_scales))]


def ssim_by_output(translator: Translator, setting: Setting) -> list[float]:
    """The means over the protocol's samples, for the model's pictures from small to large.

    Protocols judge pictures of full size alone; here the smaller ones are compared in the same way, rounded if the
    protocol says so, with the target halved as in training. Raises InputError for data that are not the protocol's.
    """
    examination = Examination(setting, setting.protocol.open(setting.root), measures=())
    every = [_ssim_of_sample(translator, examination, index) for index in range(len(examination.samples))]
    return [float(mean) for mean in np.mean(every, axis=0)]


@torch.inference_mode()
def _ssim_of_sample(translator: Translator, examination: Examination, index: int) -> list[float]:
    sample = examination.sample(index)
    made: Sequence[Tensor] = translator.generator(examination.protocol.shown(sample.condition)).pictures
    targets = pyramid(sample.target, len(made))
    pairs = zip(map(examination.compared, made), targets, strict=True)
    return [float(ssim(picture, target)) for picture, target in pairs][::-1]


def by_size_table(found: Row) -> str:
    """What ``ssim_by_size`` found: a line for each input size, a column for each output size."""
    names = [size_text(size) for size in found["sizes"]]
    lines = [[name, *(f"{score:.3f}" for score in scores)] for name, scores in zip(names, found["ssim"], strict=True)]
    return table(["input \\ output", *names], lines)
