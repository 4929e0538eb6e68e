from datetime import datetime, timedelta

import pytest

from ternary_sdk._internal.clocks import lies_ahead

SECOND, TOLERANCE = timedelta(seconds=1), timedelta(minutes=5)


@pytest.mark.parametrize("later", [TOLERANCE + SECOND, timedelta(days=1)], ids=str)
def test_a_moment_more_than_five_minutes_later_lies_ahead(now: datetime, later: timedelta) -> None:
    assert lies_ahead(now + later, of=now)


@pytest.mark.parametrize("later", [TOLERANCE, SECOND, -SECOND, -timedelta(days=1)], ids=str)
def test_a_moment_that_honest_clocks_may_have_reached_does_not(now: datetime, later: timedelta) -> None:
    assert not lies_ahead(now + later, of=now)
