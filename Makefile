# Everything a person does with Eventloom. `make help` lists it; nothing is written outside this folder.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

ENV ?= local
GIVEN_CLOUD := $(CLOUD)
export CLOUD ?= $(if $(filter-out local,$(ENV)),aws,embedded)
export UV_CACHE_DIR := $(CURDIR)/build/cache/uv
export PYTHONPYCACHEPREFIX := $(CURDIR)/build/cache/pycache
export XDG_CACHE_HOME := $(CURDIR)/build/cache
export PYTHONUNBUFFERED := 1
# A path this long would break the Unix sockets that Terraform makes there (108 bytes).
TMP := $(CURDIR)/build/tmp
ifeq ($(shell [ $$(printf %s '$(TMP)' | wc -c) -le 80 ] && echo short),short)
export TMPDIR := $(TMP)
endif

# What is said to an emulator goes to it, not to a proxy.
comma := ,
export no_proxy := 127.0.0.1,localhost$(if $(no_proxy)$(NO_PROXY),$(comma)$(or $(no_proxy),$(NO_PROXY)))
export NO_PROXY := $(no_proxy)

# What tests type into make themselves must not take over what was said to the make that runs them.
unexport ARGS ONLY

# Tests touch a real account only when CLOUD=aws says so: ENV alone is refused, and what they run in other clouds sees no credentials.
ifneq ($(filter test%,$(MAKECMDGOALS)),)
ifneq ($(CLOUD),aws)
$(foreach variable,$(filter AWS_%,$(.VARIABLES)),$(if $(filter AWS_CA_BUNDLE,$(variable)),,$(eval unexport $(variable))))
export AWS_CONFIG_FILE := /dev/null
export AWS_SHARED_CREDENTIALS_FILE := /dev/null
export AWS_EC2_METADATA_DISABLED := true
else ifeq ($(GIVEN_CLOUD),)
$(error ENV=$(ENV) is a real account: say CLOUD=aws to run tests in it, or leave ENV out to run them on the embedded LocalStack)
endif
endif

PY := build/venv/dev/bin/python
LOCALSTACK := build/venv/localstack/bin/python -m embedded_localstack
PORT := $(if $(EMBEDDED_PORT),--port $(EMBEDDED_PORT))

.PHONY: help
help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z][a-z-]*:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Start here
.PHONY: demo test
demo: up build ## set up, deploy to the embedded LocalStack, send real photos through, show the pictures
	@$(PY) -m eventloom.demo

test: setup ## set up and pass all tests that need no Docker and no account
	@scripts/test.sh

##@ Build and look (at ENV=local|dev|staging|prod)
.PHONY: setup build upload thumbnail invoke logs
setup: ## make the Python environments and find or fetch Terraform, under build/
	@scripts/bootstrap.sh dev localstack terraform

build: setup ## package the functions into build/<name>.zip (NAMES="a b" for some)
	@$(PY) -m eventloom.deployment.build $(NAMES)

upload: setup ## send FILE="a.jpg b.png" through the deployed pipeline
	@$(PY) -m eventloom.upload --env $(ENV) $(FILE)

thumbnail: setup ## make thumbnails of FILE=... into build/thumbnails with no cloud
	@$(PY) -m eventloom.thumbnail $(FILE) --out build/thumbnails

invoke: setup ## call a function: FN=thumbnailer EVENT=test_event (a file, or one of its events/)
	@$(PY) -m eventloom.invoke --env $(ENV) "$(FN)" "$(EVENT)"

logs: setup ## a function's log: FN=thumbnailer [FOLLOW=1]
	@$(PY) -m eventloom.monitoring.logs --env $(ENV) "$(FN)" $(if $(FOLLOW),--follow)

##@ Watch an environment (ENV=...)
.PHONY: watch report
watch: setup ## uploads, backlog, durations, errors and cost, live (ONCE=1: a snapshot)
	@$(PY) -m eventloom.monitoring.watch --env $(ENV) $(if $(ONCE),--once)

report: setup ## the same as a page with charts: build/report.html (MINUTES=60)
	@$(PY) -m eventloom.monitoring.report --env $(ENV) $(if $(MINUTES),--minutes $(MINUTES))

##@ Add a function
.PHONY: new-function
new-function: setup ## write one that builds, deploys and passes its test: NAME=hello TRIGGER=schedule
	@$(PY) -m eventloom.scaffold.new_function "$(NAME)" "$(TRIGGER)"

##@ The embedded LocalStack
.PHONY: up down restart status
up: setup ## start it
	@$(LOCALSTACK) up $(PORT)

restart: setup ## stop it and start it again with everything that is in it
	@$(LOCALSTACK) restart $(PORT)

down: ## stop it and everything it started
	@if [ -x build/venv/localstack/bin/python ]; then $(LOCALSTACK) down $(PORT); else echo "nothing was ever started"; fi

status: setup ## is it running, and which calls did IAM deny
	@$(LOCALSTACK) status $(PORT)

##@ Deploy (ENV=local|dev|staging|prod)
.PHONY: plan deploy apply-saved destroy
plan: setup ## package the functions, show what would change
	@$(PY) -m eventloom.deployment.apply plan --env $(ENV)

