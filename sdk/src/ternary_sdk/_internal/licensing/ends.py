"""
What is about to end: a license, its lease or grace, and the key set of its trust file.

A revocation list has no end: it holds until the trust file is replaced. A lease that is renewed before its
grace begins is not about to end, however short it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from ternary_sdk._internal.licensing.license import License
from ternary_sdk._internal.trust.trust import Trust

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class End:
    """An end that is near."""

    what: str
    """license, lease, grace or key set."""
    at: datetime
    """When, UTC."""
    remedy: str
    """What to do or type."""

    def words(self, now: datetime) -> str:
        """How far it is, rounded down, and its date: ``in 12 days, on 2026-12-09``."""
        left = self.at - now
        if left >= 2 * _DAY:
            return f"in {left // _DAY} days, on {self.at:%Y-%m-%d}"
        hours = left // _HOUR
        count = "less than an hour" if not hours else f"{hours} hours" if hours > 1 else "1 hour"
        return f"in {count}, on {self.at:%Y-%m-%d %H:%M} UTC"


def near(license: License, trust: Trust, now: datetime, within: timedelta) -> tuple[End, ...]:
    """What ends soon and has not ended yet, the nearest first.

    Args:
        license: The license; one on grace ends soon, whatever ``within`` is.
        trust: The trust file; after the end of its key set, what was issued earlier stays valid.
        now: The present moment, timezone-aware.
        within: How near an end is told.
    """
    found = [*_of_license(license, now, within), *_of_key_set(trust, now, within)]
    return tuple(sorted(found, key=lambda end: end.at))


def _of_license(license: License, now: datetime, within: timedelta) -> Iterator[End]:
    if license.expires is None or now >= license.expires or not license.ends_soon(now, within):
        return
    if license.grace_from is not None:
        yield End(what="grace", at=license.expires, remedy="run 'ternary renew'")
    elif license.lease is not None:
        again = "run 'ternary renew', or if it came as a file, 'ternary activate' again"
        yield End(what="lease", at=license.expires, remedy=again)
    else:
        yield End(what="license", at=license.expires, remedy=f"ask {license.vendor} to renew it")


def _of_key_set(trust: Trust, now: datetime, within: timedelta) -> Iterator[End]:
    if trust.expires is not None and timedelta(0) < trust.expires - now <= within:
        newer = f"get the newer trust file of {trust.vendor} and run 'ternary trust update FILE'"
        yield End(what="key set", at=trust.expires, remedy=newer)
