# The same targets serve people and CI. Everything lives in .venv; nothing is installed elsewhere.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv

# The largest set is locked first and binds the others: no library has two versions here.
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
  --no-emit-index-url --no-annotate

.DEFAULT_GOAL := help
.PHONY: help demo test browser-test torture circle check accuracy faithfulness bench drift-table generated lock format clean ops-check alerts-live

help: ## Show what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

# Each environment is stamped with the lock it was made from: a changed lock remakes it.
# A wrong Python is refused first: its environment would stay, and fail ever after.
$(UV): requirements/uv.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 11) <= v < (3, 14) or sys.exit("Murmur needs Python 3.11, 3.12 or 3.13; $(PYTHON) is %d.%d: say make PYTHON=python3.12, or whichever you have" % v)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(VENV)/serving.stamp: requirements/serving.txt pyproject.toml $(UV)
	VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --require-hashes -r requirements/serving.txt
	VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/serving.stamp
	VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

# What drives a browser; the browser is the machine's own.
$(VENV)/browser.stamp: requirements/browser.txt $(VENV)/dev.stamp
	VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --require-hashes -r requirements/browser.txt
	@touch $@

# Training's libraries: large, and no part of serving.
$(VENV)/retrain.stamp: requirements/retrain.txt $(VENV)/dev.stamp
	VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --no-deps --require-hashes -r requirements/retrain.txt
	@touch $@

demo: $(VENV)/serving.stamp ## Run the whole pipeline on a sample archive, on this machine
	@$(BIN)/murmur demo $(ARGS)

# Files in their order: the quick ones of tests/unit come last and even out the two processes.
test: $(VENV)/retrain.stamp ## Run all tests on a real Kafka, PostgreSQL and Valkey
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(ARGS)

accuracy: $(VENV)/dev.stamp ## Labelled tweets through the stack: make accuracy LABELS=FILE (id, label, text by tabs)
	@$(BIN)/python -m tests.accuracy $(LABELS)

faithfulness: $(VENV)/dev.stamp ## Weights of words beside random ones: make faithfulness LABELS=FILE (none: made-up texts)
	@$(BIN)/python -m tests.faithfulness $(LABELS) $(ARGS)

# Only the comparison with the obvious pipeline needs PyTorch.
bench: $(VENV)/$(if $(findstring --baseline,$(ARGS)),retrain,dev).stamp ## What the stream costs, as ratios in JSON (ARGS=--baseline: beside the obvious pipeline)
	@$(BIN)/python -m tests.benchmarks $(ARGS)

drift-table: $(VENV)/dev.stamp ## What the watch's detectors do in 300 simulated years, as Markdown (ARGS="--years 30")
	@$(BIN)/python -m tests.drift_table $(ARGS)

browser-test: $(VENV)/browser.stamp ## The page in a real Chromium, which has to be installed (ARGS="-k phone")
	$(BIN)/python -m pytest tests/browser $(ARGS)

torture: $(VENV)/dev.stamp ## Kill, stop, pause and fill a stack while tweets flow, then compare everything; a storm on the live stream
	$(BIN)/python -m tests.torture $(ARGS)
	$(BIN)/python -m tests.torture.live $(STORM)

circle: $(VENV)/retrain.stamp ## Let a stream change, and watch another model serve it by itself
	$(BIN)/python -m tests.circle

ops-check: $(VENV)/dev.stamp ## Rules, routes, dashboards, contracts and examples, by the tools that read them (ARGS=WORD: some steps)
	@$(BIN)/python -m tests.ops_check $(ARGS)

alerts-live: $(VENV)/dev.stamp ## Break a running installation, and wait for each alert at a webhook (half an hour)
	@$(BIN)/python -m tests.alerts_live $(ARGS)

check: $(VENV)/retrain.stamp ## Style, types, layers and the other house rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m schemas.write_json_schemas --check
	$(BIN)/python -m schemas.write_asyncapi --check
	$(BIN)/python -m deploy.observability.prometheus_config --check
	$(BIN)/python -m deploy.observability.dashboards.write_dashboards --check
	$(BIN)/python -m tests.house_rules

format: $(VENV)/dev.stamp ## Put the code into the house style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

generated: $(VENV)/dev.stamp ## Regenerate what is made from the code: JSON Schemas, AsyncAPI, dashboards, .env.example
	$(BIN)/python -m schemas.write_json_schemas
	$(BIN)/python -m schemas.write_asyncapi
	$(BIN)/python -m deploy.observability.prometheus_config > deploy/observability/prometheus.yml
	$(BIN)/python -m deploy.observability.dashboards.write_dashboards
	$(BIN)/python -m schemas.write_env_example > .env.example

lock: $(UV) ## Regenerate the lock files from pyproject.toml (without an index address)
	$(COMPILE) --extra dev --extra retrain --extra embedded pyproject.toml -o requirements/retrain.txt
	$(COMPILE) --constraints requirements/retrain.txt --extra embedded pyproject.toml -o requirements/serving.txt
	$(COMPILE) --constraints requirements/retrain.txt --extra embedded --extra dev pyproject.toml -o requirements/dev.txt
	$(COMPILE) --constraints requirements/retrain.txt --extra embedded --extra dev --extra browser pyproject.toml -o requirements/browser.txt
	$(COMPILE) --constraints requirements/retrain.txt pyproject.toml -o requirements/image.txt
	$(COMPILE) --constraints requirements/retrain.txt --extra retrain pyproject.toml -o requirements/image-retrain.txt
	$(COMPILE) --no-config requirements/ops.in -o requirements/ops.txt

clean: ## Remove the environment and the embedded stack with its data (ARGS=--yes: do not ask)
	if test -x $(BIN)/murmur; then $(BIN)/murmur down --delete-data $(ARGS); fi
	rm -rf $(VENV)
