"""
Whether a license holds here and now, action by action.
"""

from collections.abc import Mapping
from datetime import datetime

from ternary_sdk import state
from ternary_sdk.errors import LicenseError
from ternary_sdk.identity import ExactPackage, PackageIdentity
from ternary_sdk.ledger import Ledger
from ternary_sdk.license import ACTIONS, License
from ternary_sdk.permit import Permit
from ternary_sdk.trust import Trust


def refusals(
    license: License, package: PackageIdentity, trust: Trust, *, machine_id: str | None, now: datetime
) -> Mapping[str, LicenseError | None]:
    """What the license says to each action on this machine at this moment; None is yes."""
    permit = Permit(license, package, trust, machine_id=machine_id)
    found: dict[str, LicenseError | None] = {}
    for action in ACTIONS:
        try:
            permit.allow(action, now)
        except LicenseError as refusal:
            found[action] = refusal
        else:
            found[action] = None
    return found


def licensed_package(license: License) -> PackageIdentity:
    """A package that the license is for, to ask about its other terms."""
    term = license.packages[0]
    if isinstance(term, ExactPackage):
        return PackageIdentity(name="licensed", version=(0, 0, 0), digest=term.digest)
    return PackageIdentity(name=term.name, version=term.start, digest="0" * 64)


def drawn(license: License, trust: Trust) -> int | None:
    """How many different operations were returned under it so far; None if it has no quota.

    Raises:
        LedgerError: If the meter cannot be read.
    """
    if license.unique_operations is None:
        return None
    return len(Ledger(state.for_vendor(trust.root.kid) / state.LEDGER).drawn(license.id))
