# Two commands: `make app` opens the explorer, `make test` runs every check.
# PIP_ARGS passes through to pip; ARGS passes through to the command that is started.
# WORKERS is the number of processes that run the tests, one file at a time each, long ones first
# (tests/sharing.py): twice as many as two cores, which tests that wait for their pages leave idle.
PYTHON ?= python3
VENV ?= .venv
ARGS ?=
WORKERS ?= 4
PIP_ARGS ?=
EXTRAS := test,cluster
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# Dozens of processes are started: what they import is compiled once.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: app check test test-slow test-integrations bench docs site release

app: $(STAMP)
	$(BIN)/latent-explorer app $(ARGS)

# Seconds, not minutes: what .pre-commit-config.yaml runs too.
check: $(STAMP)-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

test: $(STAMP)-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy & types=$$!; \
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS); \
	tests=$$?; wait $$types && exit $$tests

test-slow: $(STAMP)-test
	$(BIN)/python -m pytest -m slow $(ARGS)

# With other people's libraries, in an environment of its own: they never meet the app's.
test-integrations:
	$(MAKE) VENV=.venv-integrations EXTRAS=test,cluster,integrations .venv-integrations/.installed-test
	.venv-integrations/bin/python -m pytest -m integration $(ARGS)

bench: $(STAMP)-test
	$(BIN)/python -m tests.benchmarks $(ARGS)

docs: $(STAMP)
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) -c constraints.txt -e ".[docs]"
	$(BIN)/python docs/build.py site

# The project's own demo, for any web server or a double click: build/site/index.html.
site: $(STAMP)
	$(BIN)/latent-explorer site mnist-2d digits-collapsed colour-shapes-8d strokes-vae-2d \
	  --sweep mnist-beta-sweep --lens 3 --lang en zh-Hans zh-Hant \
	  --learn --exercises examples/exercises.toml --out build/site --overwrite $(ARGS)

# Archive and wheel in dist/, tried in an empty environment; says what is left to be done by hand.
release: $(STAMP)-test
	$(BIN)/python -m tests.release $(ARGS)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(STAMP): $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) -c constraints.txt -e .
	touch $@

$(STAMP)-test: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) -c constraints.txt -e ".[$(EXTRAS)]"
	touch $(STAMP) $@
