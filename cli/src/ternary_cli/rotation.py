"""
``ternary keys rotate``, ``keys revoke``, ``keys extend`` and ``license revoke``: the next version of a key
set or revocation list, which clients take with ``ternary trust update``.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from ternary_cli.options import JsonOption, KeysOption, argument, option
from ternary_cli.terminal import pairs, show, show_json
from ternary_cli.vendor_extra import vendor_extra

if TYPE_CHECKING:
    from ternary_license_server.keys.keyring import KeyRing


class RoleName(StrEnum):
    """The roles whose keys can be replaced; clients pin the root's."""

    PACKAGE = "package"
    LICENSE = "license"
    ANSWER = "answer"


Role = Annotated[RoleName, argument("ROLE", "package, license or answer.")]
Kid = Annotated[str, argument("KID", "The key's thumbprint, as 'ternary keys show' prints it.")]
LicenseId = Annotated[str, argument("ID", "The license's number, as 'ternary license show' prints it.")]
Until = Annotated[str, option("--until", metavar="DATE", text="The key set's last day, UTC, or 'never'.")]


def rotate(role: Role, keys: KeysOption, as_json: JsonOption = False) -> None:
    """Vendor: make a new key for a role; what the old one signed stays valid."""
    with vendor_extra("ternary keys rotate"):
        from ternary_license_server.keys import rotation
        from ternary_sdk._internal.trust import trust

    name = trust.Role(role.value)
    before: list[str] = []

    def change(ring: "KeyRing", now: datetime) -> "KeyRing":
        before.append(ring.trust.newest(name) or "none")
        return rotation.rotate(ring, name, now)

    after = _change(keys, change)
    facts = {"role": str(name), "old": before[0], "new": after.signer(name).kid}
    stolen = f"if somebody else may have the old key, run 'ternary keys revoke {before[0]} --keys {keys}' too"
    _show(keys, after, facts, as_json, then=stolen)


def revoke_key(kid: Kid, keys: KeysOption, as_json: JsonOption = False) -> None:
    """Vendor: declare a key stolen; nothing it signed is valid any more."""
    with vendor_extra("ternary keys revoke"):
        from ternary_license_server.keys import rotation
    after = _change(keys, lambda ring, now: rotation.revoke_key(ring, kid, now))
    _show(keys, after, {"revoked": kid}, as_json)


def extend(keys: KeysOption, until: Until, as_json: JsonOption = False) -> None:
    """Vendor: sign the key set again with another end."""
    from ternary_cli.dates import last_moment

    with vendor_extra("ternary keys extend"):
        from ternary_license_server.keys import rotation
    end = last_moment(until)
    after = _change(keys, lambda ring, now: rotation.extend(ring, end, now))
    _show(keys, after, {"until": until}, as_json)


def revoke_license(license_id: LicenseId, keys: KeysOption, as_json: JsonOption = False) -> None:
    """Vendor: withdraw a license."""
    with vendor_extra("ternary license revoke"):
        from ternary_license_server.keys import rotation
    after = _change(keys, lambda ring, now: rotation.revoke_license(ring, license_id, now))
    _show(keys, after, {"revoked": license_id}, as_json)


def _change(directory: Path, change: "Callable[[KeyRing, datetime], KeyRing]") -> "KeyRing":
    from ternary_license_server.keys import keyring

    return change(keyring.load(directory), datetime.now(UTC))


def _show(
    directory: Path, ring: "KeyRing", facts: dict[str, str], as_json: bool, *, then: str | None = None
) -> None:
    from ternary_license_server.keys.keyring import TRUST_FILE

    listed = ring.trust.revocations.version if ring.trust.revocations else 0
    facts |= {
        "key_set": f"version {ring.trust.version}",
        "revocation_list": f"version {listed}" if listed else "none",
        "trust": str(directory / TRUST_FILE),
    }
    if as_json:
        show_json(facts)
        return
    facts["next"] = "send clients this trust file; they run 'ternary trust update FILE'"
    if then is not None:
        facts["stolen"] = then
    show(pairs({name.replace("_", " "): fact for name, fact in facts.items()}))
