import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

from pixelwise import allocator

MEGABYTES = 64
PROGRAM = f"""
import runpy, sys
from pathlib import Path

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

if sys.argv[1:]:
    runpy.run_path(sys.argv[1])["keep_freed_memory"]()
before = resident()
block = bytearray({MEGABYTES} << 20)
del block
print(resident() - before)
"""


def megabytes_kept(*arguments: str) -> float:
    command = [sys.executable, "-c", PROGRAM, *arguments]
    return float(subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="not glibc")
def test_freed_blocks_stay_in_the_process():
    assert megabytes_kept() < MEGABYTES / 4
    assert megabytes_kept(str(Path(allocator.__file__))) > MEGABYTES * 3 / 4
