import torch

from pixelwise.labels import one_hot
from pixelwise.layers.regions import class_means, painted

LABELS = torch.arange(3).repeat_interleave(16).repeat(2, 40, 1)


def test_every_pixel_gets_its_own_pictures_style() -> None:
    styles = torch.rand(2, 4, 6)
    style_map = painted(styles, LABELS.int())
    assert style_map.shape == (2, 6, 40, 48)
    for picture, label in ((0, 2), (1, 0)):
        torch.testing.assert_close(style_map[picture, :, 7, 16 * label + 3], styles[picture, label])


def test_means_are_those_of_each_class_and_zero_where_it_is_absent() -> None:
    features = torch.rand(2, 6, 40, 48)
    means = class_means(features, one_hot(LABELS, 4))
    assert means.shape == (2, 4, 6)
    torch.testing.assert_close(means[1, 2], features[1, :, :, 32:].mean(dim=(1, 2)))
    assert not means[:, 3].any()


def test_what_is_painted_is_found_again() -> None:
    styles = torch.rand(2, 3, 6)
    torch.testing.assert_close(class_means(painted(styles, LABELS), one_hot(LABELS, 3)), styles)
