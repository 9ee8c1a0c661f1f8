# One entry for chores. Everything runs in .venv, which is made on first use and kept until pyproject.toml changes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 3
PYTEST_ARGS ?=
SECONDS ?= 60
FUZZ ?=

.DEFAULT_GOAL := help
.PHONY: help quickstart test coverage lint format bench fuzz lock dist clean

PURE := reference platform manifest selection settings state spec signature gates plan report

help: ## Show what can be made
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

quickstart: $(VENV)/.installed ## Mirror a sample image into a local registry: the main job, start to end
	PATH="$(abspath $(BIN)):$$PATH" examples/quickstart/run.sh

test: $(VENV)/.installed-dev ## Run the whole test suite
	$(BIN)/pytest -n $(JOBS) --dist worksteal $(PYTEST_ARGS)

coverage: $(VENV)/.installed-dev ## Check that the pure rooms' tests reach 95 % of their branches
	$(BIN)/pytest -q -n $(JOBS) $(foreach room,$(PURE),--cov=imagesync.$(room)) --cov-branch --cov-fail-under=95 \
		tests/selection tests/state tests/spec tests/signature tests/gates tests/plan tests/report tests/test_sync.py tests/cli/test_release.py tests/cli/test_status.py $(wildcard $(PURE:%=tests/test_%.py))

lint: $(VENV)/.installed-dev ## Check style, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/zizmor --offline --quiet --min-severity medium .github action.yml examples/promotion

format: $(VENV)/.installed-dev ## Format the code and sort its imports
	$(BIN)/ruff check --select I --fix .
	$(BIN)/ruff format .

fuzz: $(VENV)/.installed-fuzz ## Try every parser with atheris for SECONDS, or those that FUZZ names
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS) $(FUZZ)

bench: $(VENV)/.installed-dev ## Compare with skopeo on this machine (needs docker-registry and skopeo)
	$(BIN)/python -m bench

LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header

# What a release is made with is held to what runs: both are installed into one environment.
lock: $(VENV)/.installed-release ## Choose anew the versions that CI and the image are held to
	$(LOCK) --upgrade pyproject.toml --all-extras --group dev --output-file requirements/dev.txt
	$(LOCK) --upgrade pyproject.toml --all-extras --output-file requirements/run.txt
	$(LOCK) --upgrade --group release --constraint requirements/run.txt --output-file requirements/release.txt

dist: $(VENV)/.installed-release ## Build the packages, try them, and list what they run on (SBOM)
	rm -rf dist build/run
	$(BIN)/python -m build --no-isolation --outdir dist
	$(PYTHON) -m venv --without-pip build/run
	$(BIN)/python -m pip --python build/run/bin/python install --quiet --require-hashes --requirement requirements/run.txt
	$(BIN)/python -m pip --python build/run/bin/python install --quiet --no-deps dist/*.whl
	build/run/bin/imagesync version
	sed "s/^dynamic = .*/version = \"$$(build/run/bin/imagesync version | cut -d ' ' -f 2)\"/" pyproject.toml >build/pyproject.toml
	$(BIN)/cyclonedx-py environment --pyproject build/pyproject.toml --mc-type application --output-reproducible \
		--output-file dist/sbom.cdx.json build/run/bin/python

clean: ## Remove the environment and everything that was built
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .hypothesis .coverage .fuzz
	find imagesync tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "imagesync needs Python 3.11 or later: make PYTHON=python3.11 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

# The very files whose hashes were locked, so that a test fails for what changed here and not for what changed elsewhere.
$(VENV)/.installed-dev: pyproject.toml requirements/dev.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.installed

# Apart from the rest: there is no atheris for every machine and Python.
$(VENV)/.installed-fuzz: $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'  # the first one that knows groups
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group fuzz
	@touch $@

$(VENV)/.installed-release: requirements/release.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/release.txt
	@touch $@
