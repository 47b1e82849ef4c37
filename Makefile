# tocsin: `make run` starts it, `make test` proves it. Everything else is below.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help run setup test lint types check bench fmt lock clean
.DEFAULT_GOAL := help

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(STAMP)  ## build .venv with .venv/bin/tocsin

$(STAMP): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "tocsin needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 1; }
	@echo "setting up $(VENV) (about a minute the first time)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

run: setup  ## run the daemon and the web side on config/, templates/ and incidents/ (outbox transport)
	@exec $(BIN)/python -m tocsin.cli.run_with_web

test: setup  ## all tests
	@$(BIN)/pytest -q -n 3

lint: setup  ## ruff, and the formatter's opinion
	@$(BIN)/ruff check daemon tests bench
	@$(BIN)/ruff format --check -q daemon tests bench

types: setup  ## mypy, strict
	@$(BIN)/mypy

check: lint types test  ## what CI runs and what a commit needs

bench: setup  ## speed, as ratios against a baseline in the same run (not part of the tests)
	@$(BIN)/python -m bench

fmt: setup  ## let the formatter decide
	@$(BIN)/ruff check --fix -q daemon tests bench || true
	@$(BIN)/ruff format -q daemon tests bench

lock: setup  ## renew requirements.lock (hashes, no index address)
	@$(BIN)/pip install --quiet uv
	@$(BIN)/uv pip compile pyproject.toml --extra dev --universal --generate-hashes --no-header \
		--no-emit-index-url --no-emit-find-links --upgrade -q -o requirements.lock

clean:  ## remove what setup and the tests made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