deploy: setup ## package, plan, apply that very plan
	@$(PY) -m eventloom.deployment.apply apply --env $(ENV)

apply-saved: setup ## apply the plan that `make plan` saved, with the packages it was made from
	@$(PY) -m eventloom.deployment.apply apply-saved --env $(ENV)

destroy: setup ## remove the environment
	@$(PY) -m eventloom.deployment.apply destroy --env $(ENV)

##@ Examples (NAME=cron-job|webhook-to-queue|s3-to-parquet; on AWS with CLOUD=aws)
.PHONY: example destroy-example
example: setup ## build and apply examples/NAME
	@$(PY) -m eventloom.deployment.examples apply "$(NAME)"

destroy-example: setup ## remove it
	@$(PY) -m eventloom.deployment.examples destroy "$(NAME)"

##@ Operate (ENV=..., ARGS="..."; --help says what each takes)
.PHONY: dlq backfill audit replay simulate
dlq: setup ## what failed for good: ARGS="list", "inspect ID", "redrive --all --rate 20", "discard ID --reason ..."
	@$(PY) -m eventloom.operations.dlq --env $(ENV) $(ARGS)

backfill: setup ## send existing objects through the pipeline: ARGS="--prefix 2025/ --rate 200 --dry-run"
	@$(PY) -m eventloom.operations.backfill --env $(ENV) $(ARGS)

audit: setup ## compare buckets and catalog, report drift: ARGS="--repair"
	@$(PY) -m eventloom.operations.audit --env $(ENV) $(ARGS)

replay: setup ## send events again: ARGS="--file events.jsonl --rate 20", "--archive NAME --start ... --end ..."
	@$(PY) -m eventloom.operations.replay --env $(ENV) $(ARGS)

simulate: setup ## backlog, latency, cost and first limit at 10 to 10,000 uploads/s: ARGS=measure first, then without
	@$(PY) -m eventloom.monitoring.simulate --env $(ENV) $(ARGS)

##@ Tests, one kind at a time (ARGS="..." for pytest)
.PHONY: test-unit test-terraform test-integration test-faults test-policies test-iam test-compose test-browser capabilities pictures lint checkov
test-unit: setup ## logic, scripts, packaging: no cloud
	@$(PY) -m pytest -n 2 tests/unit emulator/tests/unit $(ARGS)

test-terraform: setup ## fmt, validate and `terraform test` of every module
	@$(PY) -m scripts.check_terraform

test-integration: build ## the deployed whole, in CLOUD=embedded|compose (or aws)
	@$(PY) -m pytest tests/integration $(ARGS)

IAM_TESTS := build/venv/localstack/bin/python -m pytest -q
test-policies: setup ## the policies of every environment: rules for documents, and checkov over the plans
	@scripts/bootstrap.sh checkov && $(IAM_TESTS) tests/iam/test_static.py tests/iam/test_scans.py

test-iam: build ## least privilege: each grant is needed by a test (report: build/iam/report.html); takes minutes; ONLY=tests/iam/...
	@scripts/bootstrap.sh checkov && $(IAM_TESTS) $(or $(ONLY),tests/iam)

test-browser: build ## the gallery in Chromium, on an embedded LocalStack of its own; pictures in build/screenshots
	@scripts/bootstrap.sh browser
	@CHROMIUM=$$(scripts/chromium.sh) EMBEDDED_PORT=$(or $(EMBEDDED_PORT),4599) build/venv/browser/bin/python -m pytest tests/browser $(ARGS)

pictures: test-browser ## the same, and README's picture from it
	@$(PY) -m scripts.gallery_picture

test-faults: build ## 2,000 objects under 500 faults, nothing lost: SEED="1 2 3" OBJECTS=2000 FAULTS=500 ONLY=tests/faults/...
	@scripts/bootstrap.sh faults
	@$(PY) -m pytest -q -s $(or $(ONLY),tests/faults)

test-compose: build ## docker compose up, the same tests with Docker's Lambda executor, and everything removed
	@$(PY) -m scripts.compose

capabilities: setup ## write docs/capabilities.md: what each cloud can do, by the last whole run in each
	@$(PY) -m scripts.capabilities_page

lint: setup ## ruff and mypy
	@$(PY) -m ruff check . && $(PY) -m ruff format --check . && $(PY) -m mypy functions examples/*/functions/* src scripts emulator/src

.PHONY: docs
docs: setup ## bring the pictures in docs/ and the tables in the modules' READMEs up to date
	@$(PY) -m scripts.diagrams && $(PY) -m scripts.module_docs

checkov: ## policy scan of the Terraform
	@scripts/bootstrap.sh checkov && build/venv/checkov/bin/checkov --config-file .checkov.yaml

.PHONY: bench
bench: setup ## measure against the peers: build/bench.html, docs/performance.md (QUICK=1: only show that it runs)
	@scripts/bootstrap.sh bench && build/venv/bench/bin/python -m scripts.bench $(if $(QUICK),--quick)

.PHONY: clean
clean: down ## remove everything that was made
	@rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find functions src emulator scripts tests \( -name __pycache__ -o -name '*.egg-info' \) -prune -exec rm -rf {} +
