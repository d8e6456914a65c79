"""Looks of objects (Wang et al., CVPR 2018, Sec. 3.4): a few numbers for each object of a picture, and those that are
typical of a class."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.layers.residual import Normalisation, ResidualTrunk, first_convolution, to_picture

_ROUNDS = 100


class FeatureEncoder(nn.Module):
    """From a picture to a few numbers for each of its instances.

    Args:
        in_channels: of the picture.
        num_features: the numbers.
        width, num_downsamplings, normalisation: see ``ResidualTrunk``.
    """

    def __init__(
        self, in_channels: int, num_features: int, width: int, num_downsamplings: int, normalisation: Normalisation
    ) -> None:
        super().__init__()
        self.size_multiple = 2**num_downsamplings
        first = first_convolution(in_channels, width, normalisation)
        self.trunk = ResidualTrunk(first, width, num_downsamplings, 0, normalisation)
        self.to_features = to_picture(width, num_features)

    def forward(self, picture: Tensor, instances: Tensor) -> Tensor:
        """B in_channels H W in [-1, 1] of any size, and B H W, to B num_features H W, equal within an instance."""
        height, width = instances.shape[-2:]
        features = self.to_features(self.trunk(padded_picture(picture, self.size_multiple)))[:, :, :height, :width]
        return means_of_objects(features, number_objects(instances))


def padded_picture(picture: Tensor, multiple: int) -> Tensor:
    """B C H W as ``Condition.padded``, to twice ``multiple`` at least."""
    extended = Condition(image=picture).padded(multiple, 2 * multiple).image
    assert extended is not None
    return extended


class Styles(nn.Module):
    """Looks of each class, ``centres``: num_labels num_styles num_features; zeros until ``learn`` finds some."""

    centres: Tensor

    def __init__(self, num_labels: int, num_styles: int, num_features: int) -> None:
        super().__init__()
        self.register_buffer("centres", torch.zeros(num_labels, num_styles, num_features))

    def draw(self, labels: Tensor, instances: Tensor) -> Tensor:
        """For every object one of its class's looks, from torch's global random numbers: B num_features H W.

        Args:
            labels: B H W, in 0..num_labels - 1.
            instances: B H W.
        """
        objects = number_objects(labels, instances)
        drawn = torch.randint(self.centres.shape[1], (int(objects.max()) + 1,), device=labels.device)
        return self.centres[labels.long(), drawn[objects]].movedim(-1, 1)

    def draw_by_class(self, num_styles: int) -> Tensor:
        """For every class one of its looks: num_styles rows of num_labels * num_features."""
        num_labels, num_looks, _ = self.centres.shape
        drawn = torch.randint(num_looks, (num_styles, num_labels), device=self.centres.device)
        return self.centres[torch.arange(num_labels, device=drawn.device), drawn].flatten(1)

    def by_class(self, latent: Tensor) -> Tensor:
        """Rows such as ``draw_by_class`` gives, as B num_labels num_features. Raises InputError for another length."""
        num_labels, _, num_features = self.centres.shape
        if latent.shape[1:] != (num_labels * num_features,):
            raise InputError(
                f"pix2pixhd: looks are {num_labels} x {num_features} numbers in one row, "
                f"the latent is {tuple(latent.shape[1:])}"
            )
        return latent.reshape(-1, num_labels, num_features)

    @torch.no_grad()
    def learn(self, found: Iterable[tuple[Tensor, Tensor, Tensor]]) -> None:
        """Keeps the centres of what has been found for the objects of each class; other classes keep what they had.

        Args:
            found: labels B H W, instances B H W, and features B num_features H W, equal within an instance.
        """
        classes, points = [], []
        for labels, instances, features in found:
            objects = number_objects(labels, instances)
            classes.append(one_of_each(labels, objects))
            points.append(one_of_each(features.movedim(1, -1), objects))
        for label in torch.cat(classes).unique().tolist() if classes else ():
            self.centres[label] = k_means(torch.cat(points)[torch.cat(classes) == label], self.centres.shape[1])


def labels_and_instances(condition: Condition) -> tuple[Tensor, Tensor]:
    """B H W each. Raises InputError where one of them is missing."""
    if condition.labels is None or condition.instances is None:
        raise InputError("pix2pixhd: styles belong to objects of a class: a label map and an instance map are needed")
    return condition.labels, condition.instances


def number_objects(*maps: Tensor) -> Tensor:
    """Numbers the objects of B pictures: pixels of one picture that have the same value in all maps.

    Args:
        maps: B H W integers each.

    Returns:
        B H W int64 from 0 to the number of objects less one; numbers of different pictures differ.
    """
    pictures = torch.arange(len(maps[0]), device=maps[0].device)[:, None, None]
    keys = pictures.expand(maps[0].shape)
    for values in maps:
        # Dense numbers keep the product of two of them small, whatever the values are.
        places = torch.unique(values, return_inverse=True)[1]
        keys = torch.unique(keys * (places.max() + 1) + places, return_inverse=True)[1]
    return keys


def means_of_objects(features: Tensor, objects: Tensor) -> Tensor:
    """Gives every pixel the mean features of its object (Sec. 3.4: instance-wise average pooling).

    Args:
        features: B F H W.
        objects: B H W, see ``number_objects``.
    """
    flat = features.movedim(1, -1).flatten(0, -2)
    sums = flat.new_zeros((int(objects.max()) + 1, flat.shape[1]), dtype=torch.float64)
    sums.index_add_(0, objects.flatten(), flat.double())
    counts = torch.bincount(objects.flatten())[:, None]
    means: Tensor = (sums / counts).to(features.dtype)[objects]
    return means.movedim(-1, 1)


def one_of_each(values: Tensor, objects: Tensor) -> Tensor:
    """From values that are equal within each object, B H W ..., to one per object, N ..."""
    chosen = values.new_empty((int(objects.max()) + 1, *values.shape[3:]))
    chosen[objects.flatten()] = values.flatten(0, 2)
    return chosen


def k_means(points: Tensor, num_clusters: int) -> Tensor:
    """Centres of clusters by Lloyd's algorithm, seeded as by Arthur and Vassilvitskii (2007), from torch's global
    random numbers.

    Args:
        points: N F, at least one.

    Returns:
        num_clusters F. Where there are fewer different points than clusters, some centres are equal.
    """
    centres = _seeds(points, num_clusters)
    nearest = torch.full((len(points),), -1, device=points.device)
    for _ in range(_ROUNDS):
        before, nearest = nearest, torch.cdist(points, centres).argmin(dim=1)
        if torch.equal(before, nearest):
            break
        counts = torch.bincount(nearest, minlength=num_clusters)[:, None]
        sums = torch.zeros_like(centres).index_add_(0, nearest, points)
        # A cluster that has lost all its points stays where it was.
        centres = torch.where(counts > 0, sums / counts.clamp(min=1), centres)
    return centres


def _seeds(points: Tensor, num_clusters: int) -> Tensor:
    """Points drawn with odds that grow with the squared distance from the ones that were drawn before."""
    seeds = points[torch.randint(len(points), (1,), device=points.device)]
    for _ in range(num_clusters - 1):
        odds = torch.cdist(points, seeds).amin(dim=1).square()
        odds = odds if odds.sum() > 0 else torch.ones_like(odds)
        seeds = torch.cat([seeds, points[torch.multinomial(odds, 1)]])
    return seeds
