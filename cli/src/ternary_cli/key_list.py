"""
``ternary keys show``: every key of a vendor, what it signs and whether it still counts.

Of a key directory it also says which private keys are here and can be used; nothing is changed.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from ternary_cli.options import JsonOption, StateOption, TrustOption, option
from ternary_cli.terminal import pairs, show_json
from ternary_cli.terminal import show as show_lines
from ternary_cli.vendor_extra import vendor_extra

if TYPE_CHECKING:
    from ternary_license_server.keys.keyring import KeyRing
    from ternary_sdk._internal.trust.trust import Role, Trust

OneDirectory = Annotated[
    Path | None,
    option("--keys", metavar="DIR", text="What 'ternary keys init' made; also lists private keys."),
]


def show(
    keys: OneDirectory = None,
    trust: TrustOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """List a vendor's keys: roles, thumbprints, dates, and which private keys are here."""
    from ternary_sdk.errors import InputError

    if keys is not None and trust is not None:
        raise InputError("--keys and --trust exclude each other: a key directory has its own trust file")
    ring = _ring(keys) if keys is not None else None
    held = ring.trust if ring is not None else _trust(trust, state)
    private = _private(ring) if ring is not None else {}
    facts = _facts(held, private)
    show_json(facts) if as_json else show_lines(_lines(facts, datetime.now(UTC)))


def _ring(directory: Path) -> "KeyRing":
    with vendor_extra("ternary keys show --keys"):
        from ternary_license_server.keys import keyring
    return keyring.load(directory)


def _trust(file: Path | None, state: Path | None) -> "Trust":
    from ternary_cli.chosen import choose
    from ternary_cli.selection import present_trust

    return present_trust(choose(trust=file, state=state))


def _private(ring: "KeyRing") -> dict["Role", str]:
    """What is here of each role's newest private key, in words."""
    from ternary_license_server.keys.keyring import file_name
    from ternary_sdk._internal.trust.trust import Role

    found = {}
    for role in Role:
        path, key = ring.directory / file_name(role), ring.keys.get(role)
        if role in ring.faults:
            found[role] = f"cannot be used ({ring.faults[role]})"
        elif key is None:
            found[role] = "not here"
        elif key.kid == ring.trust.newest(role):
            written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            found[role] = f"here, {path.name} of {written:%Y-%m-%d}"
        else:
            found[role] = f"not here; {path.name} holds an older key"
    return found


def _facts(trust: "Trust", private: Mapping["Role", str]) -> dict[str, Any]:
    from ternary_sdk._internal.trust.trust import Role

    listed = trust.revocations
    keys = [_key(trust, Role.ROOT, trust.root.kid, private)]
    keys += [_key(trust, role, kid, private) for kid, (role, _) in trust.keys.items()]
    return {
        "vendor": trust.vendor,
        "key_set": {
            "version": trust.version,
            "signed": _moment(trust.issued),
            "ends": _moment(trust.expires),
        },
        "revocation_list": None
        if listed is None
        else {"version": listed.version, "signed": _moment(listed.issued), "names": len(listed.licenses)},
        "keys": keys,
    }


def _key(trust: "Trust", role: "Role", kid: str, private: Mapping["Role", str]) -> dict[str, Any]:
    revoked, newest = trust.revoked_keys.get(kid), kid == trust.newest(role)
    state = "revoked" if revoked else "signs" if newest else "retired"
    key = {"role": str(role), "kid": kid, "state": state, "revoked": _moment(revoked)}
    return key | ({"private": private[role] if newest else None} if private else {})


def _lines(facts: dict[str, Any], now: datetime) -> list[str]:
    key_set, listed, end = facts["key_set"], facts["revocation_list"], facts["key_set"]["ends"]
    ended = "; nothing signed since is accepted, run 'ternary keys extend'"
    until = "without end" if end is None else f"until {end}{ended if end < _moment(now) else ''}"
    head = {
        "vendor": facts["vendor"],
        "key set": f"version {key_set['version']}, signed {key_set['signed']}, {until}",
        "revocation list": "none"
        if listed is None
        else f"version {listed['version']}, signed {listed['signed']}, {listed['names']} licenses and seats",
    }
    rows = [
        (key["role"], key["kid"], _state(key), f"private key {key['private']}" if key.get("private") else "")
        for key in facts["keys"]
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    table = [
        "  ".join(word.ljust(width) for word, width in zip(row, [*widths, 0], strict=True)) for row in rows
    ]
    return [*pairs(head), "", *(line.rstrip() for line in table)]


def _state(key: dict[str, Any]) -> str:
    return f"revoked {key['revoked'][:10]}" if key["revoked"] else str(key["state"])


def _moment(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC: as text it sorts by time."""
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
