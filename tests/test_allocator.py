import ctypes
import subprocess
import sys

import pytest

from pixelwise import allocator

pytestmark = pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="not glibc")

MEGABYTES = 64
PROGRAM = """
import runpy, sys
from pathlib import Path

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

if sys.argv[1:]:
    runpy.run_path(sys.argv[1])[sys.argv[2]]()
before = resident()
{work}
print(resident() - before)
"""
ONE_BLOCK = f"""
block = bytearray({MEGABYTES} << 20)
del block
"""
BLOCK_BELOW_ANOTHER = f"""
largest_yet = bytearray(30 << 20)
del largest_yet
blocks = [bytearray(10 << 20) for _ in range({MEGABYTES // 10})]
above = bytearray(1 << 16)
blocks.clear()
"""


def megabytes_kept(work: str, *function: str) -> float:
    arguments = [allocator.__file__, *function] if function else []
    command = [sys.executable, "-c", PROGRAM.format(work=work), *arguments]
    return float(subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout)


def test_freed_blocks_stay_in_the_process() -> None:
    assert megabytes_kept(ONE_BLOCK) < MEGABYTES / 4
    assert megabytes_kept(ONE_BLOCK, "keep_freed_memory") > MEGABYTES * 3 / 4


def test_freed_blocks_go_back_whatever_was_freed_before() -> None:
    assert megabytes_kept(BLOCK_BELOW_ANOTHER) > MEGABYTES / 2
    assert megabytes_kept(BLOCK_BELOW_ANOTHER, "give_back_freed_memory") < MEGABYTES / 4
