# Each target is a command or two, which the README shows as well; the package needs no make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := pyproject.toml setup.py $(wildcard cyops/*.p* cyops/csrc/*)

.PHONY: train test bench bench-peers lint stubs clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# Installed in place: a change of a Python file needs no second install, a change of a compiled one does.
$(VENV)/installed: $(BIN)/python $(SOURCES)
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

# What an extra asks for, beside the package as it is.
$(VENV)/installed-%: $(VENV)/installed
	$(BIN)/python -m pip install --quiet "cytensor[$*]"
	touch $@

train: $(VENV)/installed
	$(BIN)/cytensor train

test: $(VENV)/installed-test
	$(BIN)/python -m pytest

BENCH = -m pytest benchmarks --benchmark-quiet --benchmark-json=benchmarks/results.json

bench: $(VENV)/installed-bench
	$(BIN)/python $(BENCH)
	$(BIN)/python benchmarks/report.py

# The peers are large, so they get an environment of their own.
bench-peers:
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --editable ".[bench]" --requirement benchmarks/peers.txt
	.venv-peers/bin/python $(BENCH)
	.venv-peers/bin/python benchmarks/report.py

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/mypy

stubs: $(VENV)/installed
	$(BIN)/python tests/stubs.py

clean:
	rm -rf .venv .venv-peers build dist .benchmarks .pytest_cache .mypy_cache .ruff_cache .hypothesis src/*.egg-info
	rm -f cyops/*.c cyops/*.so
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
