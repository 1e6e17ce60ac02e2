# The same targets serve people and CI. Everything lives in .venv; nothing is installed elsewhere.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv

# The largest set is locked first and binds the others: no library has two versions here.
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
  --no-emit-index-url --no-annotate

.DEFAULT_GOAL := help
.PHONY: help image image-test compose-test profiles-test compose-demo sbom audit image-push sign chart-push release deploy-hook deploy-check newer-lock demo demo-full test browser-test screenshots torture circle check accuracy faithfulness peers api-examples bench bounds drift-table generated lock format clean ops-check chart-check alerts-live

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

demo-full: $(VENV)/retrain.stamp ## The other half: the stream changes, and a model that was trained on it takes over
	@$(BIN)/murmur demo --full $(ARGS)

# Each process wants 2 GB. On more cores more of them are quicker; promises in seconds need a core each.
# Files in their order: the quick ones of tests/unit come last and even out the processes.
PROCESSES ?= 2
test: $(VENV)/retrain.stamp ## Run all tests on a real Kafka, PostgreSQL and Valkey (PROCESSES=4: on more cores)
	$(BIN)/python -m pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder $(ARGS)

accuracy: $(VENV)/dev.stamp ## Labelled tweets through the stack: make accuracy LABELS=FILE (id, label, text by tabs)
	@$(BIN)/python -m tests.accuracy $(LABELS)

faithfulness: $(VENV)/dev.stamp ## Weights of words beside random ones: make faithfulness LABELS=FILE (none: made-up texts)
	@$(BIN)/python -m tests.faithfulness $(LABELS) $(ARGS)

peers: $(VENV)/dev.stamp ## The inference protocol by Triton's client, in an environment of its own
	@$(BIN)/python -m tests.peers

api-examples: $(VENV)/dev.stamp ## Schemathesis over every call of the service, in an environment of its own (ARGS="--examples 500")
	@$(BIN)/python -m tests.peers.openapi_examples $(ARGS)

# Only the comparison with the obvious pipeline needs PyTorch.
bench: $(VENV)/$(if $(findstring --baseline,$(ARGS)),retrain,dev).stamp ## What the stream costs, as ratios in JSON (ARGS=--baseline: beside the obvious pipeline)
	@$(BIN)/python -m tests.benchmarks $(ARGS)

bounds: $(VENV)/dev.stamp ## Worst time and memory of each stage, over random and costly texts, files and headers, as Markdown
	@$(BIN)/python -m tests.bounds $(ARGS)

drift-table: $(VENV)/dev.stamp ## What the watch's detectors do in 300 simulated years, as Markdown (ARGS="--years 30")
	@$(BIN)/python -m tests.drift_table $(ARGS)

browser-test: $(VENV)/browser.stamp ## The page in a real Chromium, which has to be installed (ARGS="-k phone")
	$(BIN)/python -m pytest tests/browser $(ARGS)

screenshots: $(VENV)/browser.stamp ## README's pictures of the page, from the demo's data (needs Chromium)
	$(BIN)/murmur demo --keep-up
	$(BIN)/python -m tests.screenshots

torture: $(VENV)/dev.stamp ## Kill, stop, pause and fill a stack while tweets flow, then compare everything; 20 swaps of models; the service at full load; a storm on the live stream; a watch that is killed; tests that kill, with more kills
	$(BIN)/python -m tests.torture $(ARGS)
	$(BIN)/python -m tests.torture.swaps $(SWAPS)
	$(BIN)/python -m tests.torture.serving $(SERVING)
	$(BIN)/python -m tests.torture.live $(STORM)
	$(BIN)/python -m tests.torture.watching $(WATCHING)
	KILLS=often $(BIN)/python -m pytest tests/end_to_end/test_kills.py tests/integration/test_score.py tests/integration/test_watch.py -k kill

circle: $(VENV)/retrain.stamp ## Let a stream change, and watch another model serve it by itself
	$(BIN)/python -m tests.circle

ops-check: $(VENV)/dev.stamp $(VENV)/ops.stamp ## Rules, routes, dashboards, contracts and examples, by the tools that read them (ARGS=WORD: some steps)
	@$(BIN)/python -m tests.ops_check $(ARGS)

# Nobody publishes it by itself; Go builds it from the locked modules.
API_SERVER := tests/ops_check/api_server
API_SERVER_VERSION = $(shell sed -n 's/^\tk8s.io\/kubernetes v//p' $(API_SERVER)/go.mod)
build/ops/kube-apiserver: $(addprefix $(API_SERVER)/,go.mod go.sum main.go)
	CGO_ENABLED=0 go build -C $(API_SERVER) -trimpath -o $(abspath $@) -ldflags "-s -w \
	  -X k8s.io/component-base/version.gitVersion=v$(API_SERVER_VERSION) \
	  -X k8s.io/component-base/version.gitMajor=1 \
	  -X k8s.io/component-base/version.gitMinor=$(word 2,$(subst ., ,$(API_SERVER_VERSION)))" .

chart-check: build/ops/kube-apiserver $(VENV)/dev.stamp ## The chart before a real API server (Go, etcd, helm, kubectl; 10 minutes and 2 GB the first time)
	@$(BIN)/python -m tests.ops_check "API server"

alerts-live: $(VENV)/dev.stamp ## Break a running installation, and wait for each alert at a webhook (20 minutes)
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

