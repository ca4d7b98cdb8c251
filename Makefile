# Everything a developer does here. `make` alone lists it.

VENV := .venv
PYTHON ?= $(shell for python in python3.13 python3.14 python3.12 python3.11 python3; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

.DEFAULT_GOAL := help
.PHONY: help run sam-local containers token migrate test test-served bench profile lint scan audit \
	format statements openapi migration lock deploy smoke

help: ## List what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1 \2/p' $(MAKEFILE_LIST) | awk '{ printf "%-5s%-12s", $$1, $$2; $$1 = $$2 = ""; print }'

run: $(VENV)/run ## Serve the API on http://127.0.0.1:8000 (HOST, PORT, DATABASE_URL, BETTER_AUTH_SECRET)
	@$(VENV)/bin/python -m infra.local

sam-local: $(VENV)/run $(VENV)/sam ## Serve it with `sam local` on http://127.0.0.1:3000 (PORT, DATABASE_URL, SAM_ARGS)
	@PATH="$(CURDIR)/$(VENV)/sam/bin:$$PATH" exec $(VENV)/bin/python -m infra.local.sam $(SAM_ARGS)

containers: $(VENV)/run ## Serve it from a container, with Postgres and PgBouncer in others (PORT)
	@$(VENV)/bin/python -m infra.local.containers

token: $(VENV)/run ## Print a token for it: make token USER_ID=alice
	@$(VENV)/bin/python -m infra.local.token "$(or $(USER_ID),alice)"

migration: $(VENV)/run ## Write the migration for a change of the tables: make migration NAME="add color"
	@$(VENV)/bin/python -m infra.local.migration "$(NAME)"

migrate: $(VENV)/run ## Bring the database of DATABASE_URL to the newest version of the schema
	@$(VENV)/bin/alembic upgrade head

test: ## Run all tests, on all cores (PYTEST_ARGS="tests/unit -x")
	@$(MAKE) --silent --jobs=2 $(VENV)/test $(VENV)/sam
	@$(VENV)/bin/python -m pytest --numprocesses=logical --dist=loadfile --no-loadscope-reorder \
		--durations=10 $(PYTEST_ARGS)

test-served: $(VENV)/test ## Walk the API that one of the above serves (URL)
	@LAMBDO_URL="$(or $(URL),http://127.0.0.1:3000)" $(VENV)/bin/python -m pytest tests/contract $(PYTEST_ARGS)

bench: ## Measure it beside others, for up to ten minutes (PARTS="cold warm latency")
	@$(MAKE) --silent --jobs=2 $(VENV)/bench $(VENV)/sam
	@$(VENV)/bin/python -m tests.bench $(PARTS)

profile: $(VENV)/bench ## Show where the time of a request and of a cold start goes
	@$(VENV)/bin/python -m tests.bench.profile

lint: $(VENV)/test $(VENV)/sam ## Check style, types, the templates and the workflows
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/mypy functions shared infra tests
	@$(VENV)/sam/bin/sam validate --lint --region us-east-1
	@$(VENV)/sam/bin/cfn-lint --regions us-east-1 -- infra/ci-role.yaml
	@$(VENV)/bin/zizmor --quiet --offline --pedantic .github

scan: $(VENV)/scan ## Look for what is unsafe in the templates, the workflows and the container file
	@# What is in tests/bench/textbook is measured and never deployed.
	@$(VENV)/scan/bin/checkov --directory . --quiet --compact --skip-download --skip-path tests/bench/textbook

audit: $(VENV)/test ## Look for known vulnerabilities in what runs on Lambda
	@$(VENV)/bin/pip-audit --strict --disable-pip --requirement requirements.txt

format: $(VENV)/test ## Format the code
	@$(VENV)/bin/ruff format .
	@$(VENV)/bin/ruff check --fix .

statements: $(VENV)/run ## Make shared/statements anew, after shared/queries or a field has changed
	@$(VENV)/bin/python -m infra.statements

openapi: $(VENV)/run ## Make shared/http/openapi.json anew, after an endpoint has changed
	@$(VENV)/bin/python -m infra.openapi

COMPILE := $(VENV)/bin/uv pip compile --quiet --no-header --no-annotate --universal \
	--generate-hashes --python-version 3.11 $(LOCK_ARGS)

lock: $(VENV)/run ## Pin the newest versions of all packages (LOCK_ARGS=--upgrade)
	@$(VENV)/bin/pip install --quiet uv
	@$(COMPILE) pyproject.toml -o requirements.txt
	@$(COMPILE) pyproject.toml -c requirements.txt --group local -o infra/local/requirements.txt
	@$(COMPILE) pyproject.toml -c infra/local/requirements.txt --group local --group test \
		-o tests/requirements.txt
	@$(COMPILE) pyproject.toml -c tests/requirements.txt --group local --group bench \
		-o tests/bench/requirements.txt
	@$(COMPILE) -c requirements.txt --group textbook -o tests/bench/textbook/app/requirements.txt
	@$(COMPILE) --group deploy -o infra/requirements.txt
	@$(COMPILE) --group scan -o infra/scan/requirements.txt

deploy: $(VENV)/sam ## Build and release a stage of samconfig.toml: make deploy STAGE=dev
	@test -n "$(STAGE)" || { echo "Say which stage: make deploy STAGE=dev" >&2; exit 1; }
	@$(VENV)/sam/bin/sam build --config-env "$(STAGE)"
	@$(VENV)/sam/bin/python -m infra.release "$(STAGE)"

smoke: $(VENV)/bin/python ## Check that a deployed API works: make smoke URL=https://… (LAMBDO_TOKEN)
	@$(VENV)/bin/python -m infra.smoke "$(URL)"

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Lambdo needs Python 3.11 or newer; none was found." >&2; exit 1; }
	@echo "Setting up $(VENV) (once; takes a minute) ..." >&2
	@$(PYTHON) -m venv $(VENV)

$(VENV)/run: infra/local/requirements.txt | $(VENV)/bin/python
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

$(VENV)/test: tests/requirements.txt | $(VENV)/bin/python
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@ $(VENV)/run

$(VENV)/bench: tests/bench/requirements.txt | $(VENV)/bin/python
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@ $(VENV)/run

# The deployment tool and the scanner pin versions of their own, so each has an environment of its own.
$(VENV)/sam: infra/requirements.txt
$(VENV)/scan: infra/scan/requirements.txt
$(VENV)/sam $(VENV)/scan:
	@test -n "$(PYTHON)" || { echo "Lambdo needs Python 3.11 or newer; none was found." >&2; exit 1; }
	@$(PYTHON) -m venv $@
	@$@/bin/pip install --quiet --disable-pip-version-check --upgrade pip # 23.2 trips over extras
	@$@/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@
