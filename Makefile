# Needs only make and Python 3.11 or later with its venv module.
#
#   make start [ARGS="--port 8100 --no-demo --data DIR"]   run the product
#   make test  [ARGS="tests/referral -k offer"]            run the tests
#   make lint                                              check style, types and imports
#   make texts                                             renew the own page's translations
#   make audit                                             look for insecure code and known holes
#   make lock  [ARGS="--upgrade"]                          renew the locked versions

SHELL := /bin/sh
.DEFAULT_GOAL := help

# The first Python that is new enough.
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& command -v "$$name" && break; done)
UV := $(or $(shell command -v uv 2>/dev/null),.tools/bin/uv)
# At least two, so that tests never come to rely on being alone.
TEST_PROCESSES ?= $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); \
	[ "$$n" -gt 2 ] && echo "$$n" || echo 2)

# The machine's own Python and its own list of trusted certificates, as on a hospital's network.
export UV_PYTHON_DOWNLOADS := never
export UV_SYSTEM_CERTS := true

RUN := .venv/bin/python
INSTALL := umask 022; $(UV) pip install --quiet --python $(RUN) --require-hashes

.PHONY: help start test lint texts audit lock install install-dev

help:
	@sed -n 's/^#   //p' Makefile

start: install
	@$(RUN) manage.py start $(ARGS)

# In the order of the tree, which begins with what takes longest: no process is left with it alone.
test: install-dev
	@$(RUN) -m pytest -n $(TEST_PROCESSES) --dist loadscope --no-loadscope-reorder $(ARGS)

lint: install-dev
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy .
	.venv/bin/lint-imports

audit: install-dev
	$(RUN) -m bandit --quiet --recursive --configfile pyproject.toml $(PRODUCT)
	$(RUN) .ci/audit.py requirements.lock
PRODUCT := config statistics notices referral capacity contracts patients organisations manage.py

texts: install-dev
	DJANGO_SETTINGS_MODULE=config.settings $(RUN) .ci/texts.py

lock: $(UV)
	$(UV) pip compile pyproject.toml $(LOCK) $(ARGS) -o requirements.lock
	$(UV) pip compile pyproject.toml $(LOCK) $(ARGS) --extra dev -c requirements.lock -o requirements-dev.lock
LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url

# The stamps tell which lock the environment was made from; touching nothing takes no time.
install: .venv/installed
install-dev: .venv/installed-dev

.venv/installed: requirements.lock | .venv/bin/python
	@echo "Installerar paket …"
	@$(INSTALL) -r requirements.lock
	@umask 022; $(RUN) -m compileall -qq -j 2 -x '$(LATER)' $(PRODUCT) .venv/lib/python*/site-packages || true
	@touch $@
# Ours too: a start reads it in seven processes, and where PYTHONDONTWRITEBYTECODE is set none of
# them leaves the others anything. Nearly half of the packages' code is compiled when it is first
# read, as no start or hardly any process of it reads it.
LATER := /(numpy/(?!_core|_typing|_utils|lib|linalg|matrixlib|\w+\.py)|holidays/[cf]|wcwidth|prompt_toolkit|valkey|stdnum|gis|locale|tests?|testing)

.venv/installed-dev: requirements-dev.lock | .venv/bin/python
	@echo "Installerar paket och testverktyg …"
	@$(INSTALL) --compile-bytecode -r requirements-dev.lock
	@touch $@ .venv/installed

.venv/bin/python: | $(UV)
	@test -n "$(PYTHON)" || { echo "Vårdlots behöver Python 3.11 eller senare." >&2; exit 1; }
	@umask 022; $(UV) venv --quiet --allow-existing --python "$(PYTHON)" .venv

.tools/bin/uv:
	@test -n "$(PYTHON)" || { echo "Vårdlots behöver Python 3.11 eller senare." >&2; exit 1; }
	@echo "Hämtar uv …"
	@umask 022; "$(PYTHON)" -m venv --without-pip .tools; \
	"$(PYTHON)" -m pip --python .tools/bin/python $(GET_UV) 2>/dev/null \
	|| { "$(PYTHON)" -m venv .tools && .tools/bin/python -m pip $(GET_UV); }
# With the machine's own pip, where it has one that can; unpacking another takes seconds.
GET_UV := install --quiet --disable-pip-version-check --no-compile uv
