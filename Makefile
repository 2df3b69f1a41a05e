# S2PS. `make` or `make help` lists what can be done.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Every job is a Python process: its sources must not be compiled each time.
unexport PYTHONDONTWRITEBYTECODE
DEMO_HOME ?= var/demo
SESSION ?=
SCALE ?= 10

.DEFAULT_GOAL := help
.PHONY: service-e2e cluster-e2e images-e2e test-cluster-up test-cluster-down help install demo demo-stop test unit integration dags e2e check lint types imports images compose-env compose-load bench lock clean

help: ## List the commands
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-17s %s\n", $$1, $$2}' Makefile

$(VENV)/.pip: requirements/requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] < (3, 14) else "S2PS needs Python 3.11, 3.12 or 3.13, found %d.%d: set PYTHON=python3.11" % sys.version_info[:2])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@grep -A9999 '^uv==' $< | awk 'NR>1 && /^[a-z]/{exit} {print}' > $(VENV)/uv.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(VENV)/uv.txt
	@touch $@

$(VENV)/.runtime: requirements/requirements.txt pyproject.toml | $(VENV)/.pip
	@echo "Installing what S2PS needs into $(VENV) ..."
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements/requirements.txt
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt requirements/schemas.txt $(VENV)/.runtime
	@echo "Installing what the tests need into $(VENV) ..."
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --no-build-isolation --require-hashes --dest $(VENV)/schemas -r requirements/schemas.txt
	@touch $@

install: $(VENV)/.runtime ## Make the virtual environment with S2PS in it

demo: $(VENV)/.runtime ## Run a downlink session to L1C and L2A products under Airflow (SESSION=DIR, SCALE=10)
	@$(BIN)/s2ps demo --home $(DEMO_HOME) --scale $(SCALE) $(if $(SESSION),--session $(SESSION))

demo-stop: ## Stop the Airflow that `make demo` left running
	@$(BIN)/s2ps stop --home $(DEMO_HOME)

test: $(VENV)/.dev ## Run every check and test but the e2e ones
	@$(MAKE) --no-print-directory check
	@$(BIN)/python -m pytest -m "not e2e and not cluster and not images"

unit: $(VENV)/.dev ## Run the unit tests only
	@$(BIN)/python -m pytest -m unit

integration: $(VENV)/.dev ## Run the tests that start processors
	@$(BIN)/python -m pytest -m integration

dags: $(VENV)/.dev ## Run the tests that build Airflow DAGs
	@$(BIN)/python -m pytest -m dags

e2e: service-e2e images-e2e cluster-e2e ## Run all three: the whole service under Airflow, images, pods on the test cluster

service-e2e: $(VENV)/.dev ## Run the tests of the whole service under Airflow
	@$(BIN)/python -m pytest -m e2e

images-e2e: $(VENV)/.dev ## Run the tests of images and of docker compose, in engines of their own (root)
	@$(BIN)/python -m pytest -m images

cluster-e2e: $(VENV)/.dev ## Run the tests on the test cluster; started and ended unless it runs (TESTS=...)
	@tests/cluster/e2e $(TESTS)

test-cluster-up: ## Start Ceph and Kubernetes on this machine for tests (root; builds Kubernetes once)
	@tests/cluster/up

test-cluster-down: ## End them and remove everything but the cache
	@tests/cluster/down

check: lint types imports ## Run the static checks and the catalogue check
	@$(BIN)/s2ps processors check

lint: $(VENV)/.dev ## Check style
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --quiet --check .

types: $(VENV)/.dev ## Check types
	@$(BIN)/mypy

imports: $(VENV)/.dev ## Check who imports what
	@PYTHONPATH=src:.:plugins $(BIN)/lint-imports --no-cache

images: $(VENV)/.dev ## Build the container images (IMAGES="base reference"; default: all)
	@$(BIN)/python -m ipf_adapters.images $(IMAGES)

compose-env: $(VENV)/.dev ## Write .env, the secrets that docker-compose.yml needs; what is there stays
	@$(BIN)/python -m ipf_adapters.images.compose env

compose-load: images ## Bring the images into the Docker engine
	@$(BIN)/python -m ipf_adapters.images.compose load

bench: $(VENV)/.dev ## Measure what docs/performance.md reports
	@$(BIN)/python -m tests.performance.bench

lock: ## Write the pinned requirements anew from requirements/*.in
	@cd requirements && ../$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --python-version 3.11 dev.in -o dev.txt
	@cd requirements && ../$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --python-version 3.11 requirements.in -c dev.txt -o requirements.txt
	@cd requirements && for set in runner processors service; do ../$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --python-version 3.11 $$set.in --no-emit-package uv -c dev.txt -o $$set.txt || exit 1; done

clean: ## Remove what was generated
	rm -rf var build dist .pytest_cache .mypy_cache .ruff_cache *.egg-info src/*.egg-info
