# The commands of this checkout. The first target that you use creates a virtual environment and
# installs into it, by hash. You need Python 3.11 or later, make and a POSIX shell.
#
#   make run PORT=8001              another port
#   make test PYTHON=python3.13     another interpreter (its environment is .venv-3.13)
#   make test ARGS="-k signup"      arguments for pytest
#   make test COVERAGE=1            with coverage, as `make test-coverage` and CI do

SHELL := /bin/sh
.DEFAULT_GOAL := help

PORT ?= 8000
DATA ?= var
ARGS ?=
PYTHON ?=
COVERAGE ?=

# Each candidate is run, because a name on the PATH may be a shim for a missing version.
usable = "$(1)" -c 'import ensurepip, ssl, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
ifeq ($(PYTHON),)
  VENV := .venv
else
  VENV := .venv-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
endif
BIN := $(VENV)/bin
PARALLEL := -n 3 --dist worksteal
MEASURED := $(if $(COVERAGE),--cov --cov-report term --cov-fail-under 90)
INSTALLED := $(VENV)/.installed
CLIENT := clients/javascript
CLIENT_INSTALLED := $(CLIENT)/node_modules/.installed
EXEC := $(BIN)/python -m deploy.local.exec --data $(DATA)

export UV_SYSTEM_CERTS := 1
export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS := 1
export PYTHONUNBUFFERED := 1
# Without byte code each process that starts would compile everything again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## Show this help
	@sed -n 's/^\([a-z][a-z/-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name text; \
	do printf '  make %-20s %s\n' "$$name" "$$text"; done

.PHONY: run
run: $(INSTALLED) ## Start everything on one address (PORT=8000, DATA=var); Ctrl-C stops it
	@exec $(BIN)/python -m deploy.local --port $(PORT) --data $(DATA) --end-with-parent

.PHONY: clean-data
clean-data: $(INSTALLED) ## Delete the data of `make run`: accounts, pictures, keys (DATA=var)
	@$(BIN)/python -m deploy.local --data $(DATA) --clean-data

.PHONY: forget # the old name of clean-data, for one release
forget: clean-data

.PHONY: demo
demo: $(INSTALLED) ## Run the main use case against `make run` (PORT or BASE_URL)
	@PORT=$(PORT) $(BIN)/python -m deploy.local.demo

.PHONY: test
test: $(INSTALLED) ## Run the tests on their own servers (ARGS for pytest)
	@$(BIN)/python -m pytest $(PARALLEL) $(MEASURED) $(ARGS)

.PHONY: test-coverage
test-coverage: ## Run the same tests with coverage; fail below 90 %
	@$(MAKE) --no-print-directory test COVERAGE=1

.PHONY: test-long
test-long: $(INSTALLED) ## Run the randomised and repeated tests at full length
	@LONG_TESTS=1 $(BIN)/python -m pytest $(PARALLEL) -m long $(ARGS)

.PHONY: test-browser
test-browser: $(INSTALLED) ## Test the console in a headless Chromium (CHROMIUM, BASE_URL)
	@$(BIN)/python -m pytest tests/browser $(ARGS)

.PHONY: test-interop
test-interop: $(INSTALLED) ## Test with 15 real HTTP clients, 2 minutes (curl, Node, Go, Java, Python, Rust; BASE_URL)
	@$(BIN)/python -m pytest -n 0 -rs -o faulthandler_timeout=600 tests/interop $(ARGS)

