# tocsin: `make run` starts it, `make test` proves it. Everything else is below.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNS := $(VENV)/.runs
TESTS := $(VENV)/.tests
PIP := $(BIN)/pip --quiet --disable-pip-version-check
WHEELS := --only-binary :all:
INSTALL := $(PIP) install --require-hashes $(WHEELS)
COMPILE := $(BIN)/uv pip compile --universal --generate-hashes $(WHEELS) --no-header --no-emit-index-url \
	--no-emit-find-links --upgrade -q
BUILD_TOOLS := $(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["build"], sep="\n")'

.PHONY: help run setup test quick faults fuzz sim gallery lint types check bench fmt lock words audit licences sbom clean
.DEFAULT_GOAL := help

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(RUNS)  ## build .venv with .venv/bin/tocsin and what it needs to run

$(RUNS): pyproject.toml requirements.lock requirements-build.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "tocsin needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 1; }
	@echo "setting up $(VENV) (half a minute the first time)"
	@$(PYTHON) -m venv $(VENV)
	@$(INSTALL) -r requirements.lock -r requirements-build.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $(RUNS)

$(TESTS): $(RUNS) requirements-dev.lock
	@echo "adding what the tests need"
	@$(INSTALL) -r requirements-dev.lock
	@$(BIN)/pytest --collect-only -q -n 0 > /dev/null || true  # compiles all of it, once for all workers
	@touch $(TESTS)

run: setup  ## run the daemon and the web side on config/, templates/ and incidents/ (outbox transport)
	@exec $(BIN)/python -m tocsin.cli.run_with_web

test quick faults bench: export PYTHONDONTWRITEBYTECODE =  # else every process compiles all of it anew, as no installed one does

test: $(TESTS)  ## all tests
	@$(BIN)/pytest -q -n 4 --dist worksteal

quick: $(TESTS)  ## the tests to run while you work: house, unit, timelines (about a minute)
	@$(BIN)/pytest -q -n 3 --dist worksteal tests/house tests/unit tests/timelines

faults: $(TESTS)  ## attacks on the installed program, and a server installed by the page (tests/attacks/README.md)
	@$(BIN)/pytest -v -n 2 -m "attack or not attack" tests/attacks tests/acceptance/test_install*.py tests/acceptance/test_kills.py tests/browser
	@$(BIN)/pytest -q -n 2 -m attack tests --ignore=tests/attacks --ignore=tests/browser
	@EXAMPLES=all $(BIN)/pytest -q -n 2 -m "hypothesis and not attack" tests

fuzz: $(TESTS)  ## fuzzers of all that reads what others write: MINUTES=10, SEED=1 for the same cases, ONLY="incident reply"
	@$(BIN)/python -m tests.fuzz --minutes "$(or $(MINUTES),10)" --seed "$(SEED)" $(if $(CASE),--case $(CASE)) $(ONLY)

sim: $(TESTS)  ## every message of generated incidents against what readers need: INCIDENTS=10000 SEED=1
	@$(BIN)/python -m tests.readers --incidents "$(or $(INCIDENTS),10000)" --seed "$(or $(SEED),1)"

gallery: $(TESTS)  ## docs/gallery/: every message of ten stories, as text and as pictures (which need chromium)
	@$(BIN)/python -m tests.gallery

lint: $(TESTS)  ## ruff, and the formatter's opinion
	@$(BIN)/ruff check daemon tests bench supply
	@$(BIN)/ruff format --check -q daemon tests bench supply

types: $(TESTS)  ## mypy, strict
	@$(BIN)/mypy

check: lint types test  ## what CI runs and what a commit needs

bench: $(TESTS)  ## speed beside its peers, into docs/speed.md (35 minutes; `.venv/bin/python -m bench --help` has the parts)
	@$(BIN)/python -m bench --docs

fmt: $(TESTS)  ## let the formatter decide
	@$(BIN)/ruff check --fix -q daemon tests bench supply || true
	@$(BIN)/ruff format -q daemon tests bench supply

lock: $(TESTS)  ## renew the locks of running, building and developing (hashes, wheels only, no index address)
	@$(COMPILE) pyproject.toml --extra postgres -o requirements.lock
	@$(BUILD_TOOLS) | $(COMPILE) - -c requirements.lock -o requirements-build.lock
	@$(COMPILE) pyproject.toml --extra postgres --extra build --extra dev -c requirements.lock -c requirements-build.lock -o requirements-dev.lock
	@$(MAKE) --no-print-directory licences sbom

words: $(TESTS)  ## templates/messages.pot and the catalogues of all languages: what templates and code say now
	@$(BIN)/python -m tests.builders.words

audit: $(TESTS)  ## known advisories against the locked versions; needs the network, and says so where it has none
	@$(BIN)/python -m supply.audit

licences: $(TESTS)  ## docs/dependencies.md: what a production install takes, under which licence
	@$(BIN)/python -m supply.licences

sbom: $(TESTS)  ## packaging/sbom.cdx.json: the same for programs (CycloneDX)
	@$(BIN)/python -m supply.sbom

clean:  ## remove what setup and the tests made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
