"""Trains any family on pairs of images."""

from pixelwise.training.config import TrainConfig
from pixelwise.training.loop import train

__all__ = ["TrainConfig", "train"]
