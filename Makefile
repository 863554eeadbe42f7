# Targets for contributors, and the shortest way to try Eventloom. `./eventloom --help` lists the commands of users.
# Nothing is written outside this folder. No target takes free-form arguments: make would alter "$" and quotes in them.
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
export npm_config_cache := $(CURDIR)/build/cache/npm
export npm_config_update_notifier := false
export CHECKPOINT_DISABLE := 1
export PYTHONUNBUFFERED := 1
# A path this long would break the Unix sockets that Terraform makes there (108 bytes).
TMP := $(CURDIR)/build/tmp
ifeq ($(shell [ $$(printf %s '$(TMP)' | wc -c) -le 80 ] && echo short),short)
export TMPDIR := $(TMP)
endif

# Requests to an emulator do not go through a proxy.
comma := ,
export no_proxy := 127.0.0.1,localhost$(if $(no_proxy)$(NO_PROXY),$(comma)$(or $(no_proxy),$(NO_PROXY)))
export NO_PROXY := $(no_proxy)

# A make that a test runs must not inherit this selection of tests.
unexport ONLY KEEP

# Tests run Terraform hundreds of times, and Go's garbage collector takes a third of each run's processor time. It runs
# less often if the heap may grow to five times the live data, up to the limit: https://go.dev/doc/gc-guide
ifneq ($(filter test%,$(MAKECMDGOALS)),)
export GOGC ?= 400
export GOMEMLIMIT ?= 2GiB
endif

# Tests touch a real account only with CLOUD=aws. ENV alone is refused, and in other clouds tests see no credentials.
ifneq ($(filter test%,$(MAKECMDGOALS)),)
ifneq ($(CLOUD),aws)
$(foreach variable,$(filter AWS_%,$(.VARIABLES)),$(if $(filter AWS_CA_BUNDLE,$(variable)),,$(eval unexport $(variable))))
export AWS_CONFIG_FILE := /dev/null
export AWS_SHARED_CREDENTIALS_FILE := /dev/null
export AWS_EC2_METADATA_DISABLED := true
else ifeq ($(GIVEN_CLOUD),)
$(error ENV=$(ENV) is a real account: add CLOUD=aws to run tests in it, or leave ENV out to run them on the embedded LocalStack)
endif
endif

PY := build/venv/dev/bin/python

.PHONY: help
help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z][a-z-]*:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@printf '\n./eventloom --help lists the commands for deploying, watching and operating.\n'

##@ Start here
.PHONY: demo test
demo: ## set up, deploy to the embedded LocalStack, send real photos through, show the pictures
	@./eventloom demo

test: setup ## set up and run all tests that need no Docker and no account
	@scripts/test.sh

##@ The embedded LocalStack
.PHONY: up down status
up: ## start it
	@./eventloom up

down: ## stop it; what is deployed is kept for the next start
	@if [ -x build/venv/localstack/bin/python ]; then ./eventloom down; else echo "nothing was ever started"; fi

status: ## is it running, what is deployed, and which calls IAM denied
	@./eventloom status --env $(ENV)

##@ Deploy (ENV=local|dev|staging|prod)
.PHONY: setup build plan deploy destroy
setup: ## install the Python environments and Terraform under build/
	@scripts/bootstrap.sh dev $(if $(filter aws,$(CLOUD)),,localstack) terraform

build: ## package the functions into build/NAME.zip
	@./eventloom build

plan: ## build, and show what would change
	@./eventloom plan --env $(ENV)

deploy: ## build, plan and apply
	@./eventloom deploy --env $(ENV)

destroy: ## remove the environment
	@./eventloom destroy --env $(ENV)

##@ Tests, one kind at a time (PYTEST_ADDOPTS="-k name" passes options to pytest; ONLY=tests/... selects files)
.PHONY: test-quick test-unit test-terraform test-integration test-faults test-policies test-iam test-iam-differential
.PHONY: test-container test-compose test-modules test-parity test-foreign compatibility test-browser
test-quick: lint ## lint, and the unit tests of what changed since main: under a minute
	@$(PY) -m scripts.quick

# With loadfile, one process runs all tests of a file, so that only one makes the fixtures that they share.
test-unit: setup ## logic, commands, packaging: no cloud
	@$(PY) -m pytest -q -n 2 --dist loadfile tests/unit emulator/tests/unit

test-terraform: setup ## fmt, validate and `terraform test` of every module
	@$(PY) -m scripts.check_terraform

test-integration: build ## everything deployed, in CLOUD=embedded (default), compose or aws
	@$(PY) -m pytest -q --durations=12 tests/integration

test-modules: build ## the modules elsewhere, in the same clouds: every trigger, changes of triggers, a foreign root, the examples
	@$(PY) -m pytest -q --durations=12 tests/modules

IAM_TESTS := build/venv/localstack/bin/python -m pytest -q
test-policies: setup ## the policies of every environment: rules for documents, and checkov over the plans
	@scripts/bootstrap.sh localstack checkov && $(IAM_TESTS) $(addprefix tests/iam/test_,width.py reading.py static.py scans.py delivery_policies.py)

