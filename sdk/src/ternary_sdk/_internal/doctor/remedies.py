"""
What to type or ask for when a license is refused, by the reason.
"""

from collections.abc import Mapping
from typing import Final

from ternary_sdk.errors import Reason

NEW_LICENSE: Final = "ask the vendor for a new license"
REMEDIES: Final[Mapping[Reason, str]] = {
    Reason.TRUST_ROLLBACK: "get the vendor's newest trust file and run 'ternary trust update FILE'",
    Reason.MALFORMED: "get the license file again from the vendor, unedited",
    Reason.SIGNATURE_INVALID: (
        "use the license and the trust file of the same vendor; 'ternary trust update FILE' "
        "takes its newest one"
    ),
    Reason.SUSPENDED: "ask the vendor, then run 'ternary renew'",
    Reason.CLOCK_ROLLBACK: "set the clock right, or run 'ternary trust update FILE' with a newer trust file",
    Reason.NOT_YET_VALID: "set the clock right, or wait",
    Reason.EXPIRED: "have the license renewed",
    Reason.HEARTBEAT_DEAD: "run 'ternary activate' where the license server can be reached",
    Reason.PACKAGE_MISMATCH: "open the package that the license was issued for",
    Reason.VERSION_MISMATCH: "open a version that the license covers, or have it extended",
    Reason.MACHINE_REQUIRED: "add --machine-id ID, and have the vendor license what 'ternary machine' prints",
    Reason.MACHINE_MISMATCH: "send the vendor what 'ternary machine' prints",
    Reason.LEASE_LOST: "run 'ternary activate' again",
    Reason.ENTITLEMENT_MISSING: "have the license extended",
    Reason.QUOTA_EXHAUSTED: "have the quota raised",
}
"""A reason that has none needs a new license."""
