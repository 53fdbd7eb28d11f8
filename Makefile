# `make` alone lists what there is. Each target sets up what it needs: Python 3.11 or newer and a package index suffice.

VENV := .venv
BIN := $(VENV)/bin
RUNS := $(VENV)/.runs
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help demo test serve check bench format lock clean
.SILENT:

help:  ## what there is
	echo "Marrow: electronic case report forms, from protocol to endpoint dates"
	echo
	awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	echo
	echo "Settings are MARROW_* variables, listed in docs/deployment.md. PYTHON=… chooses the Python."

demo: $(RUNS)  ## four trials with simulated subjects, their endpoints and CSV files, in var/
	$(BIN)/marrow demo

test: $(READY)  ## the whole test suite, against a PostgreSQL it starts itself or MARROW_DATABASE_URL
	$(BIN)/python -m pytest

serve: $(RUNS)  ## the API on http://127.0.0.1:8000, described at /api/v1/openapi.json
	$(BIN)/marrow serve

check: $(READY)  ## format, lint, types, layers and form files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/marrow forms check

bench: $(RUNS)  ## how fast it is here, beside a raw driver on the same machine
	$(BIN)/marrow bench

format: $(READY)  ## rewrite the code in the house's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix --quiet .

LOCKED := $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-annotate

lock: $(READY)  ## the lock files anew, from pyproject.toml and today's package index
	$(LOCKED) --upgrade --group dev pyproject.toml --output-file requirements.lock
	echo setuptools | $(LOCKED) --constraint requirements.lock pyproject.toml - --output-file deploy/requirements.lock
	! grep -nE '^-|://|@ ' requirements.lock deploy/requirements.lock

clean:  ## remove the environment and the caches; var/, which holds data, stays
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find app tests migrations -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment: the locked dependencies, each checked against its hash, and then Marrow itself. What tests and checks
# need besides is added when they are first run.
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq install
# The lock names everything, so pip resolves nothing: an older pip would take `coverage[toml]` for something unpinned.
HASHED := $(PIP) --no-deps --require-hashes --only-binary :all:

$(READY): requirements.lock $(RUNS)
	echo "Adding what tests and checks need (once) …"
	$(HASHED) --requirement requirements.lock
	touch $@

$(RUNS): deploy/requirements.lock
	set -e; \
	for python in $(PYTHON) python3.13 python3.12 python3.11 python3.14 python3; do \
		if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then chosen=$$python; break; fi; \
	done; \
	if [ -z "$$chosen" ]; then \
		echo "Marrow needs Python 3.11 or newer. Install one, or name it: make PYTHON=/path/to/python3.12 …" >&2; exit 1; \
	fi; \
	if ! "$$chosen" -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "$$chosen has no venv module. On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; \
	fi; \
	echo "Setting up $(VENV) with $$("$$chosen" --version) (once) …"; \
	"$$chosen" -m venv --clear $(VENV); \
	$(HASHED) --requirement deploy/requirements.lock; \
	$(PIP) --no-deps --no-build-isolation --editable .; \
	touch $@
