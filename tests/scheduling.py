"""
In which order a session's tests run, and which of them one process runs.

Tests of one file share fixtures, so one process runs them all. Scenes of the documents share nothing but the
release, which is made once for all processes. So each scene may run in any process, and no page is one long
task at the end.
"""

from typing import Any

import pytest

SCENES = "tests/docs/test_commands.py"
"""The file whose tests share nothing."""


def task(nodeid: str) -> str:
    """The name of what one process runs, of which a test is a part."""
    file = nodeid.split("::", 1)[0]
    return nodeid if file == SCENES else file


def longest_first(items: list[pytest.Item]) -> None:
    """Put files with slow tests first, so that both cores are busy to the end."""
    slow = {task(item.nodeid) for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: task(item.nodeid) not in slow)


def scheduler(config: pytest.Config, log: Any) -> Any:
    """What gives out tasks to the processes of pytest-xdist in the order of the tests."""
    from xdist.scheduler.loadscope import LoadScopeScheduling

    class ByTask(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return task(nodeid)

    return ByTask(config, log)
