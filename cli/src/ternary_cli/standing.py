"""
Whether a license holds here and now, action by action.
"""

from collections.abc import Mapping
from datetime import datetime

from ternary_sdk._internal.identity import ExactPackage, PackageIdentity
from ternary_sdk._internal.licensing.license import ACTIONS, License
from ternary_sdk._internal.licensing.permit import Permit
from ternary_sdk.errors import LicenseError


def refusals(permit: Permit, now: datetime) -> Mapping[str, LicenseError | None]:
    """What the license says to each action on this machine at this moment; None is yes."""
    found: dict[str, LicenseError | None] = {}
    for action in ACTIONS:
        try:
            permit.preview(action, now)
        except LicenseError as refusal:
            found[action] = refusal
        else:
            found[action] = None
    return found


def state_words(license: License, answers: Mapping[str, LicenseError | None]) -> str:
    """Which of the actions that a license allows hold here and now, or the first reason why one does not.

    Args:
        license: What was granted; an action that it does not allow is not judged.
        answers: What ``refusals`` found.
    """
    allowed = {action: answers[action] for action in ACTIONS if action in license.entitlements}
    refusal = next(filter(None, allowed.values()), None)
    if refusal is not None:
        return f"{refusal.code}: {refusal}"
    return f"holds here and now: {', '.join(allowed)}"


def drawn(permit: Permit) -> int | None:
    """How many different operations, of all spaces, were returned under it so far; None if it has no quota.

    Raises:
        LedgerError: If the meter cannot be read.
    """
    return None if permit.license.unique_operations is None else permit.total()


def licensed_package(license: License) -> PackageIdentity:
    """A package that the license is for, to ask about its other terms."""
    term, released = license.packages[0], license.released_until
    if isinstance(term, ExactPackage):
        return PackageIdentity(name="licensed", version=(0, 0, 0), digest=term.digest, released=released)
    return PackageIdentity(name=term.name, version=term.start, digest="0" * 64, released=released)
