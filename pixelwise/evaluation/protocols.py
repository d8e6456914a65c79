"""PROTOCOLS: the table of contents. One never changes once it has been used; a better one gets the next number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches

from pixelwise.data.ade20k import ade20k
from pixelwise.data.blur import GaussianBlur, MotionBlur
from pixelwise.data.bsd import bsd_color_under, bsd_gray_under
from pixelwise.data.camvid import camvid, camvid_labels
from pixelwise.data.cityscapes import TRAIN_LABELS, cityscapes
from pixelwise.data.degrade import Chain, Degrade, GaussianNoise
from pixelwise.data.facades import facades, facades_labels
from pixelwise.data.maps import maps, maps_to_photo
from pixelwise.data.nyu_depth import nyu_depth, nyu_photo
from pixelwise.data.stored_set import StoredSet
from pixelwise.errors import InputError
from pixelwise.evaluation.protocol import Protocol, digest, name_and_source
from pixelwise.metrics import DEPTH_METRICS
from pixelwise.metrics.fidelity import LEAST_SIDES

Size = tuple[int, int]


def protocol_named(name: str) -> Protocol:
    """One of ``PROTOCOLS``, or with ``-fromHEIGHTxWIDTH`` behind its name what ``Protocol.from_source`` makes of it.

    Raises InputError with the names that exist.
    """
    known, source = name_and_source(name)
    if known not in PROTOCOLS:
        near = get_close_matches(name, PROTOCOLS, n=1, cutoff=0.6)
        nearest = f"; did you mean {near[0]}?" if near else ""
        raise InputError(f"no protocol {name!r}{nearest}; there are {', '.join(PROTOCOLS)}")
    return PROTOCOLS[known] if source is None else PROTOCOLS[known].from_source(source)


_TEST_PICTURES = {
    "bsd68-gray": ("bsd68", "6e21300ca75205872610cc80968195a8268cce25d0424209337dfa32eed7d55d"),
    "set12-gray": ("set12", "7bfe05e0b6f6d85719eb133b716610df5ba64873d3bcbe2fb6d27fcd8cecc6a1"),
    "cbsd68-color": ("cbsd68", "c22f4cb74250bc703b61d57ba7a7cf0adbdcac59516796f2f213433102658e1a"),
}
"""Clean pictures to be restored: the split, and the digest of its names."""


def _restoring(pictures: str, task: str, degrade: Degrade, degraded: str) -> Protocol:
    split, names_digest = _TEST_PICTURES[pictures]
    return Protocol(
        name=f"{pictures}-{task}-v1",
        data=bsd_gray_under(degrade) if "gray" in pictures else bsd_color_under(degrade),
        split=split,
        names_digest=names_digest,
        measures=("psnr", "ssim"),
        rounded=False,
        text=f"{degraded}; results clipped, not rounded; whole pictures, no border left out",
        contents=split,
    )


def _denoising(pictures: str, sigma: int) -> Protocol:
    noise = f"white Gaussian noise of {sigma} grey levels, neither clipped nor rounded, drawn by picture (seed 0)"
    return _restoring(pictures, f"sigma{sigma}", GaussianNoise(sigma, sigma), noise)


def _deblurring(pictures: str, task: str, blur: Degrade, sigma: float, blurred: str) -> Protocol:
    return _restoring(
        pictures,
        f"{task}-sigma{sigma:g}",
        Chain((blur, GaussianNoise(sigma, sigma))),
        f"{blurred}, beyond its border a picture repeats its outermost pixels; then white Gaussian noise of {sigma:g} "
        "grey levels, neither clipped nor rounded; both drawn by picture (seed 0)",
    )


_NYU_DEPTH = Protocol(
    name="nyu-depth-val-v1",
    data=nyu_depth,
    split="val",
    names_digest="337aef43976fcbc31b7c2cc7cac8af2194bd9c69ddb524afaa21106d47b7c252",
    measures=tuple(DEPTH_METRICS),
    rounded=False,
    text=(
        "metric depth, compared as it is, without a scale fitted to the truth; each picture's mean over its measured "
        "pixels within the photos' white frame of 8 pixels; results clipped to 0..10 m, not rounded"
    ),
    contents="nyu-val",
)

_DENOISING = [_denoising(pictures, sigma) for sigma in (15, 25, 50) for pictures in _TEST_PICTURES]
_DEBLURRING = [
    protocol
    for pictures in ("bsd68-gray", "cbsd68-color")
    for protocol in (
        _deblurring(pictures, "gaussian1.6", GaussianBlur(1.6, 1.6), 2, "Gaussian blur of 1.6 pixels"),
        _deblurring(
            pictures, "motion5to15", MotionBlur(5, 15), 2.55, "straight motion of 5 to 15 pixels in any direction"
        ),
    )
]

_SETS = ("inception_published", "inception_clean")
LABELS = ("labels",)
PICTURES = ("psnr", "ssim", "vif", "l1", "lpips_alex", *_SETS)
PHOTOS_OF_LABELS = (*PICTURES, "segmentation", "segmenter_features", "seams_8", "seams_16")
_FACADES = "853ad7700a6655bbd5c5a16650b5b8b8b137935712d5319c868c1206107a6cd8"
_CAMVID = "76fa530e818b0bb8716bb9d9ebfdde4e908e8ee9c8850ff65af4e512bb233481"
_MAPS = "80664d45d89fcab93139ee54d5eba12586f13f4ea12e2716786b5b450646d763"
_CONTENTS = {_FACADES: "facades-mini-val", _CAMVID: "camvid-val", _MAPS: "maps-val", _NYU_DEPTH.names_digest: "nyu-val"}
"""Lists of what the samples' files hold, by the digest of their names; of other sets none was made."""
_ADE20K = digest(tuple(f"ADE_val_{number:08d}" for number in range(1, 2001)))


