"""Things that stand in streets, sized in pixels by where they stand: trees, cars, people, lamp posts, signs, clutter.

Everything that stands on the ground is placed by (x, y): the middle of its foot.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from random import Random

from scenes.polygon import Point, Polygon, box, ragged

SKY, BUILDING, POLE, ROAD, PAVEMENT, TREE, SIGN, FENCE, CAR, PEDESTRIAN, BICYCLIST, VOID = range(12)

# Outlines in a unit square, x from the middle and y up from the foot; people stand 1 high, cars lie 1 wide.
CAR_FROM_BEHIND = (
    (-0.47, 0.0), (-0.33, 0.0), (-0.31, 0.09), (0.31, 0.09), (0.33, 0.0), (0.46, 0.0), (0.49, 0.12), (0.5, 0.3),
    (0.48, 0.45), (0.42, 0.54), (0.36, 0.72), (0.29, 0.8), (0.16, 0.84), (-0.16, 0.84), (-0.3, 0.8), (-0.37, 0.71),
    (-0.42, 0.54), (-0.48, 0.45), (-0.5, 0.3), (-0.49, 0.12),
)  # fmt: skip
CAR_AT_AN_ANGLE = (
    (-0.49, 0.2), (-0.44, 0.09), (-0.38, 0.07), (-0.34, 0.0), (-0.25, -0.01), (-0.21, 0.05), (0.1, 0.0), (0.14, -0.06),
    (0.23, -0.08), (0.3, -0.02), (0.43, 0.0), (0.49, 0.05), (0.5, 0.24), (0.47, 0.36), (0.4, 0.43), (0.33, 0.53),
    (0.22, 0.57), (0.0, 0.58), (-0.14, 0.54), (-0.26, 0.42), (-0.41, 0.36), (-0.48, 0.3),
)  # fmt: skip
CAR_FROM_THE_SIDE = (
    (-0.5, 0.1), (-0.46, 0.06), (-0.4, 0.05), (-0.36, 0.0), (-0.29, -0.02), (-0.23, 0.04), (0.22, 0.04), (0.27, -0.01),
    (0.34, 0.0), (0.38, 0.05), (0.47, 0.07), (0.5, 0.13), (0.48, 0.21), (0.42, 0.25), (0.29, 0.28), (0.2, 0.36),
    (0.1, 0.41), (-0.14, 0.42), (-0.26, 0.39), (-0.35, 0.29), (-0.47, 0.25), (-0.5, 0.18),
)  # fmt: skip
VAN_FROM_BEHIND = (
    (-0.48, 0.0), (-0.34, 0.0), (-0.32, 0.1), (0.32, 0.1), (0.34, 0.0), (0.48, 0.0), (0.5, 0.3), (0.46, 1.1),
    (0.38, 1.18), (-0.38, 1.18), (-0.47, 1.1), (-0.5, 0.3),
)  # fmt: skip
STANDING = (
    (-0.1, 0.0), (-0.02, 0.0), (0.0, 0.3), (0.03, 0.0), (0.1, 0.01), (0.1, 0.42), (0.15, 0.45), (0.14, 0.74),
    (0.08, 0.82), (0.06, 0.97), (0.0, 1.0), (-0.06, 0.96), (-0.07, 0.83), (-0.14, 0.75), (-0.15, 0.46), (-0.1, 0.42),
)  # fmt: skip
WALKING = (
    (-0.21, 0.02), (-0.11, 0.0), (0.0, 0.32), (0.12, 0.0), (0.22, 0.03), (0.11, 0.46), (0.18, 0.5), (0.12, 0.76),
    (0.07, 0.83), (0.08, 0.96), (0.02, 1.0), (-0.05, 0.96), (-0.05, 0.83), (-0.12, 0.76), (-0.17, 0.47), (-0.1, 0.43),
)  # fmt: skip
CYCLING_AWAY = (
    (-0.06, 0.0), (0.06, 0.0), (0.08, 0.2), (0.15, 0.3), (0.14, 0.5), (0.19, 0.62), (0.14, 0.8), (0.06, 0.86),
    (0.06, 0.97), (0.0, 1.0), (-0.06, 0.97), (-0.06, 0.86), (-0.15, 0.8), (-0.2, 0.6), (-0.13, 0.5), (-0.15, 0.28),
    (-0.08, 0.2),
)  # fmt: skip
CYCLING_PAST = (
    (-0.46, 0.14), (-0.42, 0.04), (-0.33, 0.0), (-0.22, 0.03), (-0.16, 0.13), (-0.04, 0.06), (0.04, 0.08), (0.12, 0.14),
    (0.18, 0.04), (0.28, 0.0), (0.39, 0.03), (0.45, 0.13), (0.43, 0.27), (0.34, 0.35), (0.25, 0.37), (0.27, 0.5),
    (0.17, 0.53), (0.14, 0.62), (0.15, 0.78), (0.2, 0.82), (0.21, 0.92), (0.16, 0.99), (0.07, 0.99), (0.02, 0.92),
    (0.02, 0.85), (-0.1, 0.78), (-0.19, 0.62), (-0.2, 0.46), (-0.25, 0.37), (-0.36, 0.35), (-0.44, 0.26),
)  # fmt: skip


def traced(label: int, outline: Sequence[Point], rng: Random, reach: float = 0.8) -> Polygon:
    """What somebody who followed ``outline`` with the mouse would have drawn."""
    return ragged(Polygon(label, outline), rng, reach)


def figure(label: int, outline: Sequence[Point], x: float, y: float, size: float, rng: Random) -> Polygon:
    """A unit outline, ``size`` pixels large, standing at (x, y)."""
    points = [(x + size * across, y - size * up) for across, up in outline]
    return ragged(Polygon(label, points), rng, reach=min(1.0, size / 40), step=4)


def cars(places: Sequence[tuple[float, float, float]], outline: Sequence[Point], rng: Random) -> Iterator[Polygon]:
    """Vehicles at (x, y), each as wide as the third number says."""
    for x, y, width in places:
        yield figure(CAR, outline, x, y, width, rng)


def people(places: Sequence[tuple[float, float, float]], rng: Random) -> Iterator[Polygon]:
    """Pedestrians at (x, y), each as tall as the third number says; some stand, some walk."""
    for x, y, height in places:
        yield figure(PEDESTRIAN, rng.choice((STANDING, WALKING)), x, y, height, rng)


def blob(x: float, y: float, width: float, height: float) -> list[Point]:
    """A closed round of points, the middle at (x, y)."""
    turns = [2 * math.pi * part / 20 for part in range(20)]
    return [(x + width / 2 * math.cos(turn), y + height / 2 * math.sin(turn)) for turn in turns]


def leaves(outline: Sequence[Point], rng: Random, reach: float = 3.0) -> Polygon:
    """A crown or hedge: lobes of about ``reach`` pixels, ragged in themselves."""
    return ragged(ragged(Polygon(TREE, outline), rng, reach, step=11), rng, reach * 0.5, step=3)


def foliage(outline: Sequence[Point], rng: Random, reach: float = 3.0) -> Iterator[Polygon]:
    """Leaves against the sky: with stray ones outside, gaps within, and specks that nobody decided on."""
    crown = leaves(outline, rng, reach)
    yield crown
    yield from sprinkled(TREE, crown.points, rng, reach / 16, reach * 0.9)
    yield from sprinkled(SKY, crown.points, rng, reach / 26, reach * 0.7)
    yield from sprinkled(VOID, crown.points, rng, reach / 24, reach * 0.8)


def sprinkled(label: int, outline: Sequence[Point], rng: Random, density: float, reach: float) -> Iterator[Polygon]:
    """Specks one or two pixels wide, about ``reach`` pixels off an outline, ``density`` of them to a pixel of it."""
    for (x, y), (to_x, to_y) in zip(outline, [*outline[1:], outline[0]], strict=True):
        for _ in range(round(density * math.hypot(to_x - x, to_y - y) + rng.uniform(-0.5, 0.5))):
            part = rng.random()
            left = x + part * (to_x - x) + rng.gauss(0, reach)
            top = y + part * (to_y - y) + rng.gauss(0, reach)
            yield box(label, left, top, rng.choice((1, 1, 2)), rng.choice((1, 1, 2)))


def tree(x: float, y: float, height: float, width: float, rng: Random) -> Iterator[Polygon]:
    """A tree in leaf on a trunk, before houses as well as sky; ``height`` and ``width`` of the whole in pixels."""
    trunk = max(2.0, width / 12)
    yield ragged(box(TREE, x - trunk / 2, y - height * 0.45, trunk, height * 0.45), rng)
    yield leaves(blob(x, y - height * 0.64, width, height * 0.72), rng, reach=1 + width / 18)


def bare_tree(x: float, y: float, height: float, width: float, rng: Random) -> Iterator[Polygon]:
    """A tree in winter: boughs fan out from the fork, dense within and frayed into twigs at the rim."""
    trunk, fork = max(2.0, width / 16), y - height * 0.4

    def ring(part: float, spread: float) -> list[Point]:
        leans = [1.9 * step / 45 for step in range(-45, 46)]
        return [towards(x, fork, lean, width, height, part + rng.gauss(0, spread)) for lean in leans]

    inner, outer = ring(0.55, 0.16), ring(0.8, 0.1)
    yield ragged(box(TREE, x - trunk / 2, fork, trunk, y - fork), rng)
    yield Polygon(TREE, [(x, y - height * 0.3), *inner])
    for rim in (inner, outer):
        yield from sprinkled(SKY, rim, rng, 0.3, width / 16)
        yield from sprinkled(VOID, rim, rng, 0.22, width / 14)
    for _ in range(int(width * 0.9)):
        lean, end = rng.uniform(-1.8, 1.8), rng.uniform(0.55, 1.05)
        start = towards(x, fork, lean, width, height, end - rng.uniform(0.1, 0.4))
        yield Polygon(TREE, (start, towards(x, fork, lean + rng.gauss(0, 0.06), width, height, end)))


def towards(x: float, y: float, lean: float, width: float, height: float, part: float) -> Point:
    """From (x, y) a ``part`` of the way to the rim of a crown, ``lean`` radians from upright."""
    return x + math.sin(lean) * width / 2 * part, y - math.cos(lean) * height * 0.6 * part


def pole(x: float, y: float, height: float, width: float, rng: Random) -> Iterator[Polygon]:
    """An upright post, some rows of it a pixel wider than others."""
    yield box(POLE, x, y - height, width, height)
    for _ in range(int(height / 5)):
        yield box(POLE, x - rng.choice((0, 1)), y - rng.uniform(0, height), width + 1, rng.choice((1, 2)))


def lamp(x: float, y: float, height: float, arm: float, rng: Random) -> Iterator[Polygon]:
    """A street lamp; its arm reaches ``arm`` pixels to the right, or to the left when that is negative."""
    tip = y - height - abs(arm) / 4
    yield from pole(x, y, height, 2 if height > 70 else 1, rng)
    yield Polygon(POLE, ((x, y - height), (x + arm, tip), (x + arm, tip + 1)))


def signs(places: Sequence[tuple[float, float, float, float]], rng: Random) -> Iterator[Polygon]:
    """Boards and shop signs at (left, top), so and so wide and high."""
    for left, top, width, height in places:
        yield ragged(box(SIGN, left, top, width, height), rng, reach=0.6, step=3)


def clutter(left: float, right: float, ground: float, height: float, rng: Random) -> Iterator[Polygon]:
    """Bins, parked bicycles, boxes: what the annotators left void along the foot of the houses."""
    x = left
    while x < right:
        width = rng.uniform(0.5, 1.6) * height
        tall = height * rng.uniform(0.45, 1.0)
        yield ragged(box(VOID, x, ground - tall, min(width, right - x), tall), rng, reach=1.2, step=4)
        x += width * rng.uniform(1.0, 1.7)


def furniture(left: float, right: float, ground: float, height: float, rng: Random) -> Iterator[Polygon]:
    """The thicket of thin posts, some with a plate on top, that stands in the distance on every pavement."""
    x = left
    while x < right:
        tall = height * rng.uniform(0.4, 1.0)
        yield box(POLE, x, ground - tall, 1, tall)
        if rng.random() < 0.4:
            yield box(SIGN, x - 1, ground - tall, 4, rng.choice((4, 5, 7)))
        x += height * rng.uniform(0.3, 0.9)


def chimneys(places: Sequence[Point], rng: Random) -> Iterator[Polygon]:
    """Stacks and pots on the roof line at (x, y)."""
    for x, y in places:
        yield ragged(box(BUILDING, x - 3, y - 7, 6, 12), rng)
        yield box(BUILDING, x - rng.choice((0, 2)), y - 10, 2, 4)


def bonnet(left: float, rng: Random) -> Iterator[Polygon]:
    """The filming car's own bonnet, rising from the lower edge towards the right."""
    edge = ((left, 240), (left + 30, 236), (260, 226), (325, 216))
    yield ragged(Polygon(VOID, (*edge, (325, 245), (left, 245))), rng, reach=0.5)
    yield box(VOID, left + 26, 231, 7, 7)


def road_specks(top: int, bottom: int, width: int, rng: Random) -> Iterator[Polygon]:
    """A few stray void pixels on the road, and none that matter."""
    for _ in range(8):
        yield box(VOID, rng.uniform(0, width), rng.uniform(top, bottom), rng.choice((1, 2)), 1)
