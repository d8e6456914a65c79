"""ADE20k scene parsing (Zhou et al., 2017): label map of 150 classes to photo."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pixelwise.data.layout import Folder, Layout
from pixelwise.data.paired_folder import FolderSpec, PairedFolder
from pixelwise.data.stored_set import StoredSet
from pixelwise.images import ImageSpec
from pixelwise.labels import LabelSpec

_NAMES = """
wall, building, sky, floor, tree, ceiling, road, bed, windowpane, grass, cabinet, sidewalk, person, earth, door, table,
mountain, plant, curtain, chair, car, water, painting, sofa, shelf, house, sea, mirror, rug, field, armchair, seat,
fence, desk, rock, wardrobe, lamp, bathtub, railing, cushion, base, box, column, signboard, chest of drawers, counter,
sand, sink, skyscraper, fireplace, refrigerator, grandstand, path, stairs, runway, case, pool table, pillow,
screen door, stairway, river, bridge, bookcase, blind, coffee table, toilet, flower, book, hill, bench, countertop,
stove, palm, kitchen island, computer, swivel chair, boat, bar, arcade machine, hovel, bus, towel, light, truck, tower,
chandelier, awning, streetlight, booth, television, airplane, dirt track, apparel, pole, land, bannister, escalator,
ottoman, bottle, buffet, poster, stage, van, ship, fountain, conveyer belt, canopy, washer, plaything, swimming pool,
stool, barrel, basket, waterfall, tent, bag, minibike, cradle, oven, ball, food, step, tank, trade name, microwave,
pot, animal, bicycle, lake, dishwasher, screen, blanket, sculpture, hood, sconce, vase, traffic light, tray, ashcan,
fan, pier, crt screen, plate, monitor, bulletin board, shower, radiator, glass, clock, flag
"""
LABELS = LabelSpec(names=tuple(name.strip() for name in _NAMES.split(",")), ids=tuple(range(1, 151)), ignore_id=0)
"""Ids 1..150; 0 is everything else, don't care."""

MIRRORED = FolderSpec(labels=LABELS, images={"image": ImageSpec(grey_as_colour=True)})


def _layout(root: Path, split: str) -> Layout:
    mirrored, name = MIRRORED.layout(root, split), {"train": "training", "val": "validation"}.get(split, split)
    if mirrored.is_there:
        return mirrored
    folders = {"label": Folder(root / "annotations" / name), "image": Folder(root / "images" / name)}
    return replace(mirrored, folders=folders)


ade20k = StoredSet(
    _layout, PairedFolder, splits=("train", "val"), signs=("images/validation", "annotations/validation")
)
"""Photos of many sizes, as published (``images/training/…``, ``annotations/training/…``) or mirrored.

Splits train (or training) and val (or validation).
"""
