# Every target sets up what it needs: a newcomer types `make chaos`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

# Compiled once, and not anew in every run and every worker of the tests.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup ready chaos compare league test check bench tcp roundtrips mutants fuzz docs hunt ablate clean

help: ## what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## .venv with pinned versions, and toxiproxy-server built with Go, fetched for it if need be; quick when nothing changed
	@$(BIN)/python -m chaos.toxiproxy.install --optional $(BIN)

# The same, but that there is no server is said once, by the command that goes without.
ready: $(READY)
	@$(BIN)/python -m chaos.toxiproxy.install --optional --quiet $(BIN)

# The stamp is written last: an interrupted set-up is done again.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "make: $(PYTHON) is older than 3.11: name a newer one, make PYTHON=python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

chaos: ready ## all scenarios against the tracker; the table, and records in runs/latest
	@$(BIN)/simtool chaos $(ARGS)

# Clients that fail are what the table is for: only what kept it from being made ends this target.
compare: ready ## all scenarios against six clients; the table goes into README.md
	@$(BIN)/simtool compare --into README.md $(ARGS) || test $$? -eq 1

# ARGS="steady reset --client ws" plays less, and README.md then has less.
league: ready ## real clients in five languages, built here, in true time, an hour; the table goes into README.md
	@$(BIN)/simtool league --into README.md $(ARGS) || test $$? -eq 1 -o $$? -eq 3

test: ready ## the unit tests, then whole scenarios, processes, and what goes through Toxiproxy or the kernel
	@$(BIN)/pytest -q -n 2 -m "not commands and not scenarios and not sockets and not toxiproxy and not kernel" $(ARGS)
	@$(BIN)/pytest -q -n 2 -m "commands or scenarios or sockets or toxiproxy or kernel" $(ARGS)

check: ready ## ruff, mypy --strict, and the rules of who imports whom
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/pytest -q tests/test_layers.py

bench: ready ## the ratios that the design promises, measured side by side
	@$(BIN)/python bench/pipeline.py
	@$(BIN)/python bench/many_holds.py
	@$(BIN)/python bench/simulation.py
	@$(BIN)/python bench/lean.py --catalogue
	@$(BIN)/python bench/detection.py
	@$(BIN)/python bench/delay.py
	@$(BIN)/python bench/recorder.py

tcp: ready ## the simulated TCP beside this machine's kernel, in one table; wants root, or user namespaces
	@$(BIN)/python bench/tcp.py

roundtrips: ready ## ten traces of real sockets replayed on virtual time; the table of docs/replay.md
	@$(BIN)/python -m tests.chaos.round_trips

# Two jobs on two cores; a machine that is used meanwhile takes longer, and no verdict changes.
mutants: ready ## who notices a tracker, judge or world broken in one place; the table goes into docs/design.md
	@$(BIN)/python -m tests.mutants --into docs/design.md $(ARGS)

hunt: ready ## random fault sequences against the tracker, ten minutes; what breaks a promise is shrunk to a scenario
	@$(BIN)/simtool hunt --budget 10m $(ARGS)

ablate: ready ## how many random worlds notice each safeguard of the tracker that is removed
	@$(BIN)/python -m tests.chaos.density $(ARGS)

fuzz: ready ## each parser fed with 10,000 spoilt files; what `make test` does with a tenth
	@$(BIN)/pytest -q -n 2 --hypothesis-profile=fuzz --timeout 1800 tests/fuzz $(ARGS)

docs: ready ## docs/scenarios.md anew, from what reads a scenario's file
	@$(BIN)/python -m chaos.glossary.document docs/scenarios.md

clean: ## remove what the targets above made, .venv included
	rm -rf $(VENV) runs build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