.PHONY: test-js
test-js: $(INSTALLED) ## Test the JavaScript client against a stack (Node 20; BASE_URL)
	@$(BIN)/python -m tests.support.with_stack node --test $(CLIENT)/test/*.test.js

.PHONY: test-stack
test-stack: $(INSTALLED) ## Test a container stack under faults, 11 minutes (needs Docker)
	@$(BIN)/python -m pytest -n 0 -o faulthandler_timeout=600 tests/stack $(ARGS)

.PHONY: check
check: $(INSTALLED) ## Check lint, format, types, import contracts and generated files
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m docs.generate --check

.PHONY: check-js
check-js: $(CLIENT_INSTALLED) ## Check the JavaScript client: generated types, types, size (Node 20, npm)
	@cd $(CLIENT) && npm run --silent check

.PHONY: generate
generate: $(INSTALLED) ## Write docs/settings.md, .env.example and docs/openapi/ from the code
	@$(BIN)/python -m docs.generate

.PHONY: format
format: $(INSTALLED) ## Format the code and apply ruff's fixes
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

.PHONY: bench
bench: $(INSTALLED) ## Measure speed and size against their floors, 4 minutes (ARGS="'send code' --rounds 9")
	@$(BIN)/python -m tests.bench $(ARGS)

.PHONY: soak
soak: $(INSTALLED) ## Load the stack and watch for leaks, 20 minutes (ARGS="--minutes 60 --rate 40")
	@$(BIN)/python -m tests.soak $(ARGS)

.PHONY: mutate
mutate: $(INSTALLED) ## Switch each safeguard off; fail where no test notices, 15 minutes (ARGS="token-*")
	@$(BIN)/python -m tests.mutate $(ARGS)

.PHONY: audit
audit: $(INSTALLED) ## Check the pinned packages for known vulnerabilities
	@$(BIN)/pip-audit --strict --require-hashes --disable-pip -r requirements/dev.txt

.PHONY: build
build: $(INSTALLED) ## Build the package into dist/
	@$(BIN)/uv build --quiet --no-build-isolation --python $(BIN)/python --out-dir dist

.PHONY: lock
lock: $(INSTALLED) ## Pin the packages of pyproject.toml again (ARGS=--upgrade to upgrade)
	@set -e; for set in dev auth media; do \
	  case $$set in \
	    dev) wanted='--extra auth --extra media --extra heif --extra dev' ;; \
    media) wanted='--extra media --extra heif --constraint requirements/dev.txt' ;; \
	    *) wanted="--extra $$set --constraint requirements/dev.txt" ;; \
	  esac; \
	  $(BIN)/uv pip compile pyproject.toml $$wanted --universal --python-version 3.11 \
	    --generate-hashes --no-emit-index-url --no-emit-find-links \
	    --custom-compile-command 'make lock' --quiet $(ARGS) -o requirements/$$set.txt; \
	done

.PHONY: keys
keys: $(INSTALLED) ## Create another signing key for `make run` (published now, used later)
	@$(EXEC) python -m auth_service keys rotate

.PHONY: db/migrations/new
db/migrations/new: $(INSTALLED) ## Create an empty migration (name=add_colour database=media)
	@$(if $(and $(name),$(database)),,echo 'usage: `make db/migrations/new name=… database=…` (auth or media)' >&2; exit 1;) \
	$(BIN)/python -m migrations.run new "$(name)" --database "$(database)"

.PHONY: db/migrations/up
db/migrations/up: $(INSTALLED) ## Apply migrations to the databases of `make run`
	@$(EXEC) python -m migrations.run up

.PHONY: db/migrations/down
db/migrations/down: $(INSTALLED) ## Revert the last migration (database=auth or media)
	@$(EXEC) python -m migrations.run down --database "$(database)"

.PHONY: db/psql
db/psql: $(INSTALLED) ## Open psql on a database of `make run` (database=auth or media)
	@$(EXEC) psql "$(or $(database),auth)"

# ------------------------------------------------------------------------------ installation

$(INSTALLED): requirements/dev.txt
	@set -e; \
	if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	  found=; \
	  for name in $(or $(PYTHON),python3.13 python3.12 python3.11 python3); do \
	    if [ -z "$$found" ] && $(call usable,$$name); then found=$$name; fi; \
	  done; \
	  if [ -z "$$found" ]; then \
	    echo "make: $(or $(PYTHON),python3) is no working Python 3.11 or later with venv and ssl; choose one: PYTHON=..." >&2; \
	    exit 1; \
	  fi; \
	  echo "installing into $(VENV) ($$("$$found" -V))"; \
	  "$$found" -m venv --clear $(VENV); \
	fi; \
	sed -n '/^uv==/,/^[^ ]*==/{/^uv==/p;/^ /p;}' $< > $(VENV)/uv.txt; \
	if $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(VENV)/uv.txt \
	  && $(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes --python $(BIN)/python $<; \
	then :; else \
	  echo "uv could not install; trying pip"; \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<; \
	fi; \
	touch $@

# The lock holds each package's hash; npm downloads from the registry that this machine is set up for.
$(CLIENT_INSTALLED): $(CLIENT)/package-lock.json
	@cd $(CLIENT) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
