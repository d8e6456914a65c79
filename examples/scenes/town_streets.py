"""Seven invented streets between houses, as from behind the windscreen of a car."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from scenes.polygon import Polygon, Scene, box
from scenes.street_parts import (
    BICYCLIST,
    BUILDING,
    CAR,
    CAR_AT_AN_ANGLE,
    CAR_FROM_BEHIND,
    CYCLING_AWAY,
    CYCLING_PAST,
    FENCE,
    PAVEMENT,
    PEDESTRIAN,
    POLE,
    ROAD,
    SKY,
    STANDING,
    VAN_FROM_BEHIND,
    VOID,
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
    traced,
    tree,
)


def high_street(rng: Random) -> Iterator[Polygon]:
    """Two walls of shops run to a vanishing point left of the middle; shoppers on a broad pavement."""
    yield from foliage(((138, 122), (140, 96), (150, 90), (160, 95), (164, 122)), rng, reach=2)
    yield traced(VOID, ((146, 122), (147, 104), (153, 108), (156, 98), (160, 109), (166, 106), (166, 122)), rng)
    yield box(ROAD, 0, 120, 320, 120)
    yield from chimneys(((104, 16), (228, 12), (206, 44), (125, 50)), rng)
    left = ((97, -2), (103, 18), (110, 21), (112, 47), (122, 50), (124, 68), (131, 70), (133, 84), (141, 88))
    yield traced(BUILDING, ((-2, -2), *left, (143, 121), (-2, 176)), rng)
    right = ((238, -2), (226, 14), (227, 26), (206, 45), (205, 60), (190, 66), (186, 82), (172, 90), (163, 101))
    yield traced(BUILDING, ((322, -2), *right, (161, 121), (322, 158)), rng)
    yield traced(PAVEMENT, ((-2, 242), (28, 242), (118, 142), (148, 121), (134, 121), (-2, 168)), rng)
    yield traced(PAVEMENT, ((322, 178), (230, 140), (166, 121), (178, 121), (322, 153)), rng)
    yield from clutter(84, 128, 136, 13, rng)
    yield from clutter(178, 222, 129, 9, rng)
    yield from furniture(110, 148, 126, 16, rng)
    yield from furniture(170, 214, 127, 18, rng)
    yield from cars(((155, 126, 13), (172, 127, 14), (166, 123, 9)), CAR_FROM_BEHIND, rng)
    yield from cars(((316, 186, 72),), CAR_AT_AN_ANGLE, rng)
    yield from people(((40, 178, 52), (92, 148, 32), (101, 146, 30), (206, 134, 21), (213, 136, 24)), rng)
    yield from people(((121, 133, 18), (127, 130, 15), (131, 128, 13), (186, 128, 14), (268, 152, 38)), rng)
    yield from pole(74, 157, 160, 2, rng)
    yield from lamp(124, 130, 72, 5, rng)
    yield from lamp(248, 140, 96, -8, rng)
    yield from pole(196, 128, 34, 1, rng)
    yield from signs(((30, 52, 13, 12), (88, 70, 9, 8), (94, 84, 8, 10), (112, 92, 6, 5), (119, 99, 4, 6)), rng)
    yield from signs(((178, 96, 6, 8), (196, 92, 5, 9), (228, 76, 10, 22), (290, 20, 9, 14), (294, 88, 8, 10)), rng)
    yield from road_specks(130, 236, 320, rng)


def parked_terrace(rng: Random) -> Iterator[Polygon]:
    """A narrow street of terraced houses, cars parked down the left side, the bonnet in view."""
    yield from foliage(((140, 122), (144, 98), (158, 92), (176, 96), (180, 122)), rng, reach=2)
    yield traced(VOID, ((150, 122), (151, 110), (160, 107), (174, 109), (174, 122)), rng)
    yield box(ROAD, 0, 119, 320, 121)
    yield from chimneys(((80, 26), (108, 58), (236, 34), (198, 64), (176, 90)), rng)
    left = ((64, -2), (66, 20), (92, 28), (92, 44), (98, 44), (99, 54), (120, 60), (122, 78), (138, 84), (150, 98))
    yield traced(BUILDING, ((-2, -2), *left, (152, 122), (-2, 164)), rng)
    right = ((262, -2), (258, 10), (248, 6), (248, 22), (222, 42), (214, 44), (214, 52), (186, 72), (184, 86))
    yield traced(BUILDING, ((322, -2), *right, (172, 96), (170, 122), (322, 176)), rng)
    yield traced(PAVEMENT, ((322, 196), (212, 144), (176, 122), (170, 121), (322, 168)), rng)
    yield traced(PAVEMENT, ((-2, 178), (60, 152), (150, 122), (140, 121), (-2, 160)), rng)
    yield from furniture(108, 146, 124, 15, rng)
    yield from furniture(176, 204, 128, 16, rng)
    yield from clutter(190, 214, 132, 9, rng)
    yield from cars(((140, 128, 18), (130, 132, 24), (112, 142, 36)), CAR_FROM_BEHIND, rng)
    yield from cars(((80, 160, 74), (18, 196, 128)), CAR_AT_AN_ANGLE, rng)
    yield from cars(((170, 130, 18), (190, 138, 30)), CAR_FROM_BEHIND, rng)
    yield from people(((212, 148, 30), (252, 162, 44), (198, 140, 20)), rng)
    yield figure(BICYCLIST, CYCLING_AWAY, 152, 146, 34, rng)
    yield from lamp(226, 146, 112, -16, rng)
    yield from lamp(106, 132, 70, 8, rng)
    yield from signs(((36, 66, 12, 12), (70, 78, 9, 9), (196, 92, 7, 8), (236, 84, 9, 12), (284, 72, 12, 12)), rng)
    yield from bonnet(120, rng)
    yield from road_specks(150, 220, 320, rng)


def school_crossing(rng: Random) -> Iterator[Polygon]:
    """A corner shop and a crossing: beacons, walkers on both sides, a cyclist passing close on the left."""
    yield from foliage(((196, 122), (198, 96), (222, 86), (240, 78), (262, 92), (264, 122)), rng, reach=2)
    yield traced(VOID, ((216, 122), (217, 111), (246, 112), (246, 122)), rng)
    yield box(ROAD, 0, 120, 320, 120)
    yield from chimneys(((310, 22), (288, 50), (190, 34)), rng)
    right = ((322, 20), (302, 26), (300, 44), (276, 58), (262, 78), (258, 92), (240, 100))
    yield traced(BUILDING, (*right, (240, 122), (322, 134)), rng)
    left = ((176, -2), (180, 30), (196, 36), (200, 62), (214, 70), (216, 96), (222, 98), (222, 121), (120, 132))
    yield traced(BUILDING, ((-2, -2), *left, (-2, 150)), rng)
    near = ((-2, 188), (90, 172), (172, 148), (214, 124), (198, 121), (120, 128), (-2, 146))
    yield traced(PAVEMENT, near, rng)
    yield traced(PAVEMENT, ((322, 144), (262, 128), (236, 121), (262, 121), (322, 130)), rng)
    yield from clutter(160, 212, 126, 11, rng)
    yield from furniture(186, 224, 125, 16, rng)
    yield from furniture(254, 300, 127, 20, rng)
    yield from cars(((230, 126, 15), (244, 127, 18), (306, 136, 30)), CAR_FROM_BEHIND, rng)
    yield from people(((80, 158, 46), (104, 152, 40), (146, 142, 30), (156, 140, 29), (190, 132, 20)), rng)
    yield from people(((64, 162, 47), (206, 130, 16), (274, 134, 22), (286, 136, 25)), rng)
    yield figure(BICYCLIST, CYCLING_PAST, 34, 192, 74, rng)
    yield from pole(128, 160, 84, 2, rng)
    yield Polygon(POLE, blob(129, 74, 8, 8))
    yield from pole(250, 132, 52, 1, rng)
    yield from lamp(270, 126, 84, -9, rng)
    yield from signs(((52, 34, 12, 14), (104, 62, 9, 9), (160, 82, 20, 7), (186, 92, 6, 9), (282, 84, 6, 8)), rng)
    yield from road_specks(150, 236, 320, rng)


def facing_shops(rng: Random) -> Iterator[Polygon]:
    """Turning: the car faces a shop front square on, bollards before it and a cyclist in between."""
    yield box(ROAD, 0, 150, 320, 90)
    yield from foliage(((-6, -6), (44, -6), (38, 10), (14, 24), (-6, 26)), rng, reach=3)
    yield traced(BUILDING, ((-2, 20), (60, 14), (62, 8), (180, 2), (182, -2), (322, -2), (322, 160), (-2, 152)), rng)
    yield traced(PAVEMENT, ((-2, 141), (140, 146), (322, 150), (322, 172), (200, 164), (-2, 156)), rng)
    yield traced(VOID, ((228, 154), (228, 122), (246, 120), (247, 130), (262, 128), (270, 136), (272, 156)), rng)
    yield from clutter(272, 320, 158, 24, rng)
    yield from people(((70, 158, 52), (84, 156, 48), (186, 152, 44), (30, 148, 36)), rng)
    yield figure(BICYCLIST, CYCLING_PAST, 138, 172, 58, rng)
    for x, y in ((20, 160), (56, 163), (104, 165), (166, 168), (226, 171), (288, 174)):
        yield from pole(x, y, 20, 3, rng)
    yield from signs(((28, 56, 30, 9), (120, 46, 22, 12), (222, 34, 34, 14), (300, 96, 12, 18), (6, 84, 10, 12)), rng)
    yield from lamp(250, 168, 176, 6, rng)
    yield from road_specks(176, 236, 320, rng)


def traffic_queue(rng: Random) -> Iterator[Polygon]:
    """Held up behind a van and a bus where two roads meet; signals, a refuge, old houses with chimneys."""
    yield from foliage(((128, 122), (126, 92), (142, 80), (160, 84), (172, 94), (172, 122)), rng, reach=3)
    yield box(ROAD, 0, 120, 320, 120)
    yield from chimneys(((48, 24), (96, 60), (120, 86), (304, 20), (266, 28), (230, 48), (178, 88)), rng)
    left = ((-2, 10), (20, 14), (20, 6), (30, 6), (30, 20), (64, 26), (66, 48), (74, 42), (82, 52), (82, 58), (108, 64))
    yield traced(BUILDING, (*left, (110, 82), (130, 90), (132, 121), (-2, 140)), rng)
    right = ((322, 18), (294, 22), (284, 8), (276, 24), (252, 30), (242, 32), (242, 44), (220, 50), (206, 66))
    yield traced(BUILDING, (*right, (190, 70), (188, 84), (170, 92), (168, 121), (322, 132)), rng)
    yield traced(PAVEMENT, ((322, 158), (254, 144), (258, 138), (196, 122), (168, 120), (322, 130)), rng)
    yield traced(PAVEMENT, ((-2, 150), (72, 134), (136, 121), (-2, 136)), rng)
    yield from clutter(208, 304, 130, 11, rng)
    yield from furniture(166, 250, 128, 18, rng)
    yield from furniture(60, 128, 128, 17, rng)
    yield from cars(((148, 128, 20), (172, 126, 14)), CAR_FROM_BEHIND, rng)
    yield from cars(((126, 142, 34),), VAN_FROM_BEHIND, rng)
    yield traced(CAR, ((10, 160), (8, 86), (14, 74), (50, 74), (58, 82), (60, 154), (52, 164), (18, 166)), rng)
    yield from cars(((96, 196, 82),), CAR_FROM_BEHIND, rng)
    yield from cars(((186, 138, 34),), CAR_AT_AN_ANGLE, rng)
    yield from people(((232, 138, 26), (240, 138, 28), (276, 142, 30), (212, 132, 19), (303, 142, 30)), rng)
    yield figure(BICYCLIST, CYCLING_AWAY, 66, 162, 48, rng)
    for x, y, height in ((74, 142, 82), (160, 128, 46), (222, 140, 70), (262, 146, 56), (288, 140, 96)):
        yield from pole(x, y, height, 2 if height > 60 else 1, rng)
    yield from lamp(110, 130, 96, 12, rng)
    yield from signs(((70, 58, 8, 16), (157, 84, 6, 10), (219, 70, 7, 14), (259, 92, 7, 12), (40, 50, 14, 10)), rng)
    yield from signs(((284, 60, 12, 11), (306, 84, 9, 9), (200, 100, 6, 6)), rng)
    yield from pole(254, 152, 16, 3, rng)
    yield from road_specks(150, 236, 320, rng)


def station_road(rng: Random) -> Iterator[Polygon]:
    """A broad pavement with leaning bicycles, people going home, an island with bollards, a church far off."""
    yield traced(VOID, ((176, 120), (176, 92), (181, 88), (184, 62), (187, 88), (192, 92), (192, 120)), rng, 0.4)
    yield from foliage(((142, 120), (140, 98), (156, 90), (170, 96), (176, 120)), rng, reach=2)
    crown = ((196, 122), (194, 92), (208, 72), (214, 44), (236, 22), (244, -6), (326, -6), (326, 120))
    yield from foliage(crown, rng, reach=4)
    yield box(ROAD, 0, 120, 320, 120)
    left = ((118, -2), (122, 30), (128, 30), (129, 62), (142, 68), (144, 94), (150, 98))
    yield traced(BUILDING, ((-2, -2), *left, (150, 120), (-2, 152)), rng)
    yield traced(BUILDING, ((322, 82), (250, 98), (246, 116), (200, 116), (200, 122), (322, 140)), rng)
    yield traced(PAVEMENT, ((-2, 242), (42, 242), (116, 164), (170, 122), (148, 120), (-2, 148)), rng)
    yield traced(PAVEMENT, ((322, 162), (236, 132), (190, 121), (210, 121), (322, 138)), rng)
    for x in (8, 30, 50):
        yield traced(VOID, blob(x, 152, 20, 24), rng, 1.5)
    yield from clutter(-4, 62, 160, 22, rng)
    yield from clutter(196, 250, 128, 9, rng)
    yield from furniture(120, 156, 128, 18, rng)
    yield from furniture(206, 250, 130, 18, rng)
    yield from cars(((180, 126, 15), (166, 125, 12), (208, 132, 26)), CAR_FROM_BEHIND, rng)
    yield from cars(((264, 174, 92),), CAR_AT_AN_ANGLE, rng)
    yield figure(PEDESTRIAN, STANDING, 92, 166, 68, rng)
    yield from people(((124, 144, 34), (130, 143, 33), (140, 136, 24), (68, 156, 44), (306, 146, 32)), rng)
    yield figure(BICYCLIST, CYCLING_AWAY, 158, 146, 36, rng)
    yield figure(BICYCLIST, CYCLING_AWAY, 150, 138, 26, rng)
    yield traced(PAVEMENT, ((184, 158), (196, 152), (226, 158), (222, 166), (196, 168)), rng)
    yield from pole(200, 162, 18, 4, rng)
    yield from pole(36, 170, 172, 3, rng)
    yield from lamp(232, 132, 108, -12, rng)
    yield from signs(((32, 60, 8, 9), (94, 22, 14, 24), (136, 92, 6, 7), (118, 84, 7, 8), (284, 100, 12, 10)), rng)
    yield from road_specks(170, 236, 320, rng)


def boulevard(rng: Random) -> Iterator[Polygon]:
    """Twice as wide as a video frame: two carriageways, a planted middle, houses at both ends."""
    yield from foliage(((258, 132), (256, 104), (280, 94), (322, 88), (350, 98), (398, 100), (400, 132)), rng)
    yield box(ROAD, 0, 128, 640, 128)
    yield from chimneys(((110, 22), (176, 56), (224, 84), (600, 2), (480, 44), (440, 78)), rng)
    left = ((64, 12), (64, 2), (76, 2), (78, 16), (148, 28), (150, 48), (200, 60), (202, 78), (246, 88), (262, 104))
    yield traced(BUILDING, ((-2, 6), *left, (264, 132), (-2, 160)), rng)
    right = ((556, 22), (520, 30), (512, 20), (504, 34), (462, 48), (460, 70), (416, 82), (396, 104), (394, 132))
    yield traced(BUILDING, ((642, -2), (560, -2), *right, (642, 166)), rng)
    yield traced(PAVEMENT, ((-2, 190), (150, 158), (266, 131), (-2, 154)), rng)
    yield traced(PAVEMENT, ((642, 200), (500, 160), (392, 131), (642, 160)), rng)
    yield traced(PAVEMENT, ((276, 190), (312, 140), (330, 140), (352, 190), (316, 200)), rng)
    yield from clutter(30, 100, 156, 18, rng)
    yield from clutter(484, 560, 154, 16, rng)
    yield from furniture(180, 262, 136, 20, rng)
    yield from furniture(400, 480, 138, 22, rng)
    for x, y, height, width in ((96, 156, 128, 92), (206, 142, 70, 44), (312, 168, 104, 84), (448, 144, 92, 50)):
        yield from tree(x, y, height, width, rng)
    yield from tree(586, 166, 150, 88, rng)
    yield from cars(((262, 140, 26), (238, 148, 38), (376, 138, 22), (398, 146, 36)), CAR_FROM_BEHIND, rng)
    yield from cars(((170, 186, 84), (474, 190, 90)), CAR_AT_AN_ANGLE, rng)
    yield from cars(((416, 158, 44),), VAN_FROM_BEHIND, rng)
    yield from people(((60, 172, 48), (74, 170, 46), (140, 158, 34), (228, 140, 20), (430, 142, 22)), rng)
    yield from people(((530, 164, 40), (246, 136, 16), (310, 168, 34)), rng)
    yield figure(BICYCLIST, CYCLING_AWAY, 216, 166, 44, rng)
    yield from lamp(182, 156, 120, 14, rng)
    yield from lamp(500, 160, 132, -15, rng)
    yield from signs(((22, 60, 14, 12), (156, 84, 10, 9), (240, 108, 6, 7), (412, 100, 8, 10), (512, 74, 12, 13)), rng)
    yield traced(FENCE, ((596, 148), (642, 152), (642, 172), (596, 164)), rng)
    yield from road_specks(150, 250, 640, rng)


FRAME = (240, 320)

SCENES = (
    Scene("high_street", FRAME, SKY, high_street),
    Scene("parked_terrace", FRAME, SKY, parked_terrace),
    Scene("school_crossing", FRAME, SKY, school_crossing),
    Scene("facing_shops", FRAME, SKY, facing_shops),
    Scene("traffic_queue", FRAME, SKY, traffic_queue),
    Scene("station_road", FRAME, SKY, station_road),
    Scene("boulevard", (256, 640), SKY, boulevard),
)
