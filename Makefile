# Each target is a command or two that the README shows as well; nothing here is needed to use the package.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: train test bench bench-peers lint stubs clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# Builds the extensions in place; the stamp is older than a source as soon as one changes.
$(VENV)/installed: $(BIN)/python pyproject.toml setup.py $(wildcard cyops/*.p* cyops/csrc/*)
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $@

train: $(BIN)/python
	$(BIN)/python -m pip install --quiet .
	$(BIN)/cytensor train

test: $(VENV)/installed
	$(BIN)/python -m pytest

bench: $(VENV)/installed
	$(BIN)/python -m pytest benchmarks

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) build dist .benchmarks .pytest_cache .mypy_cache .ruff_cache .hypothesis src/*.egg-info
	rm -f cyops/*.c cyops/*.so
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
