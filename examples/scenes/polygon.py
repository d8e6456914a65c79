"""What a scene is made of: filled polygons, painted one over the other, and the unsteady hand that outlines them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

Point = tuple[float, float]


@dataclass(frozen=True)
class Polygon:
    """One filled shape: a class index and its outline, (x, y) in pixels to the right and down from the top left."""

    label: int
    points: Sequence[Point]


@dataclass(frozen=True)
class Scene:
    """A label map to be drawn.

    Attributes:
        name: of the scene and its file.
        size: (height, width) in pixels.
        background: class index of what no polygon covers.
        paint: gives the polygons, from back to front; whatever is irregular in them comes from the generator passed in.
    """

    name: str
    size: tuple[int, int]
    background: int
    paint: Callable[[Random], Iterator[Polygon]]

    def polygons(self) -> Iterator[Polygon]:
        """The same polygons at every call: the scene's own name is the seed, so no scene depends on another."""
        return self.paint(Random(self.name))


def box(label: int, left: float, top: float, width: float, height: float) -> Polygon:
    """An upright rectangle of ``width`` by ``height`` pixels; outlines are inclusive, so 1 x 1 is one pixel."""
    right, bottom = left + width - 1, top + height - 1
    return Polygon(label, ((left, top), (right, top), (right, bottom), (left, bottom)))


def shifted_sides(boxes: Iterable[Polygon], rng: Random, spread: float = 0.8) -> Iterator[Polygon]:
    """Upright boxes whose four sides each lie about ``spread`` pixels off, as when a person drags out every one."""
    for shape in boxes:
        across = {x: x + round(rng.gauss(0, spread)) for x in sorted({x for x, _ in shape.points})}
        down = {y: y + round(rng.gauss(0, spread)) for y in sorted({y for _, y in shape.points})}
        yield Polygon(shape.label, [(across[x], down[y]) for x, y in shape.points])


def ragged(shape: Polygon, rng: Random, reach: float = 0.8, step: float = 5.0) -> Polygon:
    """The outline cut into pieces of about ``step`` pixels, each joint moved by up to ``reach`` pixels."""
    joints: list[Point] = []
    for (x, y), (to_x, to_y) in zip(shape.points, [*shape.points[1:], shape.points[0]], strict=True):
        num_pieces = max(1, round(math.hypot(to_x - x, to_y - y) / step))
        for piece in range(num_pieces):
            part = piece / num_pieces
            joints.append(
                (
                    x + part * (to_x - x) + rng.uniform(-reach, reach),
                    y + part * (to_y - y) + rng.uniform(-reach, reach),
                )
            )
    return Polygon(shape.label, joints)
