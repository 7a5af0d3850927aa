# The verbs of development.
#
#   make demo    a real cluster on this computer, from nothing: tools, images, machines, Kubernetes
#   make test    everything: check, real OpenSSH servers, real registries, real machines, the built wheel
#   make check   format, lint, types, layers and the tests but for ssh, registry, e2e and thorough; about a minute on two processors
#   make fix     mend what can be mended
#   make bench   how long the things with a budget take; LARGE=10 adds the memory that an image of 10 GB takes

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := check

# Compiled tests are kept whatever the session says: each process that tests would compile all of them anew.
export PYTHONDONTWRITEBYTECODE :=

BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: demo test check lint quick fix bench venv tools clean

demo: tools venv
	examples/demo/run

# What stands alone is run four at a time, since much of it waits; what shares servers and machines, one by one.
test: tools venv lint
	.ci/go-tool --all >/dev/null
	tests/wheel/run
	$(BIN)/pytest -q -n 4 -m "not ssh and not registry and not e2e"
	$(BIN)/pytest -q -m "ssh or registry or e2e"

# At the same time, since mypy keeps one processor busy at most.
check: venv
	$(MAKE) --no-print-directory -j 2 lint quick

quick: venv
	$(BIN)/pytest -q -n 4 -m "not ssh and not registry and not e2e and not thorough"

lint: venv
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check --quiet
	$(BIN)/mypy --no-error-summary
	$(BIN)/lint-imports --no-logo | tail -n 12

fix: venv
	$(BIN)/ruff check --fix --quiet || true
	$(BIN)/ruff format --quiet

bench: venv
	$(BIN)/python tests/bench/run

venv: $(STAMP)

$(STAMP): pyproject.toml
	.ci/venv
	touch $@

tools:
	.ci/tools

clean:
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
