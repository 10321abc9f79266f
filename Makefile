# Two commands on a machine that has only Python and make: `make demo` and `make test`.
# Everything goes into .venv here; `make clean` takes it away again.

PYTHON ?= python3
VENV ?= .venv
CONFIG ?= config.toml
LIBRARY ?=
PYTEST_ARGS ?=
WORKERS ?= 2

BIN := $(VENV)/bin
SOURCES := soulspot tests benchmarks
export LIBRARY CONFIG

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install demo enrich init test test-long systemd-test lint bench screenshot wheel clean

help: ## show this
	@echo "SoulSpot keeps a music library's metadata complete."
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | while IFS='|' read -r left right; do \
		printf '%-16s %s\n' "$$left" "$$right"; done

install: $(VENV)/.installed ## SoulSpot and its libraries into .venv; then: . .venv/bin/activate
	@echo "Installed. Make the command available in this shell: . $(VENV)/bin/activate"

demo: $(VENV)/.installed ## the whole job on a sample library, without account and network
	@$(BIN)/soulspot demo

init: $(VENV)/.installed ## ask for what is needed and write config.toml (or CONFIG=...)
	@$(BIN)/soulspot init --config "$$CONFIG"

enrich: $(VENV)/.installed ## enrich your own music: make enrich LIBRARY=~/Music
	@case "$$LIBRARY" in \
		"") echo "Which music? make enrich LIBRARY=~/Music" >&2; exit 2 ;; \
		"~") LIBRARY="$$HOME" ;; \
		"~/"*) LIBRARY="$$HOME/$${LIBRARY#??}" ;; \
	esac; \
	code=0; $(BIN)/soulspot enrich --config "$$CONFIG" "$$LIBRARY" || code=$$?; \
	if [ $$code -eq 78 ]; then echo "make init asks for what the configuration needs." >&2; fi; \
	exit $$code

test: $(VENV)/.installed-dev ## all tests but the long ones; PYTEST_ARGS="-k queue" chooses, WORKERS=0 runs them in one process
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(PYTEST_ARGS)

test-long: $(VENV)/.installed-dev ## the tests that run for minutes each: kills, hostile files, upstream storms
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m long $(PYTEST_ARGS)

systemd-test: $(VENV)/.installed-dev ## boot a Debian, install as documented, prove it; as root, with debootstrap and systemd-nspawn
	@$(BIN)/python -m tests.systemd.boot

lint: $(VENV)/.installed-dev ## style, types, and the floors that packages import from
	@$(BIN)/ruff check $(wildcard $(SOURCES))
	@$(BIN)/ruff format --check $(wildcard $(SOURCES))
	@$(BIN)/mypy
	@$(BIN)/lint-imports --config .importlinter

bench: $(VENV)/.installed-dev ## every benchmark, as Markdown tables
	@for file in benchmarks/[a-z]*.py; do \
		name=$${file##*/}; echo "## $${name%.py}"; $(BIN)/python -m "benchmarks.$${name%.py}" || exit 1; \
	done

screenshot: $(VENV)/.installed-dev ## the picture of the page in the README, from the sandbox; needs chromium
	@$(BIN)/python -m tests.support.screenshot docs/screenshot.png

wheel: $(VENV)/.installed-dev ## build the wheel into dist/
	@$(BIN)/python -m build --wheel --outdir dist .

clean: ## remove what make, the tests and the build have made here
	@rm -rf "$(VENV)" build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find $(wildcard $(SOURCES)) -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the virtual environment: with what SoulSpot needs to run, and with what its tests need besides

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	@[ -e "$@-dev" ] && extras='[dev]' || extras=; $(install)

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	@extras='[dev]'; $(install)
	@touch "$(VENV)/.installed"

# pip's own talk goes to a file, which is shown when it fails; what is on screen is one name a library
define install
echo "Installing SoulSpot and its libraries into $(VENV), once:"; \
rm -f "$@.new"; \
{ $(BIN)/python -m pip install --no-input --disable-pip-version-check -c constraints.txt -e ".$$extras" 2>&1 \
	&& touch "$@.new"; } | tee "$(VENV)/install.log" | while read -r word name rest; do \
	case "$$word" in Collecting) ;; Processing) name=$$(basename "$$name"); name=$${name%%-*} ;; *) continue ;; esac; \
	printf '  %s\n' "$${name%%[=<>~!\[;(]*}"; done; \
if [ ! -e "$@.new" ]; then cat "$(VENV)/install.log" >&2; exit 1; fi; \
mv "$@.new" "$@"
endef

$(BIN)/python:
	@for python in "$(PYTHON)" python3.14 python3.13 python3.12 python3.11; do \
		"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; python=; \
	done; \
	if [ -z "$$python" ]; then \
		echo "SoulSpot needs Python 3.11 or newer; $(PYTHON) is: $$("$(PYTHON)" --version 2>&1 || echo absent)" >&2; \
		echo "Install one, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1; \
	fi; \
	if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "$$python cannot make virtual environments: its venv or ensurepip module is missing." >&2; \
		echo "On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; \
	fi; \
	"$$python" -m venv "$(VENV)"
