"""Parts of house fronts, all of them upright boxes: rows of windows, sills, balconies, pillars, shutters, blinds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from scenes.polygon import Polygon, box

OTHERS, FACADE, PILLAR, WINDOW, BALCONY = range(5)


def row(label: int, centres: Iterable[int], top: int, width: int, height: int) -> Iterator[Polygon]:
    """Equal boxes side by side, their middles at the given x."""
    for centre in centres:
        yield box(label, centre - width // 2, top, width, height)


def windows(centres: Iterable[int], top: int, width: int, height: int, sill: int = 0) -> Iterator[Polygon]:
    """A row of windows, each on a sill of ``sill`` pixels that sticks out to both sides."""
    for centre in centres:
        yield from row(OTHERS, [centre] if sill else [], top + height, width + 8, sill)
        yield from row(WINDOW, [centre], top, width, height)


def shuttered(centres: Iterable[int], top: int, width: int, height: int, shutter: int) -> Iterator[Polygon]:
    """Windows between a pair of shutters, each ``shutter`` pixels wide."""
    for centre in centres:
        yield from row(OTHERS, [centre], top, width + 2 * shutter, height + 1)
        yield from row(WINDOW, [centre], top, width, height)


def lintels(centres: Iterable[int], top: int, width: int, height: int, stem: int = 0) -> Iterator[Polygon]:
    """Mouldings above windows: a slab and, hanging from it, a narrower block of ``stem`` pixels."""
    for centre in centres:
        yield from row(OTHERS, [centre], top, width, height)
        yield from row(OTHERS, [centre] if stem else [], top + height, width * 5 // 8, stem)


def blinds(centres: Iterable[int], top: int, width: int, height: int) -> Iterator[Polygon]:
    """What hides a window but for a rim of one or two pixels."""
    yield from row(OTHERS, centres, top, width - 3, height)


def pillars(centres: Iterable[int], top: int, bottom: int, width: int) -> Iterator[Polygon]:
    """Shafts of ``width`` pixels between a capital and a foot that are half as wide again."""
    collar = width + max(2, width // 2)
    for centre in centres:
        yield from row(PILLAR, [centre], top, width, bottom - top)
        yield from row(PILLAR, [centre], top, collar, max(3, width * 2 // 3))
        yield from row(PILLAR, [centre], bottom - max(2, width // 2), collar, max(2, width // 2))


def bands(tops_and_heights: Iterable[tuple[int, int]], left: int = -4, right: int = 520) -> Iterator[Polygon]:
    """Cornices, eaves and string courses right across the front, from ``left`` to ``right``."""
    for top, height in tops_and_heights:
        yield box(OTHERS, left, top, right - left, height)
