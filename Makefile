# Needs only Python 3.13 and make; everything else comes from the package registry into .venv.
# RUNTIME, DEV and PEERS are stamps: packages are installed again only when a requirements file has changed.
PYTHON ?= $(shell command -v python3.13 || command -v python3)
SOURCE ?=
ARGS ?=
SECONDS ?= 600
ADDRESS ?= 127.0.0.1:8000
RUNTIME := .venv/.runtime
DEV := .venv/.dev
PEERS := .venv/.peers
MANAGE := .venv/bin/python manage.py
PIP := .venv/bin/python -m pip install -qq --disable-pip-version-check --no-input
export PIP_ROOT_USER_ACTION := ignore
# Where it forbids them, each of hundreds of processes would compile the project, and pytest all tests, anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup load serve worker test check check-all bench soak screenshots aws clean
.DEFAULT_GOAL := help

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(RUNTIME) $(DEV) .env ## make the virtual environment and .env (all other targets do what they need of it)

# A sample is finished when it has its reviews: its files are put there at the end, these as the last.
load: $(RUNTIME) .env ## load SOURCE=... (a folder, the dataset's .zip, s3://...), or else a sample that it makes
	@$(MANAGE) migrate --verbosity 0
ifeq ($(SOURCE),)
	@test -e var/sample/olist_order_reviews_dataset.csv || $(MANAGE) sample_olist var/sample
endif
	@$(MANAGE) load_olist '$(or $(SOURCE),var/sample)' $(ARGS)

serve: $(RUNTIME) .env ## run the site, and what must happen by itself, on http://127.0.0.1:8000/ (another: ADDRESS=host:port)
	@DEBUG=on $(MANAGE) migrate --verbosity 0
	@DEBUG=on $(MANAGE) shell --verbosity 0 -c "from django.contrib.auth.models import User; \
	User.objects.filter(is_superuser=True).exists() or \
	print('Nobody can log in yet. Make a superuser: .venv/bin/python manage.py createsuperuser')"
	@DEBUG=on $(MANAGE) run_scheduled_backups --loop & loops=$$!; DEBUG=on $(MANAGE) tend_rejects --loop & loops="$$loops $$!"; \
	trap "kill $$loops 2>/dev/null" EXIT INT TERM; \
	DEBUG=on $(MANAGE) runserver '$(ADDRESS)'

worker: $(RUNTIME) .env ## do the tasks of the queue (TASKS_BACKEND in .env); Ctrl-C lets the one at work finish
	@$(MANAGE) migrate --verbosity 0
	@exec $(MANAGE) db_worker $(ARGS)

test: $(RUNTIME) $(DEV) .env ## run the tests (more options: ARGS="-k batch")
	@.venv/bin/python -m pytest -n 3 $(ARGS)

check: $(RUNTIME) $(DEV) .env ## format, lint, types, import contracts, migrations, then the tests
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@$(MANAGE) makemigrations --check --dry-run
	@$(MAKE) --no-print-directory test

check-all: $(RUNTIME) $(DEV) .env ## run all tests, also the slow proofs
	@.venv/bin/python -m pytest -n 2 -m '' $(ARGS)

bench: $(RUNTIME) $(PEERS) .env ## measure speed and memory, side by side with bare COPY
	@.venv/bin/python -m benchmarks $(ARGS)

soak: $(RUNTIME) .env ## let clients, backups, restarts and kills meet, and prove that nothing is lost (SECONDS=600)
	@.venv/bin/python -m benchmarks.soak $(SECONDS)

screenshots: $(RUNTIME) $(DEV) .env ## make pictures of the admin's pages in var/screenshots (needs Chromium)
	@.venv/bin/python -m pytest tests/ingest/desk/shots.py $(ARGS)

aws: $(RUNTIME) $(DEV) .env ## try deploy/aws on this machine: an emulator in place of AWS, a PostgreSQL with TLS as RDS
	@.venv/bin/python -m pytest -m '' -n 0 -rs tests/aws $(ARGS)

clean: ## remove .venv and all caches (the database in var/ and .env stay)
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Others' right to read and run .venv is for the system user as whom root runs the embedded PostgreSQL.
$(RUNTIME): requirements.txt constraints.txt
	@test -n '$(PYTHON)' && '$(PYTHON)' -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' || \
	{ echo 'error: Python 3.13 is needed, and neither python3.13 nor python3 is one. Name it: make PYTHON=/path' >&2; exit 2; }
	@echo 'Installing packages into .venv ...'
	@umask 022 && '$(PYTHON)' -m venv .venv && $(PIP) -r requirements.txt && touch $@

$(DEV): requirements.txt requirements-dev.txt constraints.txt $(RUNTIME)
	@echo 'Installing the packages of the tests into .venv ...'
	@umask 022 && $(PIP) -r requirements-dev.txt && touch $@

# In a folder of its own: Django would take the psycopg 3 that they bring. A peer that is missing is left out by name.
$(PEERS): requirements-bench.txt constraints.txt $(RUNTIME)
	@echo 'Installing the peers of the benchmark into .venv/peers ...'
	@umask 022 && rm -rf .venv/peers && $(PIP) --target .venv/peers -r requirements-bench.txt && touch $@ || \
	echo 'They could not be installed; the benchmark goes on without them.' >&2

.env:
	@umask 077 && printf 'DEBUG=on\nSECRET_KEY=%s\n' "$$(.venv/bin/python -c 'import secrets; print(secrets.token_urlsafe(60))')" > $@.part
	@mv $@.part $@
	@echo 'Wrote .env with DEBUG=on and a SECRET_KEY of your own.'
