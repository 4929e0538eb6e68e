"""
Replacing a trust file by a newer one, and never by an older one.

A thief's best move against a revocation is to give the client yesterday's list again; here is where that
ends, whether it comes as an update or was put in the file's place. What comes here has been verified.
"""

from contextlib import suppress
from pathlib import Path

from ternary_sdk._internal.licensing import mark
from ternary_sdk._internal.licensing.mark import Versions
from ternary_sdk._internal.licensing.state import for_vendor
from ternary_sdk._internal.trust.trust import Revocations, Trust
from ternary_sdk.errors import LedgerError, LicenseError, Reason, SignatureError


def replacement(current: Trust, offered: Trust) -> Trust:
    """The offered trust file, if it may take the place of the current one:

    1. it is under the same root key;
    2. its key set has a higher version, or is the same key set;
    3. its revocation list has a higher version, or is the same list; it may not be missing where the
       current file has one.

    Args:
        current: What the client relies on now.
        offered: What came from the vendor.
    Returns:
        ``offered``.
    Raises:
        SignatureError: If it is of another root, older, or a second document of the same version.
    """
    if offered.root != current.root:
        raise SignatureError(
            f"trust file: root is {offered.root.kid}, the pinned one is {current.root.kid}; another root "
            "must be compared with the vendor's and pinned with 'ternary use'"
        )
    _check_order("key set", current.version, offered.version, _key_set(current) == _key_set(offered))
    _check_revocations(current.revocations, offered.revocations)
    return offered


def check_remembered(trust: Trust, state: Path | None = None) -> None:
    """Refuse a trust file that is older than one this user has relied on before.

    Args:
        trust: What is about to be relied on.
        state: The state directory, by default one in the user's data directory. Where there is none, or none
            of it can be read, nothing is remembered and nothing is refused.
    Raises:
        LicenseError: TRUST_ROLLBACK, if its key set or revocation list has a lower version; CLOCK_ROLLBACK,
            if that memory was removed or altered while the key beside it was left.
    """
    seen = None
    with suppress(LedgerError):
        seen = mark.find(for_vendor(trust.root.kid, state))
    if seen is None:
        return
    held = Versions.of(trust)
    for what, found, before in (
        ("key set", held.key_set, seen.versions.key_set),
        ("revocation list", held.revocations, seen.versions.revocations),
    ):
        if found < before:
            has = f"version {found}" if found else "no version at all"
            raise LicenseError(
                Reason.TRUST_ROLLBACK,
                f"trust file: its {what} has {has}, and version {before} was relied on here before; "
                f"get the newest one from {trust.vendor} and run 'ternary trust update FILE'",
            )


def _check_revocations(current: Revocations | None, offered: Revocations | None) -> None:
    if current is None:
        return
    if offered is None:
        raise SignatureError(
            f"trust file: it has no revocation list, the current one has version {current.version}"
        )
    _check_order("revocation list", current.version, offered.version, current == offered)


def _check_order(what: str, current: int, offered: int, same: bool) -> None:
    if offered < current:
        raise SignatureError(
            f"trust file: its {what} has version {offered}, the current one {current}; "
            "an older one never replaces a newer one"
        )
    if offered == current and not same:
        raise SignatureError(
            f"trust file: its {what} differs from the current one of the same version {current}; "
            "ask the vendor which is right"
        )


def _key_set(trust: Trust) -> tuple[object, ...]:
    roles = {kid: role for kid, (role, _) in trust.keys.items()}
    return trust.vendor, trust.issued, trust.expires, roles, dict(trust.revoked_keys)
