"""Thirteen invented house fronts, in the style of rectified photographs that were annotated with boxes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from scenes.facade_parts import (
    BALCONY,
    FACADE,
    OTHERS,
    PILLAR,
    WINDOW,
    bands,
    blinds,
    lintels,
    pillars,
    row,
    shuttered,
    windows,
)
from scenes.polygon import Polygon, Scene, box, shifted_sides


def plain_flats() -> Iterator[Polygon]:
    """Four storeys of one even rhythm under the eaves, a lamp-lit stair in the fourth column, a shop below."""
    columns = (22, 68, 113, 161, 207, 252)
    yield from bands([(-4, 26)])
    for top in (44, 97, 150):
        yield from windows(columns, top, 22, 33, sill=4)
    yield from bands([(204, 7)])
    yield from blinds((113, 252), 108, 22, 22)
    yield from row(OTHERS, (45,), 222, 64, 40)
    yield from windows((113, 207), 222, 26, 36)
    yield from row(OTHERS, (161,), 219, 28, 40)
    yield from row(FACADE, (45,), 229, 3, 34)


def stacked_balconies() -> Iterator[Polygon]:
    """Two stacks of balconies, one of them cut by the border, between shuttered windows."""
    yield from bands([(-4, 16)], right=196)
    yield from bands([(14, 3)])
    for top in (30, 92, 154, 216):
        yield from shuttered((94, 232), top, 19, 31, 9)
        yield from row(OTHERS, (94, 232), top + 33, 30, 5)
        yield from windows((22, 50, 160), top - 2, 17, 40)
        yield from row(BALCONY, (26,), top + 17, 76, 24)
        yield from row(BALCONY, (160,), top + 16, 50, 27)
    yield from row(OTHERS, (196,), 16, 3, 244)
    yield from blinds((94,), 96, 19, 20)


def palace() -> Iterator[Polygon]:
    """A giant order of pillars through two storeys, heavy cornices, pediments over the lower windows."""
    columns, between = (36, 84, 132, 180, 228), (12, 60, 108, 156, 204, 252)
    yield from windows(columns, -4, 21, 25)
    yield from bands([(21, 29)])
    yield from windows(columns, 57, 22, 38, sill=5)
    yield from lintels(columns, 110, 32, 10, stem=9)
    yield from windows(columns, 128, 22, 50)
    yield from bands([(178, 20)])
    yield from pillars(between, 44, 186, 11)
    yield from blinds((84, 228), 57, 22, 36)
    yield from row(BALCONY, (132,), 164, 60, 22)
    yield from windows(columns[:2], 214, 25, 48)
    yield from row(OTHERS, (132,), 207, 40, 56)
    yield from windows((180, 228), 214, 25, 48)
    yield from row(OTHERS, (180,), 230, 16, 32)


def two_neighbours() -> Iterator[Polygon]:
    """Party wall a third from the right: storeys and rhythms that do not meet, and the lower house's sky."""
    yield from bands([(-4, 24)], right=160)
    yield from bands([(-4, 58)], left=162)
    for top in (36, 87, 138, 189):
        yield from lintels((24, 62, 104, 140), top - 7, 27, 5)
        yield from windows((24, 62, 104, 140), top, 17, 28, sill=4)
    for top in (76, 124, 172):
        yield from windows((182, 205, 241), top, 15, 25)
    yield from bands([(108, 5), (156, 5)], left=162)
    yield from row(BALCONY, (62,), 103, 36, 18)
    yield from row(BALCONY, (62,), 154, 36, 18)
    yield from row(BALCONY, (223,), 189, 72, 15)
    yield from bands([(226, 9)], right=160)
    yield from bands([(212, 11)], left=162)
    for left, width in ((-4, 38), (44, 30), (84, 52), (172, 46), (228, 40)):
        yield box(OTHERS, left, 239, width, 24)
    yield from row(OTHERS, (161,), -4, 3, 270)


def under_open_sky() -> Iterator[Polygon]:
    """The crop takes in much sky, and on the right a strip of the next house, of which only windows are marked."""
    yield from bands([(-4, 90)])
    yield from row(FACADE, (92,), 74, 170, 1)
    yield box(OTHERS, 188, -4, 80, 268)
    columns = range(20, 188, 31)
    for top in (98, 142):
        yield from windows(columns, top, 15, 24, sill=3)
        yield from lintels(columns, top - 7, 21, 4)
    yield from bands([(175, 12)], right=188)
    yield from windows(columns, 193, 15, 26)
    yield from pillars((66, 97, 128, 159), 187, 224, 4)
    yield from row(BALCONY, (113,), 211, 76, 13)
    yield from bands([(226, 7)], right=188)
    for left, width in ((6, 28), (44, 22), (74, 40), (124, 24), (156, 26)):
        yield box(OTHERS, left, 240, width, 24)
    for top in (86, 134, 182, 230):
        yield from windows((206, 236), top, 14, 22)