test-iam: build ## least privilege: each grant is needed and none is too wide (report: build/iam/report.html); takes minutes
	@scripts/bootstrap.sh localstack checkov && $(IAM_TESTS) $(or $(ONLY),tests/iam)

test-iam-differential: setup ## random policies, also to a second evaluator from npm: CASES=20000 SEED=1 (RECORD=1 renews what make test compares)
	@PYTHONPATH=.:src build/venv/localstack/bin/python -m tests.iam.differential.compare --seed $(or $(SEED),1) --cases $(or $(CASES),20000) $(if $(RECORD),--record)

test-browser: build ## the gallery in Chromium, on its own embedded LocalStack (KEEP=1 leaves it running; ONLY=tests/browser/pace.py measures scrolling)
	@scripts/bootstrap.sh localstack browser
	@CHROMIUM=$$(scripts/chromium.sh) EMBEDDED_PORT=$(or $(EMBEDDED_PORT),4599) build/venv/browser/bin/python -m pytest -q $(if $(KEEP),--keep) $(or $(ONLY),tests/browser)

test-faults: build ## 2,000 objects under 500 faults, nothing lost; 10,000 damaged pictures; 2,000 tables: SEED="1 2 3" OBJECTS=2000 FAULTS=500 PICTURES=10000 TABLES=2000
	@scripts/bootstrap.sh localstack faults
	@$(PY) -m pytest -q -s $(or $(ONLY),tests/faults)

test-parity: setup ## LocalStack's AWS-validated tests on the emulator: LOCALSTACK=CHECKOUT (v4.14.0) [ONLY=tests/aws/...]; takes minutes
	@scripts/bootstrap.sh localstack parity
	@EMULATOR=$(CURDIR)/build/venv/localstack/bin/python PARITY_HOME=build/parity \
	PYTHONPATH=emulator/tests build/venv/parity/bin/python -m parity.lane "$${LOCALSTACK:?set it to a checkout of LocalStack v4.14.0}" $(ONLY)

test-container: setup ## the image of the embedded LocalStack: docker compose --profile embedded, a restart, and everything removed
	@$(PY) -m pytest -q -o timeout=900 --durations=3 tests/container

FOREIGN := TERRAFORM=$(CURDIR)/build/bin/terraform build/venv/localstack/bin/python -m pytest -q --kept build/foreign
test-foreign: setup ## deploy small projects with CDK, SAM, Serverless, Chalice, Zappa on the emulator [PROJECTS=CHECKOUTS]; takes minutes
	@TF_PROVIDER_MIRROR=$$(sed -n 's/^ *path = "\(.*\)"/\1/p' build/terraform.tfrc) \
	$(FOREIGN) $${PROJECTS:+--projects "$$PROJECTS"} $${TABLE:+--table "$$TABLE"} $(or $(ONLY),emulator/tests/foreign)

compatibility: ## the same with pinned foreign projects, and write emulator/docs/compatibility.md: PROJECTS=CHECKOUTS
	@: "$${PROJECTS:?set it to a folder with git repositories; emulator/docs/compatibility.md lists them}"
	@TABLE=emulator/docs/compatibility.md make test-foreign

test-compose: build ## docker compose up, the same tests with Docker's Lambda executor, and everything removed
	@$(PY) -m scripts.compose

##@ Contribute
.PHONY: lint checkov docs capabilities capabilities-peers pictures bench clean
lint: setup ## ruff, mypy, import-linter and codespell
	@$(PY) -m ruff check . && $(PY) -m ruff format --check . && $(PY) -m mypy
	@PYTHONPATH=emulator/src build/venv/dev/bin/lint-imports --no-logo --no-cache && build/venv/dev/bin/codespell

checkov: ## policy scan of the Terraform
	@scripts/bootstrap.sh checkov && build/venv/checkov/bin/checkov --config-file .checkov.yaml

docs: setup ## bring the pictures in docs/ and the tables in the modules' READMEs up to date
	@$(PY) -m scripts.diagrams && $(PY) -m scripts.module_docs

capabilities: setup ## write docs/capabilities.md: what each cloud can do, by the last whole run in each
	@$(PY) -m scripts.capabilities_page

capabilities-peers: setup ## ask MiniStack and moto's server for the same capabilities, and write the page
	@scripts/bootstrap.sh peers && $(PY) -m scripts.peer_emulators && $(PY) -m scripts.capabilities_page

pictures: test-browser ## take the gallery's screenshots, and README's picture from them
	@$(PY) -m scripts.gallery_picture

bench: setup ## measure against the peers: build/bench.html, docs/performance.md (QUICK=1: only show that it runs)
	@scripts/bootstrap.sh bench && build/venv/bench/bin/python -m scripts.bench $(if $(QUICK),--quick)

clean: ## stop the embedded LocalStack and remove everything that was made, what is deployed in it included
	@if [ -x build/venv/localstack/bin/python ]; then ./eventloom down --forget; fi
	@rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find functions src emulator scripts tests \( -name __pycache__ -o -name '*.egg-info' \) -prune -exec rm -rf {} +
