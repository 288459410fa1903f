# Two commands do everything: `make serve` and `make test`; both begin with `make setup`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup serve test soak schema-images release-archive format definitions constraints
setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "facematch needs Python 3.11 or newer; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[tensorflow,openvino,dev]'
	touch $@

serve: setup
	exec $(BIN)/facematch serve

test: setup
	VENV=$(VENV) sh scripts/check

# The convergence harness at length; see docs/architecture.md.
SECONDS ?= 600
soak: setup
	exec $(BIN)/python -m tests.convergence --seconds $(SECONDS)

# What a database of each revision looks like, for tomorrow's upgrades: makes those not yet there.
schema-images: setup
	exec $(BIN)/python -m tests.store.images

# The program of a release, for the upgrade to the next one; in the place of the one before.
release-archive: setup
	exec $(BIN)/python -m tests.store.archives $(REVISION)

format: setup
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format --quiet .

# What the migrations make, for `facematch db check`; after every change of them.
definitions: setup
	$(BIN)/python -m migrations.definitions

# Newest versions that pyproject.toml allows, pinned; try the result with `make test`.
constraints:
	rm -rf .venv-constraints
	$(PYTHON) -m venv .venv-constraints
	.venv-constraints/bin/python -m pip install --quiet --upgrade setuptools wheel '.[tensorflow,openvino,dev]'
	.venv-constraints/bin/python -m pip freeze --all --exclude facematch --exclude pip > constraints.txt
	rm -rf .venv-constraints
