# The steps of every target are in dev.py, which also runs without make: python dev.py TARGET
#
# make demo   the main job on a clean machine: train, export, certify, package, license, sample
# make wheels  build the five distributions into the folder wheels
# make test   lint, import contracts and every test
# make stress  millions of hostile documents, every bit of a package flipped, the license server asked everything
# make bench  speed and memory, as ratios measured in one run; one group of it: .venv/bin/python -m benchmarks GROUP
# make ablations  train the plans of maintenance/ablations, which takes hours, and compare (docs/ablations.md)
# make evidence  measure the figures of README again, within an hour; in a minute: .venv/bin/python -m maintenance.evidence --quick
# make release-check  what a release needs, a line each: ok, or not ok and what to do; publishes nothing
# make evaluation  rebuild the evaluation package inside the SDK, with new keys that are not kept

PYTHON ?= python3
TARGETS := demo wheels test lint check bench stress ablations evidence release-check evaluation clean
.PHONY: $(TARGETS)

$(TARGETS):
	@$(PYTHON) dev.py $@
