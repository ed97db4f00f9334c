# make demo and make test are all that a fresh machine needs; both make their own environment first.
PYTHON ?= python3
ENV := .venv
BIN := $(ENV)/bin
READY := $(ENV)/.ready

.DEFAULT_GOAL := test
.PHONY: env demo test check bench services eval clean

env: $(READY)

$(READY): pyproject.toml
	$(PYTHON) -m venv $(ENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --group dev --editable '.[databases]'
	$(BIN)/python -m compileall -q synth sandbox prompts corpus evals
	touch $@

demo: $(READY)
	$(BIN)/python -m examples.demo

test: $(READY)
	$(BIN)/python -m pytest -n 2

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

services: $(READY)
	$(BIN)/python -m tests.services

eval: $(READY)
	$(BIN)/python -m evals.run requests

bench: $(READY)
	$(BIN)/python -m pip install --quiet --group bench
	$(BIN)/python -m benchmarks.run

clean:
	rm -rf $(ENV) dist .pytest_cache .mypy_cache .ruff_cache
