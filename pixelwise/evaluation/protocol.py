"""What a figure means: on which pictures, made how, compared how. The same weights score up to 0.6 dB apart where that
is left open (clipped or rounded noise, rounded results, another draw).

A protocol never changes once it has been used; a better one gets the next number.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pixelwise.condition import Condition
from pixelwise.data.augment import resized
from pixelwise.data.blur import GaussianBlur, MotionBlur
from pixelwise.data.bsd import bsd_color_under, bsd_gray_under
from pixelwise.data.degrade import Chain, Degrade, GaussianNoise
from pixelwise.data.nyu_depth import nyu_depth
from pixelwise.data.paired_data import PairedData
from pixelwise.data.stored_set import StoredSet
from pixelwise.errors import InputError
from pixelwise.metrics import DEPTH_METRICS


@dataclass(frozen=True)
class Protocol:
    """A measurement that can be repeated.

    Attributes:
        name: with its version.
        data: the set.
        split: of the set.
        names_digest: SHA-256 of the samples' names, one a line, in order.
        metrics: names of ``metrics_of`` the targets.
        rounded: whether pictures are rounded to what a file would hold before they are compared; they are clipped to
            the range of the targets in any case.
        text: the rest, for people.
        source_size: (height, width) that conditions are reduced to, and enlarged from again, before a model reads them;
            None to leave them. See ``from_source``.
    """

    name: str
    data: StoredSet
    split: str
    names_digest: str
    metrics: tuple[str, ...]
    rounded: bool
    text: str
    source_size: tuple[int, int] | None = None

    def from_source(self, size: tuple[int, int]) -> Protocol:
        """The same measurement of what models make of less: targets stay as they are, conditions lose their detail.

        It is MSG U-Net's ablation (Laxman et al., 2021, Sec. 3.2, Tables 2 and 3). The networks are the same, and any
        family's may be asked: so it is no option of a model, but another protocol, with a name of its own.

        Args:
            size: (height, width) of the conditions that the models' are enlarged from.
        """
        sides = "x".join(map(str, size))
        text = f"{self.text}; inputs reduced to {sides} (height x width) and enlarged again, ids by nearest neighbour"
        return replace(self, name=f"{self.name}-from{sides}", text=text, source_size=size)

    def shown(self, condition: Condition) -> Condition:
        """What a model is shown of a sample. Raises InputError for a condition that is smaller than the source size."""
        if self.source_size is None:
            return condition
        if any(side < wanted for side, wanted in zip(condition.size, self.source_size, strict=True)):
            raise InputError(
                f"{self.name}: inputs of (height, width) {condition.size} cannot be reduced to {self.source_size}"
            )
        return resized(resized(condition, self.source_size), condition.size)

    def open(self, root: Path) -> PairedData:
        """The samples, in order.

        Args:
            root: where the data set lies.

        Raises:
            InputError: they are not there, or not the protocol's.
        """
        samples = self.data(root, self.split)
        if (found := digest(samples.names)) != self.names_digest:
            first, last = samples.names[0], samples.names[-1]
            raise InputError(
                f"{root}: the {len(samples)} pictures of split {self.split}, {first} to {last}, are not those of "
                f"{self.name}: the digest of their names is {found[:12]}, expected {self.names_digest[:12]}"
            )
        return samples


def digest(names: tuple[str, ...]) -> str:
    """SHA-256 of names, one a line."""
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


def protocol_named(name: str) -> Protocol:
    """One of ``PROTOCOLS``, or with ``-fromHEIGHTxWIDTH`` behind its name what ``Protocol.from_source`` makes of it.

    Raises InputError with the names that exist.
    """
    if name in PROTOCOLS:
        return PROTOCOLS[name]
    match = re.fullmatch(r"(.+)-from([1-9]\d*)x([1-9]\d*)", name)
    if match is None or match[1] not in PROTOCOLS:
        raise InputError(f"no protocol {name!r}; there are {', '.join(PROTOCOLS)}")
    return PROTOCOLS[match[1]].from_source((int(match[2]), int(match[3])))


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
        metrics=("psnr", "ssim"),
        rounded=False,
        text=f"{degraded}; results clipped, not rounded; whole pictures, no border left out",
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
    metrics=tuple(DEPTH_METRICS),
    rounded=False,
    text=(
        "metric depth, compared as it is, without a scale fitted to the truth; each picture's mean over its measured "
        "pixels within the photos' white frame of 8 pixels; results clipped to 0..10 m, not rounded"
    ),
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

PROTOCOLS: Mapping[str, Protocol] = {protocol.name: protocol for protocol in (*_DENOISING, *_DEBLURRING, _NYU_DEPTH)}