def close_up() -> Iterator[Polygon]:
    """Three and a half windows from close by: each detail takes many pixels."""
    columns = (40, 124, 208)
    yield from lintels(columns, 2, 58, 16)
    yield from windows(columns, 18, 38, 66)
    yield from row(OTHERS, columns, 84, 54, 15)
    yield from bands([(112, 20)])
    yield from lintels(columns, 140, 60, 14)
    yield from windows(columns, 154, 38, 74)
    yield from row(OTHERS, columns, 228, 56, 15)
    yield from blinds((208,), 18, 38, 40)
    yield from row(OTHERS, (124,), 180, 3, 46)
    yield from row(BALCONY, (40,), 196, 78, 40)
    yield from row(WINDOW, (257,), 154, 14, 74)


def office_grid() -> Iterator[Polygon]:
    """Broad windows with hardly a wall between them, and panels under each."""
    columns = range(14, 256, 38)
    for top in (-6, 46, 98, 150):
        yield from row(OTHERS, columns, top + 31, 33, 15)
        yield from windows(columns, top, 33, 31)
    yield from row(OTHERS, (52, 128), 98, 30, 10)
    yield from bands([(199, 14)])
    yield from row(WINDOW, (45, 127, 209), 218, 70, 26)
    yield from row(OTHERS, (127,), 213, 26, 50)
    yield from bands([(247, 12)])


def corner_bays() -> Iterator[Polygon]:
    """Paired windows in dark surrounds, a gable over the middle pair, balconies cut by both borders."""
    pairs = (52, 124, 196)
    halves = [centre + side for centre in pairs for side in (-10, 10)]
    yield from bands([(-4, 44)])
    yield from row(FACADE, (124,), 12, 62, 36)
    yield from row(WINDOW, (112, 136), 20, 14, 22)
    yield from bands([(38, 9)])
    yield from lintels(pairs, 52, 52, 9)
    yield from row(OTHERS, pairs, 61, 46, 33)
    yield from row(WINDOW, halves, 62, 15, 32)
    yield from row(OTHERS, pairs, 94, 40, 13)
    yield from row(WINDOW, halves, 112, 15, 36)
    yield from bands([(101, 8), (150, 17)])
    yield from pillars(pairs, 110, 150, 4)
    yield from row(OTHERS, (124,), 136, 60, 40)
    yield from shuttered((16, 88, 160, 234), 176, 16, 36, 7)
    yield from windows((52, 196), 178, 20, 36, sill=5)
    yield from row(WINDOW, (114, 134), 178, 14, 36)
    yield from row(BALCONY, (10, 240), 198, 58, 21)
    yield from row(BALCONY, (124,), 142, 54, 21)
    yield from bands([(222, 7)])
    yield from row(WINDOW, (52, 124), 240, 34, 22)
    yield from row(OTHERS, (16, 88, 210), 236, 28, 28)


def grand_hotel() -> Iterator[Polygon]:
    """Balconies run the whole length of two storeys; every window stands between two small columns."""
    columns = (18, 59, 99, 140, 180, 221)
    yield from bands([(-4, 14)])
    yield from windows(columns, 17, 19, 29, sill=4)
    yield from bands([(52, 10)])
    yield from lintels(columns, 64, 30, 8)
    yield from windows(columns, 73, 20, 44)
    yield from pillars([c + side for c in columns for side in (-15, 15)], 70, 118, 5)
    yield from row(BALCONY, (124,), 103, 270, 19)
    yield from bands([(122, 11)])
    yield from lintels(columns, 137, 30, 8)
    yield from windows(columns, 146, 20, 44)
    yield from pillars([c + side for c in columns for side in (-15, 15)], 143, 192, 5)
    yield from row(BALCONY, (18, 59, 120, 180, 221), 178, 37, 17)
    yield from bands([(195, 14)])
    yield from row(OTHERS, (18, 59, 99, 180, 221), 217, 28, 46)
    yield from windows((140,), 217, 24, 46)
    yield from row(WINDOW, (59,), 217, 28, 6)


