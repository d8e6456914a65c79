import torch

from pixelwise.models.pix2pixhd_styles import Styles, k_means, means_of_objects, number_objects, one_of_each

LABELS = torch.tensor([[[0, 0, 1], [0, 1, 1]], [[0, 0, 0], [0, 0, 0]]])
INSTANCES = torch.tensor([[[5, 5, 5], [-7, 5, 2_000_000_000]], [[5, 5, 5], [5, 5, 5]]], dtype=torch.int32)


def test_objects_agree_in_all_maps_and_in_the_picture() -> None:
    objects = number_objects(LABELS, INSTANCES)
    expected = {(0, 0): {0, 1}, (0, 1): {2, 4}, (0, 2): {3}, (0, 3): {5}, (1, 0): {6, 7, 8, 9, 10, 11}}
    found = {frozenset((objects.flatten() == number).nonzero().flatten().tolist()) for number in range(5)}
    assert found == {frozenset(places) for places in expected.values()}
    assert objects.max() == 4


def test_means_are_those_of_a_loop_over_objects_and_gradients_spread() -> None:
    torch.manual_seed(0)
    features = torch.randn(2, 3, 2, 3, requires_grad=True)
    objects = number_objects(INSTANCES)
    means = means_of_objects(features, objects)
    for number in range(int(objects.max()) + 1):
        inside = objects == number
        expected = features.movedim(1, -1)[inside].mean(dim=0)
        torch.testing.assert_close(means.movedim(1, -1)[inside], expected.expand(int(inside.sum()), 3))
    means[0, 0, 0, 0].backward()
    assert features.grad is not None
    torch.testing.assert_close(features.grad[0, 0], (objects[0] == objects[0, 0, 0]) / 4)


def test_one_of_each() -> None:
    objects = torch.tensor([[[1, 0], [1, 2]]])
    assert one_of_each(10 * objects, objects).tolist() == [0, 10, 20]
    assert one_of_each(torch.stack([objects, -objects], dim=-1), objects).tolist() == [[0, 0], [1, -1], [2, -2]]


def test_k_means_finds_clusters() -> None:
    torch.manual_seed(0)
    middles = torch.tensor([[-4.0, 0.0], [0.0, 5.0], [6.0, 0.0]])
    points = (middles[:, None] + 0.1 * torch.randn(3, 50, 2)).flatten(0, 1)
    centres = k_means(points, 3)
    expected = points.view(3, 50, 2).mean(dim=1)
    torch.testing.assert_close(centres[centres[:, 0].argsort()], expected)


def test_fewer_points_than_clusters_are_all_centres() -> None:
    centres = k_means(torch.tensor([[1.0], [2.0], [2.0]]), 4)
    assert centres.shape == (4, 1)
    assert set(centres.flatten().tolist()) == {1.0, 2.0}


def test_a_drawn_style_is_one_of_its_class_and_the_same_in_a_whole_object() -> None:
    styles = Styles(num_labels=2, num_styles=3, num_features=1)
    styles.centres.copy_(torch.arange(6.0).view(2, 3, 1))
    seen: dict[int, set[float]] = {0: set(), 1: set()}
    torch.manual_seed(0)
    for _ in range(30):
        drawn = styles.draw(LABELS.int(), INSTANCES)
        assert drawn.shape == (2, 1, 2, 3)
        assert torch.equal(drawn, means_of_objects(drawn, number_objects(LABELS, INSTANCES)))
        for label, values in seen.items():
            values.update(drawn[:, 0][label == LABELS].tolist())
    assert seen == {0: {0.0, 1.0, 2.0}, 1: {3.0, 4.0, 5.0}}


def test_nothing_found_changes_nothing() -> None:
    styles = Styles(2, 3, 1)
    styles.learn([])
    assert not styles.centres.any()