def _translating(
    name: str,
    data: StoredSet,
    names_digest: str,
    what: str,
    size: Size | None = None,
    measures: tuple[str, ...] = PHOTOS_OF_LABELS,
) -> Protocol:
    """Of the set's validation split; pictures are compared as files of 8 bits hold them."""
    large = ("ms_ssim",) if size is None or min(size) >= LEAST_SIDES["ms_ssim"] else ()
    sizes = "as they are" if size is None else f"brought to {size[0]}x{size[1]} (height x width)"
    return Protocol(
        name=name,
        data=data,
        split="val",
        names_digest=names_digest,
        measures=(*measures, *large),
        rounded=True,
        text=f"{what}, {sizes}; results clipped and rounded to 8 bits",
        size=size,
        contents=_CONTENTS.get(names_digest, ""),
    )


def _segmenting(name: str, data: StoredSet, names_digest: str) -> Protocol:
    text = "classes of photos, as they are; pixels without a class are not counted"
    contents = _CONTENTS.get(names_digest, "")
    return Protocol(name, data, "val", names_digest, LABELS, rounded=False, text=text, contents=contents)


_STREETS = "photos of streets from maps of 11 classes"
_ROOMS = "photos of rooms from maps of 39 classes"
_AERIAL = "maps from aerial photos"

_TRANSLATION = [
    _translating("facades-mini-val-v1", facades, _FACADES, "photos of house fronts from maps of 5 classes"),
    _translating("camvid-val-v1", camvid, _CAMVID, _STREETS),
    _translating("camvid-val-240x320-v1", camvid, _CAMVID, _STREETS, (240, 320)),
    _translating("camvid-val-128x160-v1", camvid, _CAMVID, _STREETS, (128, 160)),
    _translating("nyu-photo-val-v1", nyu_photo, _NYU_DEPTH.names_digest, _ROOMS),
    _translating("nyu-photo-val-128x128-v1", nyu_photo, _NYU_DEPTH.names_digest, _ROOMS, (128, 128)),
    _translating("maps-val-256x256-v1", maps, _MAPS, _AERIAL, (256, 256), PICTURES),
    _translating("maps-val-128x128-v1", maps, _MAPS, _AERIAL, (128, 128), PICTURES),
    _translating("maps-to-photo-val-256x256-v1", maps_to_photo, _MAPS, "aerial photos from maps", (256, 256), PICTURES),
    # The publisher's list of names was not at hand.
    replace(
        _translating("cityscapes-drn-v1", cityscapes, "", "photos of streets from maps of 35 classes", (256, 512)),
        judged=TRAIN_LABELS,
    ),
    _translating("ade20k-v1", ade20k, _ADE20K, "photos of scenes from maps of 150 classes", (256, 256)),
]
_SEGMENTATION = [
    _segmenting("facades-mini-labels-val-v1", facades_labels, _FACADES),
    _segmenting("camvid-labels-val-v1", camvid_labels, _CAMVID),
]

PROTOCOLS: Mapping[str, Protocol] = {
    protocol.name: protocol for protocol in (*_DENOISING, *_DEBLURRING, _NYU_DEPTH, *_TRANSLATION, *_SEGMENTATION)
}