def shop_street() -> Iterator[Polygon]:
    """Street level: awnings, doors and shop windows that count as others, one storey of flats above."""
    yield from windows((28, 64, 118, 154, 208, 244), -6, 20, 32, sill=5)
    yield from bands([(45, 8)])
    yield from windows((28, 64, 118, 154, 208, 244), 64, 20, 39, sill=5)
    yield from row(BALCONY, (136,), 86, 66, 22)
    yield from bands([(122, 22)])
    yield from row(PILLAR, (6, 88, 184), 144, 11, 98)
    for left, width in ((14, 66), (98, 34), (192, 80)):
        yield box(OTHERS, left, 156, width, 88)
    yield from windows((155,), 160, 36, 62, sill=6)
    yield box(WINDOW, 20, 182, 24, 50)
    yield from bands([(240, 20)])


def narrow_house() -> Iterator[Polygon]:
    """One house of four bays, seen whole: beside it only the windows of its neighbours are marked."""
    bays = (58, 96, 140, 178)
    yield box(OTHERS, -4, -4, 268, 268)
    yield box(FACADE, 36, 30, 168, 206)
    yield box(FACADE, 92, 10, 54, 22)
    yield from windows((119,), 12, 16, 17)
    yield from bands([(28, 10), (88, 5), (170, 13)], left=33, right=207)
    for top in (50, 98, 142):
        yield from windows(bays, top, 18, 26, sill=4)
    yield from lintels(bays, 133, 26, 6)
    yield from row(BALCONY, (118,), 112, 68, 17)
    yield from row(OTHERS, (118,), 192, 26, 46)
    yield from windows((60, 176), 192, 32, 28, sill=6)
    yield from pillars((102, 135), 184, 236, 5)
    for top in (62, 108, 156, 204):
        yield from row(WINDOW, (8, 25), top, 10, 19)
    yield from row(WINDOW, (224, 247), 122, 13, 22)
    yield box(FACADE, 208, 64, 1, 170)


def far_terrace() -> Iterator[Polygon]:
    """A long front from far away: small windows in close order, a projecting middle, street and sky left over."""
    columns = (16, 33, 50, 78, 95, 112, 142, 159, 176, 204, 221, 238)
    yield from bands([(-4, 58), (222, 40)])
    yield from row(FACADE, (127,), 40, 80, 16)
    yield from row(OTHERS, (95, 127, 159), 44, 8, 10)
    for top, height in ((64, 17), (99, 21), (142, 22)):
        yield from windows(columns, top, 10, height, sill=2)
        yield from lintels(columns, top - 6, 14, 4)
    yield from bands([(86, 4), (172, 7)])
    yield from row(OTHERS, columns, 190, 11, 33)
    yield from windows((33, 78, 112, 176, 221), 188, 11, 20)
    yield from pillars((69, 86, 103, 134, 151, 168, 185), 94, 132, 3)
    yield from row(BALCONY, (95, 159), 116, 52, 9)
    yield from row(BALCONY, (33, 221), 158, 26, 9)
    yield from row(OTHERS, (64, 190), 58, 2, 166)


def mansion_block() -> Iterator[Polygon]:
    """A whole block of seven storeys, larger than any crop that the model was trained on."""
    columns, bays = (34, 74, 310, 350), (150, 192, 234)
    yield from bands([(-4, 40)])
    yield from row(FACADE, (74, 192, 310), 8, 44, 30)
    yield from windows((74, 192, 310), 12, 20, 24)
    for top in (58, 126, 196, 266, 336):
        yield from windows(columns, top, 21, 36, sill=5)
        yield from lintels(columns, top - 9, 30, 6)
        yield from windows(bays, top - 3, 21, 43)
        yield from row(BALCONY, (192,), top + 22, 124, 22)
    yield from bands([(110, 8), (384, 22)])
    yield from pillars((113, 271), 118, 392, 12)
    yield from blinds((74, 350), 266, 21, 24)
    for left, width in ((-4, 58), (66, 40), (122, 62), (204, 60), (280, 42), (334, 56)):
        yield box(OTHERS, left, 422, width, 74)
    yield from windows((86, 301), 432, 24, 34)
    yield from bands([(488, 30)])


def annotated(front: Callable[[], Iterator[Polygon]], size: tuple[int, int] = (256, 256)) -> Scene:
    """The scene that a person's boxes would give of ``front``; nobody hits an edge to the pixel."""
    return Scene(front.__name__, size, FACADE, lambda rng: shifted_sides(front(), rng))


SCENES = (
    annotated(plain_flats),
    annotated(stacked_balconies),
    annotated(palace),
    annotated(two_neighbours),
    annotated(under_open_sky),
    annotated(close_up),
    annotated(office_grid),
    annotated(corner_bays),
    annotated(grand_hotel),
    annotated(shop_street),
    annotated(narrow_house),
    annotated(far_terrace),
    annotated(mansion_block, size=(512, 384)),
)
