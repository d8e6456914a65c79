"""The compiled kernels; all else is in pyproject.toml.

``optional``: without a C compiler the package installs all the same, and uses its slower engines.
"""

from pathlib import Path

from setuptools import Extension, setup

KERNELS = Path("pixelwise/native/kernels")

setup(
    ext_modules=[
        Extension(
            "pixelwise.native._kernels",
            sources=sorted(map(str, KERNELS.glob("*.c"))),
            depends=sorted(map(str, KERNELS.glob("*.h"))),
            extra_compile_args=["-O3", "-std=gnu11", "-ffp-contract=fast", "-fno-math-errno"],
            optional=True,
        )
    ]
)
