"""Six invented roads among trees and car parks, as from behind the windscreen of a car."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from scenes.polygon import Polygon, Scene, box
from scenes.street_parts import (
    BICYCLIST,
    BUILDING,
    CAR_AT_AN_ANGLE,
    CAR_FROM_BEHIND,
    CAR_FROM_THE_SIDE,
    CYCLING_AWAY,
    FENCE,
    PAVEMENT,
    ROAD,
    SKY,
    TREE,
    VAN_FROM_BEHIND,
    VOID,
    bare_tree,
    blob,
    bonnet,
    cars,
    chimneys,
    clutter,
    figure,
    foliage,
    furniture,
    lamp,
    people,
    pole,
    road_specks,
    signs,
    sprinkled,
    traced,
    tree,
)


def car_park(rng: Random) -> Iterator[Polygon]:
    """A car park under a great tree in leaf and a bare one; a low wall of houses closes it."""
    yield from bare_tree(52, 108, 116, 128, rng)
    yield traced(BUILDING, ((-2, 84), (66, 86), (66, 90), (178, 94), (322, 104), (322, 128), (-2, 128)), rng)
    crown = ((150, 108), (140, 92), (146, 76), (142, 48), (154, 30), (150, -6), (326, -6), (326, 110), (216, 110))
    yield from foliage(crown, rng, reach=4)
    gap = blob(262, 60, 18, 26)
    yield traced(SKY, gap, rng, 3.0)
    yield from sprinkled(TREE, gap, rng, 1.5, 4)
    yield from sprinkled(SKY, gap, rng, 0.9, 5)
    yield from sprinkled(VOID, gap, rng, 0.3, 5)
    for x in (196, 232, 246, 292):
        yield traced(TREE, ((x, 126), (x, 108), (x + 5, 108), (x + 4, 126)), rng)
    yield box(ROAD, 0, 124, 320, 116)
    yield from clutter(96, 150, 126, 9, rng)
    yield from cars(((270, 134, 30), (176, 128, 18)), VAN_FROM_BEHIND, rng)
    yield from cars(((92, 132, 48), (20, 146, 82), (206, 132, 48)), CAR_AT_AN_ANGLE, rng)
    yield from cars(((132, 138, 34), (154, 128, 20), (224, 134, 24)), CAR_FROM_BEHIND, rng)
    yield from cars(((300, 150, 88), (250, 146, 84)), CAR_FROM_THE_SIDE, rng)
    yield from cars(((296, 164, 110),), CAR_AT_AN_ANGLE, rng)
    yield from people(((114, 146, 40), (178, 128, 16), (66, 130, 16)), rng)
    yield from pole(140, 118, 92, 1, rng)
    yield from signs(((137, 96, 5, 6), (166, 106, 4, 5), (288, 108, 6, 6)), rng)
    yield traced(VOID, ((-2, 150), (14, 150), (16, 168), (8, 169), (8, 180), (5, 180), (5, 170), (-2, 172)), rng)
    yield from road_specks(150, 236, 320, rng)


def roundabout(rng: Random) -> Iterator[Polygon]:
    """The approach to a roundabout on the edge of town: hedges, woods, kerbed islands and much road."""
    yield from bare_tree(100, 116, 86, 70, rng)
    yield from bare_tree(214, 112, 96, 84, rng)
    yield from bare_tree(298, 112, 100, 76, rng)
    wood = ((-6, 62), (20, 58), (46, 72), (66, 68), (90, 74), (118, 66), (150, 76), (176, 68), (208, 62))
    yield from foliage(((-6, 130), *wood, (240, 66), (262, 52), (296, 60), (326, 44), (326, 130)), rng, reach=4)
    yield box(ROAD, 0, 120, 320, 120)
    yield traced(BUILDING, ((-2, 90), (58, 93), (60, 98), (86, 104), (86, 120), (-2, 122)), rng)
    yield traced(VOID, ((-2, 101), (60, 104), (70, 110), (78, 122), (-2, 124)), rng)
    yield traced(TREE, ((196, 118), (322, 114), (322, 122), (196, 123)), rng)
    yield traced(VOID, ((196, 121), (322, 119), (322, 121), (196, 123)), rng, 0.5)
    yield traced(PAVEMENT, ((80, 130), (104, 126), (196, 127), (206, 131), (150, 135), (88, 135)), rng)
    yield traced(VOID, ((324, 158), (310, 162), (300, 172), (298, 188), (306, 204), (324, 218)), rng, 0.6)
    yield traced(TREE, ((324, 158), (314, 163), (304, 174), (303, 187), (311, 200), (324, 209)), rng, 0.6)
    yield from furniture(2, 60, 126, 14, rng)
    yield from furniture(88, 150, 128, 16, rng)
    yield from cars(((176, 126, 38),), CAR_FROM_THE_SIDE, rng)
    yield from cars(((36, 129, 18), (12, 128, 16), (118, 124, 14)), CAR_FROM_BEHIND, rng)
    yield from pole(158, 130, 134, 2, rng)
    yield from lamp(88, 128, 74, -10, rng)
    yield from lamp(262, 120, 62, 8, rng)
    yield traced(PAVEMENT, ((102, 132), (102, 117), (107, 117), (107, 132)), rng, 0.5)
    yield from signs(((66, 104, 14, 22), (8, 110, 4, 5), (84, 108, 5, 6), (236, 104, 6, 9)), rng)
    yield from people(((218, 122, 12),), rng)
    yield from road_specks(136, 236, 320, rng)


def filling_station(rng: Random) -> Iterator[Polygon]:
    """A filling station, its canopy void, behind a tall price board; a hedge bends round the exit."""
    yield from bare_tree(250, 118, 96, 80, rng)
    yield from bare_tree(30, 118, 92, 72, rng)
    yield from foliage(((-6, 126), (-6, 80), (40, 74), (76, 84), (170, 78), (322, 84), (322, 126)), rng, reach=4)
    yield box(ROAD, 0, 122, 320, 118)
    yield traced(BUILDING, ((206, 94), (322, 90), (322, 125), (206, 124)), rng)
    canopy = ((44, 68), (190, 58), (210, 66), (211, 76), (198, 80), (196, 128), (58, 128), (57, 84), (42, 80))
    yield traced(VOID, canopy, rng)
    yield traced(BUILDING, ((88, 96), (150, 94), (150, 122), (112, 124), (110, 112), (88, 112)), rng)
    yield from clutter(206, 322, 126, 9, rng)
    yield from furniture(206, 318, 127, 18, rng)
    yield from cars(((76, 130, 34), (170, 131, 38)), CAR_AT_AN_ANGLE, rng)
    yield from cars(((120, 132, 24), (222, 130, 22), (246, 129, 20), (268, 128, 18)), CAR_FROM_BEHIND, rng)
    yield traced(VOID, ((214, 150), (208, 168), (232, 182), (322, 191), (322, 172), (240, 166)), rng)
    hedge = ((326, 130), (286, 126), (240, 131), (216, 142), (212, 156), (224, 168), (258, 175), (326, 178))
    yield traced(TREE, hedge, rng, 1.5)
    yield traced(PAVEMENT, ((-2, 136), (60, 130), (88, 131), (70, 137), (-2, 146)), rng)
    yield from people(((146, 130, 20), (20, 136, 24)), rng)
    yield from pole(292, 150, 100, 2, rng)
    yield from signs(((280, -2, 22, 62), (100, 104, 10, 24), (232, 100, 7, 14), (30, 100, 8, 22), (4, 112, 6, 9)), rng)
    yield from lamp(8, 134, 96, 12, rng)
    yield traced(FENCE, ((40, 118), (58, 118), (58, 128), (40, 128)), rng)
    yield from road_specks(150, 236, 320, rng)


def avenue(rng: Random) -> Iterator[Polygon]:
    """Old trees on both sides meet over garden walls; a cyclist ahead, a walker on the left."""
    yield traced(BUILDING, ((118, 124), (120, 100), (140, 94), (150, 100), (186, 98), (186, 124)), rng)
    yield traced(VOID, ((128, 124), (130, 112), (150, 108), (184, 112), (184, 124)), rng)
    left = ((-6, -6), (112, -6), (104, 16), (120, 34), (116, 60), (134, 82), (138, 112), (116, 124))
    yield from foliage(((-6, 132), *left), rng, reach=4)
    right = ((326, -6), (216, -6), (222, 20), (198, 42), (200, 68), (184, 84), (172, 112), (196, 124))
    yield from foliage(((326, 140), *right), rng, reach=4)
    yield box(ROAD, 0, 122, 320, 118)
    yield traced(BUILDING, ((-2, 116), (60, 119), (124, 118), (126, 126), (-2, 158)), rng)
    yield traced(BUILDING, ((322, 70), (292, 74), (288, 66), (270, 86), (268, 122), (322, 130)), rng)
    yield from foliage(((326, 60), (296, 64), (300, 84), (326, 92)), rng, reach=3)
    yield traced(VOID, ((72, 118), (90, 113), (126, 116), (128, 124), (72, 134)), rng, 1.5)
    yield traced(FENCE, ((214, 118), (322, 122), (322, 154), (214, 130)), rng)
    yield traced(PAVEMENT, ((-2, 196), (74, 152), (136, 124), (126, 123), (-2, 156)), rng)
    yield traced(PAVEMENT, ((322, 184), (236, 144), (182, 124), (192, 124), (322, 152)), rng)
    yield from furniture(96, 140, 127, 16, rng)
    yield from furniture(176, 214, 128, 16, rng)
    yield from cars(((176, 128, 18), (194, 134, 28)), CAR_FROM_BEHIND, rng)
    yield from cars(((228, 146, 54),), CAR_AT_AN_ANGLE, rng)
    yield from cars(((142, 128, 14),), VAN_FROM_BEHIND, rng)
    yield figure(BICYCLIST, CYCLING_AWAY, 124, 142, 30, rng)
    yield from people(((58, 162, 42), (104, 140, 24), (110, 138, 22)), rng)
    yield from lamp(96, 144, 112, 14, rng)
    yield from lamp(212, 132, 78, -10, rng)
    yield from signs(((250, 78, 9, 26), (118, 100, 4, 6), (184, 104, 4, 6)), rng)
    yield from pole(254, 136, 34, 1, rng)
    yield from bonnet(150, rng)


def railway_fence(rng: Random) -> Iterator[Polygon]:
    """Beside the railway: a long fence on the right, allotment trees, lamps at even distances."""
    yield from bare_tree(84, 120, 92, 72, rng)
    yield from foliage(((-6, 124), (-6, 40), (24, 30), (52, 48), (70, 66), (92, 80), (100, 124)), rng, reach=4)
    yield from chimneys(((90, 88), (124, 92), (176, 96), (222, 82), (276, 76), (310, 66)), rng)
    far_houses = ((70, 92), (96, 84), (104, 84), (128, 92), (138, 102), (138, 120), (70, 122))
    yield traced(BUILDING, far_houses, rng)
    near_houses = ((152, 120), (156, 98), (200, 92), (214, 82), (262, 76), (322, 62), (322, 130), (160, 122))
    yield traced(BUILDING, near_houses, rng)
    yield from foliage(((232, 120), (230, 98), (244, 82), (260, 94), (262, 122)), rng, reach=2)
    yield from foliage(((284, 126), (282, 92), (300, 78), (326, 84), (326, 130)), rng, reach=3)
    yield box(ROAD, 0, 120, 320, 120)
    yield traced(FENCE, ((158, 114), (322, 118), (322, 172), (230, 138), (160, 121)), rng)
    yield traced(PAVEMENT, ((322, 206), (236, 154), (152, 120), (160, 120), (230, 137), (322, 170)), rng)
    yield traced(VOID, ((-2, 112), (60, 108), (76, 113), (110, 112), (140, 110), (142, 120), (-2, 130)), rng, 1.5)
    yield traced(PAVEMENT, ((-2, 148), (60, 134), (142, 120), (130, 119), (-2, 128)), rng)
    yield from furniture(64, 146, 126, 20, rng)
    yield from cars(((134, 126, 17), (148, 123, 11)), CAR_FROM_BEHIND, rng)
    yield from cars(((40, 162, 96),), CAR_AT_AN_ANGLE, rng)
    yield from cars(((106, 134, 26),), VAN_FROM_BEHIND, rng)
    yield from people(((226, 146, 34), (187, 130, 15)), rng)
    for x, y, height in ((268, 162, 140), (208, 140, 84), (182, 131, 56), (168, 126, 36), (160, 123, 24)):
        yield from lamp(x, y, height, -height / 9, rng)
    yield from lamp(74, 132, 88, 10, rng)
    yield from signs(((180, 100, 5, 6), (76, 92, 6, 8), (22, 88, 8, 12)), rng)
    yield from road_specks(136, 236, 320, rng)


def office_corner(rng: Random) -> Iterator[Polygon]:
    """A junction before a plain office block; trees stand free in front of it, parked cars behind a rail."""
    block = ((-2, 82), (92, 76), (96, 14), (150, 8), (262, 4), (264, 92), (322, 96), (322, 138), (-2, 134))
    yield traced(BUILDING, block, rng)
    yield box(ROAD, 0, 130, 320, 110)
    yield from tree(46, 132, 118, 94, rng)
    yield from tree(132, 132, 66, 34, rng)
    yield from bare_tree(302, 134, 112, 70, rng)
    yield from clutter(4, 90, 130, 12, rng)
    yield from cars(((92, 136, 44), (178, 138, 48)), CAR_FROM_THE_SIDE, rng)
    yield from cars(((34, 138, 54), (236, 140, 60), (290, 144, 50)), CAR_AT_AN_ANGLE, rng)
    yield traced(FENCE, ((-2, 134), (120, 136), (226, 140), (322, 148), (322, 168), (180, 152), (-2, 146)), rng)
    yield traced(PAVEMENT, ((-2, 144), (180, 151), (322, 166), (322, 182), (190, 160), (-2, 152)), rng)
    yield from people(((150, 154, 30), (20, 146, 26), (28, 146, 27)), rng)
    yield from lamp(112, 150, 124, -14, rng)
    yield from pole(214, 158, 40, 2, rng)
    yield from signs(((210, 112, 10, 10), (240, 30, 14, 8), (106, 96, 7, 9), (70, 116, 6, 8)), rng)
    yield from road_specks(170, 236, 320, rng)


FRAME = (240, 320)

SCENES = (
    Scene("car_park", FRAME, SKY, car_park),
    Scene("roundabout", FRAME, SKY, roundabout),
    Scene("filling_station", FRAME, SKY, filling_station),
    Scene("avenue", FRAME, SKY, avenue),
    Scene("railway_fence", FRAME, SKY, railway_fence),
    Scene("office_corner", FRAME, SKY, office_corner),
)
