# Everything runs in .venv, made from a hash-pinned lock. `make demo` and `make test` need nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DOCUMENT ?=
# Set to have the judges from outside judge too (poppler, openssl, Ceph RGW, Chromium, …): what CI does.
STRANGERS ?=
# Which benchmarks to run, by words of their file names; all where it is empty.
CASES ?=
# Tests write much and keep nothing: in memory where there is some.
TEST_TMP := $(shell [ -d /dev/shm ] && echo /dev/shm || echo $${TMPDIR:-/tmp})

.DEFAULT_GOAL := help
.PHONY: help demo test serve bench lint locale check-python clean

help:
	@echo "make demo [DOCUMENT=file.pdf]   play the whole flow, then verify what came out as a stranger"
	@echo "make test [STRANGERS=1]         the whole test suite, with STRANGERS also the judges from outside"
	@echo "make serve                      everything on embedded defaults, until interrupted"
	@echo "make bench [CASES=word]         measure, one JSON line per case"
	@echo "make lint                       ruff, mypy, import rules"

check-python:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than Python 3.11, which is needed" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) cannot create environments; install its venv package (python3-venv on Debian)" >&2; exit 1; }

$(VENV)/pyvenv.cfg: | check-python
	@$(PYTHON) -m venv $(VENV)

# The development lock holds all that the product's lock does, so one stamp satisfies the other.
$(VENV)/.for-use: requirements.lock | $(VENV)/pyvenv.cfg
	@echo "installing what Yinxin needs into $(VENV) …" >&2
	@if [ -e $(VENV)/.for-development ] && [ $(VENV)/.for-development -nt requirements.lock ]; then :; else \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock; fi
	@touch $@

$(VENV)/.for-development: requirements-dev.lock | $(VENV)/pyvenv.cfg
	@echo "installing what the tests need into $(VENV) …" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

demo: $(VENV)/.for-use
	@$(BIN)/python -m api.cli.main demo $(if $(DOCUMENT),"$(DOCUMENT)")

serve: $(VENV)/.for-use
	@$(BIN)/python -m api.cli.main serve

test: $(VENV)/.for-development
	PYTEST_DEBUG_TEMPROOT=$(TEST_TMP) $(BIN)/python -m pytest -n 2 --dist worksteal \
	  $(if $(STRANGERS),,-m "not stranger") $(PYTEST_ARGS)

lint: $(VENV)/.for-development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.support.house_rules

bench: $(VENV)/.for-development
	@$(BIN)/python -m tests.bench $(CASES)

locale: $(VENV)/.for-use
	$(BIN)/pybabel compile -d api/web/locale -D yinxin

clean:
	rm -rf $(VENV) demo-out dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
