# Sets up a virtual environment of its own and runs the demo or the tests in it. No root needed.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
OUT ?= runs/digits
SOURCES := pyproject.toml README.md $(shell find hw model sim train -type f \
	! -path '*/__pycache__/*' 2>/dev/null)

.PHONY: demo test lint install clean
.DEFAULT_GOAL := install

# Train, quantise, emulate, build, co-simulate, add noise, report.
demo: $(STAMP)
	$(BIN)/ranvier doctor
	$(BIN)/ranvier run examples/spoken_digits.toml --out $(OUT)

# What a file's tests share is made once, in the process that has the file.
test: lint
	$(BIN)/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder $(PYTEST_FLAGS)

# Measures what isn't up to date: see bench/README.md. PEERS="--peer NAME=VENV ..." lets peers run.
.PHONY: figures-training
figures-training: $(STAMP)
	$(BIN)/python bench/figures.py $(PEERS)
	$(BIN)/python bench/figures.py --table docs/figures.md

.PHONY: figures-core
figures-core: $(STAMP)
	$(BIN)/python bench/figures.py core
	$(BIN)/python bench/figures.py core --table docs/core-figures.md

.PHONY: figures-noise
figures-noise: $(STAMP)
	$(BIN)/python bench/figures.py noise
	$(BIN)/python bench/figures.py noise --table docs/noise-figures.md

lint: $(STAMP)
	$(BIN)/ruff check .

install: $(STAMP)

# A build folder of before would bring deleted files back: style of setuptools.
$(STAMP): $(SOURCES)
	@$(MAKE) --no-print-directory check-tools
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	rm -rf build *.egg-info
	$(BIN)/python -m pip install --quiet --disable-pip-version-check '.[test]'
	rm -rf build *.egg-info
	@touch $@

.PHONY: check-tools
check-tools:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Python 3.11 or newer is needed as '$(PYTHON)':" \
			"install python3 (Debian: python3, python3-venv), or say make PYTHON=/path/to/python3"; \
		exit 1; } >&2
	@command -v g++ >/dev/null || { \
		echo "A C++ compiler is needed: install g++ (Debian: apt install g++)"; exit 1; } >&2
	@perl -MPod::Usage -e 1 2>/dev/null || { \
		echo "perl with Pod::Usage is needed: install perl (Debian: apt install perl)"; \
		exit 1; } >&2
	@command -v git >/dev/null || { \
		echo "git is needed: install git (Debian: apt install git)"; exit 1; } >&2

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .ruff_cache
