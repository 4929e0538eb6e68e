# make demo   the main job on a clean machine: train, export, certify, package, license, sample
# make test   lint, import contracts and every test
# make stress  millions of hostile documents, every bit of a package flipped, the license server asked everything
# make bench  speed and memory, as ratios measured in one run
# make evaluation  rebuild the evaluation package inside the SDK, with new keys that are not kept

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
DISTRIBUTIONS := sdk trainer export LICENSE_SERVER cli
export PYTHONWARNINGS := error
.PHONY: demo test lint check bench stress evaluation clean
.DELETE_ON_ERROR:

demo: .venv/ready
	$(BIN)/python examples/demo.py demo

test: lint check

check: .venv/ready-to-test
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

lint: .venv/ready-to-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/ready-to-test
	$(BIN)/python -m benchmarks

stress: .venv/ready-to-test
	$(BIN)/python -m stress
	$(BIN)/python -m stress.seats
	$(BIN)/python -m stress.clocks
	$(BIN)/python -m stress.interface
	$(BIN)/python -m pytest tests/stress --hypothesis-profile stress --numprocesses auto

evaluation: .venv/ready
	$(BIN)/python -m maintenance.evaluation sdk/src/ternary_sdk/evaluation

# The five distributions are installed editable and without build isolation, so that nothing but
# constraints.txt decides which releases are used.
.venv/ready: constraints.txt $(addsuffix /pyproject.toml,$(DISTRIBUTIONS))
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	PYTHONWARNINGS= $(PIP) install --quiet --constraint constraints.txt hatchling editables
	PYTHONWARNINGS= $(PIP) install --quiet --constraint constraints.txt --no-build-isolation \
		--editable sdk --editable trainer --editable export --editable LICENSE_SERVER --editable "cli[vendor]"
	touch $@

.venv/ready-to-test: .venv/ready requirements-test.txt
	PYTHONWARNINGS= $(PIP) install --quiet --constraint constraints.txt --requirement requirements-test.txt
	touch $@

clean:
	rm -rf .venv demo