# Linters of the deployment's files: an environment of their own beside the one of Murmur.
$(VENV)/ops.stamp: requirements/ops.txt $(UV)
	test -x $(VENV)/ops/bin/python || $(PYTHON) -m venv --without-pip $(VENV)/ops
	VIRTUAL_ENV=$(VENV)/ops $(UV) pip install --no-config --quiet --require-hashes -r requirements/ops.txt
	@touch $@

# docker, else podman; IMAGE_BUILD_ARGS has what a build needs here (a proxy, certificates).
CONTAINER_TOOL ?= $(or $(shell command -v docker),$(shell command -v podman))
TARGET ?= serving
IMAGE ?= localhost/murmur$(if $(filter retrain,$(TARGET)),-retrain):$(VERSION)
VERSION ?= $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
image: ## Build the image (TARGET=retrain: the one for training)
	$(CONTAINER_TOOL) build $(IMAGE_BUILD_ARGS) --file deploy/image/Dockerfile --target $(TARGET) \
	  --build-arg VERSION=$(VERSION) --build-arg REVISION=$$(git rev-parse HEAD) --tag $(IMAGE) .

image-test: $(VENV)/dev.stamp ## Build the image and run the pipeline from it, locked down, on real servers
	CONTAINER_TOOL=$(CONTAINER_TOOL) $(BIN)/python -m tests.containers.image_test $(ARGS)

compose-test: $(VENV)/dev.stamp ## Run docker-compose.yml's own services and count what they store
	CONTAINER_TOOL=$(CONTAINER_TOOL) $(BIN)/python -m tests.containers.compose_test $(ARGS)

profiles-test: $(VENV)/dev.stamp ## Start the profiles monitoring, live and retrain as docker-compose.yml has them
	CONTAINER_TOOL=$(CONTAINER_TOOL) $(BIN)/python -m tests.containers.profiles_test $(ARGS)

compose-demo: $(VENV)/dev.stamp ## The same with a larger archive, and leave it running
	CONTAINER_TOOL=$(CONTAINER_TOOL) $(BIN)/python -m tests.containers.compose_test --keep-up --lines 20000 $(ARGS)

sbom: $(VENV)/ops.stamp $(VENV)/serving.stamp ## Write what is installed for serving, as CycloneDX (build/sbom.cdx.json)
	mkdir -p build
	$(VENV)/ops/bin/cyclonedx-py environment --output-reproducible --pyproject pyproject.toml \
	  --output-file build/sbom.cdx.json $(BIN)/python

# pip-audit says that all is well where it has audited nothing: only --strict is honest.
audit: $(VENV)/ops.stamp ## Look the locked versions up among known vulnerabilities (needs the network)
	$(VENV)/ops/bin/pip-audit --strict --disable-pip --requirement requirements/image.txt
	$(VENV)/ops/bin/pip-audit --strict --disable-pip --requirement requirements/image-retrain.txt

# For cd: REGISTRY is where images and chart go; you have to be logged in there.
REGISTRY ?= localhost
PUSHED = $(REGISTRY)/murmur$(if $(filter retrain,$(TARGET)),-retrain):$(VERSION)
image-push: ## Push the image to REGISTRY
	if test -n "$$REGISTRY_PASSWORD"; then printf %s "$$REGISTRY_PASSWORD" \
	  | $(CONTAINER_TOOL) login --username "$$REGISTRY_USER" --password-stdin $(firstword $(subst /, ,$(REGISTRY))); fi
	$(CONTAINER_TOOL) tag $(IMAGE) $(PUSHED)
	$(CONTAINER_TOOL) push $(PUSHED)

sign: ## Sign the pushed image by its digest, with the identity of whoever runs this
	cosign sign --yes "$$($(CONTAINER_TOOL) image inspect --format '{{index .RepoDigests 0}}' $(PUSHED))"

chart-push: ## Package the chart and push it to REGISTRY
	mkdir -p build
	helm package deploy/kubernetes/chart --version $(VERSION) --app-version $(VERSION) --destination build
	if test -n "$$REGISTRY_PASSWORD"; then printf %s "$$REGISTRY_PASSWORD" \
	  | helm registry login --username "$$REGISTRY_USER" --password-stdin $(firstword $(subst /, ,$(REGISTRY))); fi
	helm push build/murmur-$(VERSION).tgz oci://$(REGISTRY)/charts

release: ## Make the release of this tag on GitHub, with the SBOM
	gh release create v$(VERSION) --verify-tag --generate-notes build/sbom.cdx.json

deploy-hook: ## Tell DEPLOY_HOOK_URL which version there is; nothing without one
	if test -n "$$DEPLOY_HOOK_URL"; then printf 'url = "%s"\n' "$$DEPLOY_HOOK_URL" | curl --fail --silent \
	  --show-error --config - --json '{"version": "$(VERSION)"}'; fi

# A part of ops-check. A tool that is not here is named, and does not fail it (exit 2).
deploy-check: $(VENV)/ops.stamp $(VENV)/dev.stamp ## Lint the image, compose file, chart, workflows and units
	@$(BIN)/python -m tests.ops_check deployment || test $$? -eq 2

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

newer-lock: COMPILE += --upgrade
newer-lock: lock ## The same with the newest versions that pyproject.toml allows

clean: ## Remove the environment and the embedded stack with its data (ARGS=--yes: do not ask)
	if test -x $(BIN)/murmur; then $(BIN)/murmur down --delete-data $(ARGS); fi
	rm -rf $(VENV)
