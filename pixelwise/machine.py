"""The machine that something runs on, and the versions it runs with: what must be said beside every measurement."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from datetime import datetime, timezone
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from PIL import features

from pixelwise.version import VERSION

_CONTROL_GROUP = Path("/sys/fs/cgroup")
_COMPUTING = ("numpy", "torchmetrics", "pillow", "tifffile")
"""Packages besides torch that figures and pictures go through."""


def circumstances(device: str = "cpu") -> dict[str, Any]:
    """What a reader must know of any measurement made here and now, on ``device``, in what JSON can hold."""
    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions(),
        "threads": torch.get_num_threads(),
        "device": device,
    }


def circumstances_text(found: Mapping[str, Any]) -> str:
    """What ``circumstances`` found, in a sentence. Raises KeyError where something of it is missing."""
    host, versions = found["machine"], found["versions"]
    gpu = "" if found["device"] == "cpu" else f"{found['device']}: {', '.join(host['gpus'])}; "
    return (
        f"{gpu}{host['cpu']} ({host['instructions']}), {host['cores']} cores, {host['memory_gib']} GiB; "
        f"{threads_text(found['threads'])}; torch {versions['torch']}, "
        f"pixelwise {versions['pixelwise']}; {found['date']}."
    )


def threads_text(count: int) -> str:
    return f"{count} thread{'s' * (count != 1)}"


def machine() -> dict[str, Any]:
    """Processor, instruction set that torch uses, cores, GiB of memory, names of GPUs."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.processor() or platform.machine(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
        "memory_gib": _memory_gib(),
        "gpus": [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())],
    }


def versions() -> dict[str, str]:
    """Of all that computes a figure, and that decodes what it is computed from, by name."""
    return dict(_versions())


@cache
def _versions() -> dict[str, str]:
    # What Pillow was built with: decoders of JPEG may differ by a grey level.
    jpeg = "libjpeg_turbo" if features.check("libjpeg_turbo") else "jpg"
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "pixelwise": VERSION,
        **{package: version(package) for package in _COMPUTING},
        jpeg: str(features.version(jpeg)),
    }


def versions_text(found: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in found.items())


def versions_from(text: str) -> dict[str, str]:
    """The inverse of ``versions_text``."""
    return {name: number for name, _, number in (part.partition(" ") for part in text.split(", "))}


def differing_versions(then: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Those that are not what they were, in words."""
    names = [name for name in {**then, **now} if then.get(name) != now.get(name)]
    return ", ".join(f"{name} {then.get(name, 'absent')} then and {now.get(name, 'absent')} now" for name in names)


def free_memory() -> int | None:
    """Bytes that processes may still have, where the system tells; of a container's share, if that is less."""
    meminfo = Path("/proc/meminfo")
    lines = meminfo.read_text().splitlines() if meminfo.exists() else []
    available = [1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
    return min([*available, *_container_memory()], default=None)


def _container_memory() -> list[int]:
    """Bytes left of what the control group of this process may have; nothing where there is no limit."""
    limit = _CONTROL_GROUP / "memory.max"
    if not limit.is_file() or limit.read_text().strip() == "max":
        return []
    # What was read from files and not of late is given up when memory is wanted.
    stat = dict(line.split() for line in (_CONTROL_GROUP / "memory.stat").read_text().splitlines())
    used = int((_CONTROL_GROUP / "memory.current").read_text()) - int(stat["inactive_file"])
    return [max(0, int(limit.read_text()) - used)]


def _memory_gib() -> float | None:
    if "SC_PHYS_PAGES" not in getattr(os, "sysconf_names", {}):
        return None
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
