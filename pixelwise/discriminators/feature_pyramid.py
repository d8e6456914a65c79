"""The feature-pyramid semantics-embedding discriminator of CC-FPSE (Liu et al., NeurIPS 2019, Sec. 3.2).

Features of one picture at three scales, each of which knows the coarser ones, are judged at every place: are they those
of a photo, and do they match what the label map has there? The second judgement is the inner product with an embedding
of the class, so that the label map is compared with the picture instead of being read with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from pixelwise.discriminators.size import check_larger, check_width
from pixelwise.layers.convolution import init_weights, spectral_layer
from pixelwise.layers.pyramid import halved

_WIDTHS = (1, 2, 4, 8, 8)
_PYRAMID_WIDTH = 4
_JUDGED_WIDTH = 2
_NUM_SCALES = 3
_REDUCTION = 1 << len(_WIDTHS)


@dataclass(frozen=True)
class FeaturePyramidConfig:
    """The size of a FeaturePyramidDiscriminator.

    Attributes:
        width: "ndf", channels of the first layer, at least 1; the next ones have 2, 4, 8 and 8 times as many, the
            pyramid 4 times, and the features that are judged twice.
    """

    width: int = 64

    def __post_init__(self) -> None:
        check_width(self.width)


class FeaturePyramidDiscriminator(nn.Module):
    """Weights start as SPADE's do (Xavier normal, gain 0.02), from torch's global random numbers.

    Args:
        config: its size.
        semantic_channels: channels of the condition.
        picture_channels: channels of the picture.
    """

    def __init__(self, config: FeaturePyramidConfig, semantic_channels: int, picture_channels: int) -> None:
        super().__init__()
        self.config = config
        self.channels = (semantic_channels, picture_channels)
        widths = [config.width * share for share in _WIDTHS]
        wide, judged = config.width * _PYRAMID_WIDTH, config.width * _JUDGED_WIDTH
        self.down = nn.ModuleList(
            spectral_layer(before, after, 3, nn.InstanceNorm2d, stride=2)
            for before, after in zip([picture_channels, *widths], widths, strict=False)
        )
        self.lateral = nn.ModuleList(spectral_layer(width, wide, 1, nn.InstanceNorm2d) for width in widths[1:])
        self.smooth = nn.ModuleList(spectral_layer(wide, judged, 3, nn.InstanceNorm2d) for _ in range(_NUM_SCALES))
        self.realism = nn.Conv2d(judged, 1, 1)
        self.semantics = nn.Conv2d(judged, judged, 1)
        self.embedding = nn.Conv2d(semantic_channels, judged, 1)
        init_weights(self)

    def forward(self, x: Tensor, *smaller: Tensor) -> list[list[Tensor]]:
        """Outputs per scale, of 1/4, 1/8 and 1/16 of the size: features, then the prediction B 1 h w.

        The features are those of the bottom-up layers; the coarsest, of 1/32, stand at the last scale.

        Args:
            x: B (semantic_channels + picture_channels) H W, the condition first; of any size, H or W above 32.
            smaller: of a generator that makes its picture at several sizes; not read.

        Raises:
            InputError: a picture so small that a single place would be left to normalise over.
        """
        check_larger(x, _REDUCTION, "a feature pyramid")
        semantics, picture = x.split(self.channels, dim=1)
        features = self._features(picture)
        predictions = self._predictions(self._top_down(features), semantics)
        scales = [[feature, prediction] for feature, prediction in zip(features, predictions, strict=False)]
        scales[-1].insert(1, features[-1])
        return scales

    def _features(self, picture: Tensor) -> list[Tensor]:
        """Of all layers but the first, fine to coarse."""
        features, x = [], picture
        for layer in self.down:
            x = layer(x)
            features.append(x)
        return features[1:]

    def _top_down(self, features: list[Tensor]) -> list[Tensor]:
        """What is judged, fine to coarse."""
        laterals = [lateral(feature) for lateral, feature in zip(self.lateral, features, strict=True)]
        x, levels = laterals.pop(), []
        for lateral, smooth in zip(reversed(laterals), reversed(self.smooth), strict=True):
            x = F.interpolate(x, lateral.shape[-2:], mode="bilinear") + lateral
            levels.append(smooth(x))
        return levels[::-1]

    def _predictions(self, levels: list[Tensor], semantics: Tensor) -> list[Tensor]:
        # Averages of embeddings are embeddings of averages, which are cheaper.
        semantics = halved(semantics)
        predictions = []
        for level in levels:
            semantics = halved(semantics)
            match = (self.embedding(semantics) * self.semantics(level)).sum(dim=1, keepdim=True)
            predictions.append(self.realism(level) + match)
        return predictions
