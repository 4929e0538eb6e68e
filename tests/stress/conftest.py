"""
Long sweeps. ``make test`` runs a short version of each; ``make stress`` runs all of it, with
``--hypothesis-profile stress``.

What a sweep claims to have tried is counted, over all processes of a run, printed at its end and judged.
"""

from collections.abc import Mapping
from typing import Any, Final

import pytest
from hypothesis import settings

LEAST_INPUTS: Final = 1_000_000
"""That the readers must have been given, all together, in a long run of them all."""

Tally = dict[str, dict[str, int]]
"""How much was tried, by sweep and by what it was tried on."""

TALLY: Final = pytest.StashKey[Tally]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[TALLY] = {}


@pytest.fixture(scope="session")
def tally(pytestconfig: pytest.Config) -> Tally:
    """What this process tried; sweeps add to it when they end."""
    return pytestconfig.stash[TALLY]


def add(total: Tally, part: Mapping[str, Mapping[str, int]]) -> None:
    for sweep, counts in part.items():
        kept = total.setdefault(sweep, {})
        for name, count in counts.items():
            kept[name] = kept.get(name, 0) + count


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what one of several processes tried; one that crashed has nothing to tell."""
    add(node.config.stash[TALLY], getattr(node, "workeroutput", {}).get("tried", {}))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    if hasattr(config, "workeroutput"):
        config.workeroutput["tried"] = config.stash[TALLY]
    elif missing(config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def missing(config: pytest.Config) -> int:
    """How many inputs a long run of all readers fell short of."""
    chosen = config.option.keyword or any("::" in argument for argument in config.args)
    inputs = config.stash[TALLY].get("inputs", {})
    if settings.get_current_profile_name() != "stress" or chosen or not inputs:
        return 0
    return max(0, LEAST_INPUTS - sum(inputs.values()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for sweep, counts in sorted(config.stash[TALLY].items()):
        terminalreporter.section(f"{sum(counts.values()):,} {sweep}")
        for name, count in sorted(counts.items()):
            terminalreporter.line(f"{count:>12,}  {name}")
    if lacking := missing(config):
        terminalreporter.line(f"FAILED: {lacking:,} inputs fewer than {LEAST_INPUTS:,}", red=True)
