"""FID and KID, others with each way to reduce pictures; real pictures' statistics, for where these are not at hand."""

from __future__ import annotations

from pathlib import Path

from pixelwise.data.paired_data import PairedData
from pixelwise.device import find_device
from pixelwise.errors import InputError
from pixelwise.evaluation.distances import Features, distances, real_sets
from pixelwise.evaluation.measure import Measure
from pixelwise.evaluation.setting import Setting, UnavailableError, check_channels
from pixelwise.metrics import inception
from pixelwise.metrics.frechet import FeatureStatistics, read_statistics, write_statistics


def inception_distances(reduction: str, setting: Setting, samples: PairedData) -> Measure:
    """Of features of pictures that are reduced so."""
    check_channels(samples, 1, 3)
    statistics = _statistics(setting, reduction)
    names = f"fid_{reduction}", f"kid_{reduction}"
    return distances(_kind(reduction), names, _network(reduction, setting), real_sets(setting, samples), statistics)


def write_real_statistics(setting: Setting, folder: Path) -> list[Path]:
    """Writes what a FID needs to know of the real pictures under a protocol: elsewhere these need not be at hand then.

    Returns:
        A file for each split that is there and each way to reduce pictures: ``PROTOCOL-SPLIT-inception-clean.npz``.

    Raises:
        InputError: a protocol without a FID, Inception's weights or real pictures that are not at hand, or such files
            that are there already.
        OSError: disk full or no permission.
    """
    reductions = [name for name in inception.REDUCTIONS if _measure(name) in setting.protocol.measures]
    if not reductions:
        raise InputError(f"{setting.protocol.name} has no FID that statistics could be for")
    try:
        samples = setting.protocol.open(setting.root)
        check_channels(samples, 1, 3)
        sets = real_sets(setting, samples)
    except UnavailableError as error:
        raise InputError(f"{setting.root}: {error}") from error
    named = {
        folder / f"{setting.protocol.name}-{real.name}-{_kind(reduction)}.npz": (real, reduction)
        for reduction in reductions
        for real in sets
    }
    folder.mkdir(parents=True, exist_ok=True)
    if there := [path for path in named if path.exists()]:
        raise InputError(f"{there[0]}: is there already; name another folder")
    networks = {reduction: _network(reduction, setting) for reduction in reductions}
    for path, (real, reduction) in named.items():
        write_statistics(path, real.statistics(_kind(reduction), networks[reduction]))
    return [*named]


def check_statistics(setting: Setting) -> None:
    """Raises InputError for statistics that were given and cannot be read, or that nothing is compared with."""
    if setting.statistics is None:
        return
    reduction, _ = _given(setting.statistics)
    if _measure(reduction) not in setting.protocol.measures:
        raise InputError(
            f"{setting.statistics}: statistics of {_kind(reduction)}, which {setting.protocol.name} measures no "
            "distance of"
        )


def _statistics(setting: Setting, reduction: str) -> FeatureStatistics | None:
    """Those that were given, if they are of features of pictures reduced so."""
    if setting.statistics is None:
        return None
    theirs, found = _given(setting.statistics)
    return found if theirs == reduction else None


def _given(path: Path) -> tuple[str, FeatureStatistics]:
    """Statistics, and how the pictures were reduced that they are of; such as do not say are as published."""
    found, kinds = read_statistics(path), {_kind(reduction): reduction for reduction in inception.REDUCTIONS}
    if found.features not in ("", *kinds) or found.dimensions != inception.NUM_FEATURES:
        raise InputError(
            f"{path}: statistics of {found.dimensions} features {found.features!r}, expected "
            f"{inception.NUM_FEATURES} of {' or '.join(kinds)}"
        )
    return kinds[found.features or _kind("published")], found


def _kind(reduction: str) -> str:
    return f"inception-{reduction}"


def _measure(reduction: str) -> str:
    """Its name among ``MEASURES``."""
    return f"inception_{reduction}"


def _network(reduction: str, setting: Setting) -> Features:
    """What finds the features, where networks run."""
    file, device = setting.at_hand(inception.WEIGHTS), find_device(setting.device)
    network = inception.load_inception(inception.REDUCTIONS[reduction], file, setting.download).to(device)
    return lambda pictures: network(pictures.to(device))
