"""The compiled kernels: their C sources, the shared library built from them, and how Python calls it."""
