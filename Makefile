# Every target works from nothing: it makes .venv and installs what it needs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test test-slow check bench clean

demo: $(VENV)/.stamp
	$(BIN)/python examples/demo.py

# One thread each: two workers on two cores, and torch's own threads would get into each other's way.
test: $(VENV)/.dev-stamp
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow and not gpu"

test-slow: $(VENV)/.dev-stamp
	$(BIN)/python -m pytest -m "slow and not gpu" --timeout 1800

check: $(VENV)/.dev-stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev-stamp
	$(BIN)/python benchmarks/families.py
	$(BIN)/python benchmarks/rivals.py
	$(BIN)/python benchmarks/preparation.py
	$(BIN)/python benchmarks/render.py
	$(BIN)/python benchmarks/render_plots.py benchmarks/results/render.json --out docs

clean:
	rm -rf $(VENV) out build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

# The compiled kernels are built by the installation.
$(VENV)/.stamp: pyproject.toml setup.py $(wildcard pixelwise/native/kernels/*)
	@echo "Setting up $(VENV): PyTorch is large, this may take minutes."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.dev-stamp: $(VENV)/.stamp
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@
