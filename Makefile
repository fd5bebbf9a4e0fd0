# The commands of the repository. Needs make and a Python from 3.11 to 3.14 with venv; everything else is installed into
# .venv from requirements.lock. `make` alone lists what there is.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
READY := .venv/.ready

# More for pytest, the demo, the web interface or the benchmarks: make test ARGS='-k merge'
ARGS ?=
# Tests run in several processes, each with an embedded PostgreSQL of its own; WORKERS=0 for a single process.
WORKERS ?= auto --maxprocesses 4
# make lock keeps the pins that still fit; make lock LOCK_ARGS=--upgrade takes the newest releases.
LOCK_ARGS ?=
UV ?= uv

# A developer's shell must not decide what is imported, where it is installed or how text is encoded.
unexport PYTHONPATH PYTHONHOME PIP_TARGET PIP_PREFIX PIP_USER
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONUTF8 := 1
export GX_ANALYTICS_ENABLED := false
export DAGSTER_DISABLE_TELEMETRY := yes

.PHONY: help
help: ## List the commands
	@printf 'Liên Thông: make COMMAND\n\n'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | \
		while IFS='|' read -r name text; do printf '  %-13s %s\n' "$$name" "$$text"; done
	@printf '\nThe pipeline itself, once installed: %s/lienthong --help\n' '$(BIN)'

.PHONY: demo
demo: $(READY) ## Run three quarters of a sample province end to end and compare with the truth
	@$(BIN)/lienthong demo $(ARGS)

.PHONY: test
test: lint ## Lint, then run all tests (they start a PostgreSQL of their own)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

# What needs programs beyond Python and make, from Debian's packages (apt-get install --no-install-recommends …):
SERVICES := libreoffice-calc chromium chromium-driver mariadb-server postgresql rabbitmq-server

.PHONY: test-services
test-services: $(READY) ## Run the tests that need programs from Debian (make services says which)
	@$(BIN)/python -m pytest tests/services -n $(WORKERS) --dist loadfile $(ARGS)

.PHONY: services
services: ## Say which Debian packages test-services needs
	@echo $(SERVICES)

.PHONY: lint
lint: $(READY) ## Check style, types and the order of the floors
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

.PHONY: format
format: $(READY) ## Bring the code into shape
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

.PHONY: messages
messages: $(READY) ## Compile the catalogue of messages after a change of schemas/messages/vi.po
	@$(BIN)/python -c 'import polib; polib.pofile("schemas/messages/vi.po").save_as_mofile("schemas/messages/vi.mo")'

.PHONY: ui
ui: $(READY) ## Open Dagster's web interface on this machine
	@$(BIN)/lienthong ui $(ARGS)

.PHONY: bench
bench: $(READY) ## Run the benchmarks, with peak memory (minutes; never a part of the tests)
	@$(BIN)/python -m tests.benchmarks $(ARGS)

.PHONY: install
install: $(READY) ## Make .venv and nothing else

.PHONY: lock
lock: ## Derive requirements.lock from pyproject.toml again (needs uv)
	@command -v $(UV) >/dev/null || { echo 'make lock needs uv: python3 -m pip install uv' >&2; exit 2; }
	@$(UV) pip compile pyproject.toml --group dev --universal --python-version 3.11 --fork-strategy fewest \
		--generate-hashes --no-annotate --no-emit-index-url --custom-compile-command 'make lock' \
		--quiet --output-file requirements.lock $(LOCK_ARGS)

.PHONY: clean
clean: ## Remove .venv and the caches; the warehouse stays, its embedded server is stopped
	@if [ -x $(BIN)/lienthong ]; then $(BIN)/lienthong db stop >/dev/null 2>&1 || true; fi
	@rm -rf .venv .venv.lock .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find schemas expectations assets pipelines tests -name __pycache__ -type d -prune -exec rm -rf {} +

# An environment does not survive a move of the folder or the loss of its Python: then it is made again.
ifneq ($(wildcard $(READY)),)
$(shell { grep -qxF "$$(pwd -P)" .venv/.locked && $(BIN)/python -I -S -c ''; } 2>/dev/null || rm -f $(READY))
endif

$(READY): requirements.lock pyproject.toml .ci/install.py
	@python=$$(sh .ci/find-python) && "$$python" .ci/install.py
