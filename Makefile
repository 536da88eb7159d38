# Acequia. `make help` lists what there is.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PREFLIGHT ?= .preflight
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
unexport PYTHONDONTWRITEBYTECODE

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

demo: $(STAMP) ## set up, then run the main job for four invented partners under a real Airflow
	@$(BIN)/acequia demo

test: $(STAMP) ## set up, then run every test
	@$(BIN)/python -m pytest -m "not stack" -n 2 --dist loadfile
	@echo "Now long runs: a quarter of twenty feeds, kills, crooked and large files (some minutes) ..."
	@$(BIN)/python -m pytest -m stack -n 2 --dist loadfile --ignore tests/stack
	@echo "Now the whole stack under a real Airflow (some minutes) ..."
	@$(BIN)/python -m pytest -m stack tests/stack

quick: $(STAMP) ## the tests that need no server
	@$(BIN)/python -m pytest -m "not stack"

check: $(STAMP) ## format, lint, types, agreements, generated files
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/acequia check

bench: $(STAMP) ## measure the rooms on generated data (figures, no verdicts)
	@for script in bench/*.py; do $(BIN)/python $$script || exit 1; done

model: $(STAMP) ## train the model of names and places again, and measure what is found (some minutes)
	@$(BIN)/python -m acequia.training

audit: $(STAMP) ## look the pinned dependencies up among the known vulnerabilities (needs the network)
	@$(BIN)/pip-audit --require-hashes --disable-pip -r requirements/production.txt

setup: $(STAMP) ## create .venv from the hash-pinned lock

$(STAMP): requirements/bootstrap.txt requirements/dev.txt pyproject.toml
	@echo "Setting up $(VENV) from the hash-pinned lock (once; under a minute on two cores) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 demo"; exit 2; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@$(BIN)/uv pip sync --quiet --require-hashes --compile-bytecode --python $(BIN)/python requirements/dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

lock: $(STAMP) ## resolve the requirement files again
	$(COMPILE) requirements/bootstrap.in -o requirements/bootstrap.txt
	$(COMPILE) -c requirements/bootstrap.txt requirements/dev.in -o requirements/dev.txt
	$(COMPILE) -c requirements/dev.txt requirements/runtime.in -o requirements/runtime.txt
	$(COMPILE) -c requirements/dev.txt requirements/production.in -o requirements/production.txt
	$(COMPILE) -c requirements/dev.txt requirements/preflight.in -o requirements/preflight.txt \
		--no-emit-package altair --no-emit-package narwhals

preflight-env: ## what a partner installs to judge its files: PREFLIGHT=folder (see docs/preflight.md)
	@$(PYTHON) -m venv $(PREFLIGHT)
	@$(PREFLIGHT)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/preflight.txt
	@$(PREFLIGHT)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps .

clean: ## remove what the demonstration and the tests left (not .venv)
	@rm -rf .acequia .pytest_cache .mypy_cache .ruff_cache .hypothesis

.PHONY: help demo test quick check bench model audit setup lock preflight-env clean
