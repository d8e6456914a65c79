"""Networks that judge a picture together with its condition."""

from __future__ import annotations

from torch import nn

from pixelwise.discriminators.feature_pyramid import FeaturePyramidConfig, FeaturePyramidDiscriminator
from pixelwise.discriminators.patch import MultiscalePatchDiscriminator, PatchDiscriminatorConfig
from pixelwise.discriminators.perceptual import PerceptualDiscriminator, PerceptualDiscriminatorConfig

DiscriminatorConfig = PatchDiscriminatorConfig | FeaturePyramidConfig | PerceptualDiscriminatorConfig


def discriminator_of(config: DiscriminatorConfig, semantic_channels: int, picture_channels: int) -> nn.Module:
    """The network of a configuration; it reads ``conditioning.discriminator_inputs``, one argument each.

    Args:
        config: its type says which.
        semantic_channels: channels of the condition.
        picture_channels: channels of the picture, which come after them.
    """
    if isinstance(config, FeaturePyramidConfig):
        return FeaturePyramidDiscriminator(config, semantic_channels, picture_channels)
    if isinstance(config, PerceptualDiscriminatorConfig):
        return PerceptualDiscriminator(config, semantic_channels, picture_channels)
    return MultiscalePatchDiscriminator(config, semantic_channels + picture_channels)
