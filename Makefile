# The door to the project: `make help`.
# Debian's first: it is built with profile-guided optimisation, which makes a question a seventh cheaper than one that is not.
PYTHON ?= $(shell for python in /usr/bin/python3.11 python3.11; do $$python -c 'import ensurepip' 2>/dev/null && echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PEERS := $(abspath $(or $(BENCH_WORK),run/bench))
# Binary wheels only; spyne is pure Python and has none.
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --no-binary spyne --use-pep517

.DEFAULT_GOAL := help
.PHONY: help demo up test chaos bench profile cost growth bench-signatures cluster-test lint format fuzz clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(STAMP) ## start the simulator and the gateway, ask one question, print the answer (XML=1 for the XML)
	@$(BIN)/ssbtek-gateway demo $(if $(XML),--output xml)

up: $(STAMP) ## demo without the question: keep running until Ctrl-C
	@$(BIN)/ssbtek-gateway demo --stay

chaos: $(STAMP) ## break everything on purpose, under load, and print a table: some minutes (ARGS='"audit full" SIGTERM')
	@PYTHONPATH=tests $(BIN)/python -m chaos $(ARGS)

bench: $(PEERS)/built ## our gateway beside the same one on Java and Node: 20 minutes; ARGS=--help says what else
	@PYTHONPATH=tests BENCH_WORK=$(PEERS) $(BIN)/python -m load.bench $(ARGS)

profile: $(PEERS)/built ## the CPU of a question, stage by stage: two minutes
	@PYTHONPATH=tests BENCH_WORK=$(PEERS) $(BIN)/python -m load.profile $(ARGS)

growth: $(PEERS)/built ## what a question costs by size, base services, waiting ones, parties, audit rows, processes
	@PYTHONPATH=tests BENCH_WORK=$(PEERS) $(BIN)/python -m load.growth $(ARGS)

bench-signatures: $(PEERS)/built ## what WS-Security costs, with RSA and with P-256 keys
	@PYTHONPATH=tests BENCH_WORK=$(PEERS) $(BIN)/python -m load.signatures $(ARGS)

cost: $(STAMP) ## has a stage of a question's way become twice as expensive? CPU time, ten seconds
	@PYTHONPATH=tests $(BIN)/python -m load.cost $(ARGS)

$(PEERS)/built: $(STAMP) $(wildcard tests/load/peers/*.* tests/load/peers/*/*.*) $(wildcard wsdl/ssbt/10/* xsd/ssbt/10/*)
	@PYTHON=$(CURDIR)/$(BIN)/python tests/load/peers/setup.sh . $(PEERS)

test: $(STAMP) ## run the tests (T=tests/unit for a part, ARGS for pytest's own options)
	@$(BIN)/python -m pytest $(T) $(ARGS)

cluster-test: ## nginx, two gateways, PostgreSQL and Redis, each killed under load (Debian packages: examples/cluster)
	@SSBTEK_REQUIRE_EXTERNAL=1 $(MAKE) --no-print-directory test T=tests/functional/test_cluster.py

lint: $(STAMP) ## ruff, mypy and the import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest --quiet tests/unit/test_imports.py

fuzz: $(STAMP) ## look for bytes that break the gate, for SECONDS=600; what is found is kept in run/fuzz
	@$(BIN)/python -c 'import atheris' 2>/dev/null || $(PIP_INSTALL) --editable '.[fuzz]'
	@mkdir -p run/fuzz/corpus
	@PYTHONPATH=tests $(BIN)/python -m fuzz.fuzz_gate -max_total_time=$(or $(SECONDS),600) -seed=$(or $(SEED),0) \
		-max_len=16384 -timeout=10 -rss_limit_mb=1024 -verbosity=0 -dict=tests/fuzz/gate.dict \
		-artifact_prefix=run/fuzz/ run/fuzz/corpus tests/vectors/questions

format: $(STAMP) ## let ruff format the code
	@$(BIN)/ruff format .

clean: ## remove what the other targets made, certificates and the development audit included
	rm -rf $(VENV) certs/dev run build *.egg-info

$(STAMP): setup.cfg pyproject.toml
	@echo "setting up $(VENV) (a minute or so)"
	@$(PYTHON) -m venv --clear $(VENV) || { echo "on Debian: apt install python3.11-venv"; exit 1; }
	@$(PIP_INSTALL) --editable '.[dev]'
	@touch $(STAMP)
