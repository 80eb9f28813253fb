# `make` alone lists what there is.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint types docs golden bench check clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-8s %s\n", $$1, $$2}'

setup: $(READY) ## Make the virtual environment with everything in it

$(READY): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13) and "assetflow needs Python 3.11, 3.12 or 3.13: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $@

demo: setup ## Run the example project end to end
	$(BIN)/python example_project/prepare_data.py
	$(BIN)/assetflow materialize --project example_project
	$(BIN)/assetflow materialize --project example_project
	$(BIN)/assetflow status --project example_project
	$(BIN)/assetflow lineage --project example_project weather_effects

test: setup ## Run all tests
	$(BIN)/python -m pytest --quiet --numprocesses 2 --dist worksteal

lint: setup ## Hold the code against the style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup ## Hold the types
	$(BIN)/mypy

docs: setup ## Run what the docs show
	$(BIN)/python -m pytest --quiet tests/docs

golden: setup ## Rewrite the golden files; review the difference
	ASSETFLOW_GOLDEN=write $(BIN)/python -m pytest --quiet --numprocesses 2 --dist worksteal

bench: setup ## Measure against the floor
	$(BIN)/python benchmarks/run.py

check: lint types test ## All that CI runs, but the demo

clean: ## Remove what was made, the virtual environment too
	rm -rf $(VENV) .bench .mypy_cache .pytest_cache .ruff_cache example_project/.assetflow example_project/data
