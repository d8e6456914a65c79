"""What the measured networks translate: a picture of large areas and small things, the same at every size."""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw
from torch import Tensor

from pixelwise.bench.subject import Size
from pixelwise.condition import Condition
from pixelwise.models.family import GeneratorConfig

MOST_LABELS = 16
"""Classes in one picture; Cityscapes has about as many of its 35. An engine may skip those that are absent."""

NUM_SHAPES = 60

Points = list[tuple[float, float]]


def draw_condition(config: GeneratorConfig, size: Size, seed: int = 0) -> Condition:
    """Polygons, each an instance of a random class, and for networks that read one a smooth picture.

    Args:
        config: of the network that will read it.
        size: (height, width) in pixels. The scene grows with it, as when the same view is photographed larger.
        seed: another one draws another scene.
    """
    instances, classes = _draw(size, seed)
    labels = classes % config.num_labels if config.num_labels else None
    image = _smooth_picture(config.image_channels, size, seed) if config.image_channels else None
    return Condition(labels=labels, instances=instances if config.instance_edges else None, image=image)


def _draw(size: Size, seed: int) -> tuple[Tensor, Tensor]:
    """Instance ids and classes, 1 H W each."""
    height, width = size
    canvas = Image.new("I", (width, height))
    pen = ImageDraw.Draw(canvas)
    for instance, shape in enumerate(_shapes(Random(seed)), start=1):
        pen.polygon([(x * (width - 1), y * (height - 1)) for x, y in shape], fill=instance)
    instances = torch.from_numpy(np.asarray(canvas, np.int64).copy())[None]
    # Labels that are present lie apart, as in real label maps.
    classes = torch.arange(NUM_SHAPES + 1) % MOST_LABELS * 2 + 1
    return instances, classes[instances]


def _shapes(random: Random) -> Iterator[Points]:
    """Outlines within the unit square, (x, y), from back to front: large ones first, then ever smaller ones."""
    for index in range(NUM_SHAPES):
        radius = 0.5 * 20 ** (-index / NUM_SHAPES)
        x, y = random.random(), random.random()
        angles = sorted(random.uniform(0, 2 * math.pi) for _ in range(random.randint(4, 9)))
        lengths = [radius * random.uniform(0.6, 1.2) for _ in angles]
        yield [(x + r * math.cos(angle), y + r * math.sin(angle)) for r, angle in zip(lengths, angles, strict=True)]


def _smooth_picture(channels: int, size: Size, seed: int) -> Tensor:
    noise = torch.rand(1, channels, 16, 16, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    return F.interpolate(noise, size, mode="bilinear", align_corners=False)
