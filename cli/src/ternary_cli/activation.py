"""
``ternary activate``, ``renew``, ``deactivate`` and ``carry``: this machine's seat at a license server.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from ternary_cli.options import (
    JsonOption,
    MachineOption,
    NewFileOption,
    StateOption,
    TrustOption,
    argument,
    option,
)
from ternary_cli.vendor_extra import online_extra

if TYPE_CHECKING:
    from ternary_sdk._internal.online.state import Activation
    from ternary_sdk._internal.trust.trust import Trust

Key = Annotated[str | None, argument("KEY", "The license key, five groups of five.")]
Server = Annotated[str | None, option("--server", metavar="URL", text="The vendor's license server.")]
AnyServer = Annotated[str, option("--server", metavar="URL", text="The vendor's license server.")]
RequestFile = Annotated[
    Path | None, option("--request", metavar="FILE", text="Without a network: write what to hand in.")
]
ResponseFile = Annotated[
    Path | None, option("--response", metavar="FILE", text="Without a network: take what came back.")
]
ReleaseFile = Annotated[
    Path | None, option("--release", metavar="FILE", text="Without a network: write the proof to hand in.")
]
LicenseId = Annotated[str | None, argument("LICENSE", "Its id; default: the only one that is activated.")]
Carried = Annotated[Path, argument("FILE", "What --request or --release wrote.")]


def activate(
    key: Key = None,
    server: Server = None,
    request: RequestFile = None,
    response: ResponseFile = None,
    trust: TrustOption = None,
    machine_id: MachineOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a seat: a license bound to this machine, for a license key."""
    from ternary_cli.selection import select_trust
    from ternary_sdk.errors import InputError

    trusted = select_trust(trust, state=state)
    if response is not None and key is None:
        _show(_accept(response, trusted, state), trusted, state, as_json)
    elif key is not None and request is not None:
        _write_request(key, request, trusted, machine_id, state)
        _show_file(request, as_json)
    elif key is not None and server is not None:
        with online_extra("ternary activate"):
            from ternary_sdk._internal.online.client import LicenseServer
        taken = LicenseServer(server, trusted, state=state).activate(
            key, datetime.now(UTC), machine_id=machine_id
        )
        _show(taken, trusted, state, as_json)
    else:
        raise InputError(
            "give KEY and --server URL; without a network KEY and --request FILE, then --response FILE"
        )


def renew(
    license: LicenseId = None,
    trust: TrustOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Renew the seat, and report usage where the license has a quota."""
    from ternary_sdk.errors import InputError

    trusted, held = _held(license, trust, state)
    if held.server is None:
        raise InputError(
            f"license {held.license_id}: activated by file, which cannot be renewed; activate anew"
        )
    with online_extra("ternary renew"):
        from ternary_sdk._internal.online.client import LicenseServer
    renewed = LicenseServer(held.server, trusted, state=state).renew(held.license_id, datetime.now(UTC))
    _show(renewed, trusted, state, as_json)


def deactivate(
    license: LicenseId = None,
    release: ReleaseFile = None,
    trust: TrustOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give the seat back and remove the license."""
    from ternary_cli.terminal import note, show_json
    from ternary_sdk.errors import InputError

    trusted, held = _held(license, trust, state)
    if release is not None:
        _write_release(held, release, trusted, state)
    elif held.server is None:
        raise InputError(f"license {held.license_id}: activated by file; add --release FILE and hand that in")
    else:
        with online_extra("ternary deactivate"):
            from ternary_sdk._internal.online.client import LicenseServer
        LicenseServer(held.server, trusted, state=state).deactivate(held.license_id, datetime.now(UTC))
    note(f"license {held.license_id}: removed from this machine")
    if as_json:
        show_json({"license": held.license_id, "removed": True, "file": str(release) if release else None})


def carry(
    file: Carried,
    server: AnyServer,
    out: NewFileOption,
    trust: TrustOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hand in another machine's file, and get the answer to carry back."""
    from ternary_cli.files import read, write_new
    from ternary_cli.selection import select_trust
    from ternary_sdk._internal.documents import outer
    from ternary_sdk._internal.online.request import MAX_REQUEST

    trusted = select_trust(trust, state=state)
    with online_extra("ternary carry"):
        from ternary_sdk._internal.online.client import LicenseServer
    document = outer.bare(read(file, most=MAX_REQUEST)[0], str(file))
    write_new(LicenseServer(server, trusted, state=state).carry(document, datetime.now(UTC)), out)
    _show_file(out, as_json)


def _show_file(written: Path, as_json: bool) -> None:
    """Print which file was written, to a program; people named it themselves."""
    from ternary_cli.terminal import show_json

    if as_json:
        show_json({"file": str(written)})


def _write_request(
    key: str, target: Path, trusted: "Trust", machine_id: str | None, state: Path | None
) -> None:
    from ternary_cli.files import write_new
    from ternary_cli.terminal import note
    from ternary_sdk._internal.licensing import clock, machine
    from ternary_sdk._internal.licensing.state import for_vendor
    from ternary_sdk._internal.online import request as online_request
    from ternary_sdk.errors import LicenseError

    now, vendor = datetime.now(UTC), trusted.root.kid
    held = clock.establish(for_vendor(vendor, state), now, signed=trusted.issued)
    try:
        name = machine.identify(vendor, explicit=machine_id).id
    except LicenseError:
        name = None
    document = online_request.activate(key, vendor=vendor, held=held, now=now, machine=name, offline=True)
    write_new(document, target)
    note(f"{target}: hand it in with 'ternary carry {target} --server URL --out RESPONSE' within 30 days")


def _accept(source: Path, trusted: "Trust", state: Path | None) -> "Activation":
    from ternary_cli.files import read
    from ternary_sdk._internal.documents import outer
    from ternary_sdk._internal.licensing import installation
    from ternary_sdk._internal.licensing.state import for_vendor
    from ternary_sdk._internal.online.state import accept
    from ternary_sdk.errors import LicenseError, Reason

    held = installation.find(for_vendor(trusted.root.kid, state))
    if held is None:
        raise LicenseError(
            Reason.MACHINE_REQUIRED,
            "this user has made no request; run 'ternary activate KEY --request FILE' first",
        )
    return accept(outer.bare(read(source, most=1 << 20)[0], str(source)), trusted, held, server=None)


def _write_release(held: "Activation", target: Path, trusted: "Trust", state: Path | None) -> None:
    from ternary_cli.files import write_new
    from ternary_cli.terminal import note
    from ternary_sdk._internal.licensing import clock
    from ternary_sdk._internal.licensing.state import for_vendor
    from ternary_sdk._internal.online import request as online_request
    from ternary_sdk._internal.online import state as online_state
    from ternary_sdk.errors import Reason

    now, vendor = datetime.now(UTC), trusted.root.kid
    directory = for_vendor(vendor, state)
    lease = online_state.lease_number(directory, held, trusted)
    key = clock.establish(directory, now, signed=trusted.issued)
    proof = online_request.release(held.license_id, lease, held.generation, vendor=vendor, held=key, now=now)
    write_new(proof, target)
    online_state.withdraw(key, held.license_id, Reason.LEASE_LOST, trusted, now, forget=True)
    note(f"{target}: hand it in with 'ternary carry {target} --server URL --out RECEIPT' within 30 days")


def _held(license: str | None, trust: Path | None, state: Path | None) -> tuple["Trust", "Activation"]:
    from ternary_cli.selection import select_trust
    from ternary_sdk._internal.licensing.state import for_vendor
    from ternary_sdk._internal.online import state as online_state
    from ternary_sdk.errors import InputError

    trusted = select_trust(trust, state=state)
    directory = for_vendor(trusted.root.kid, state)
    if license is not None:
        return trusted, online_state.find(directory, license)
    found = list(online_state.every(directory))
    if len(found) != 1:
        names = ", ".join(one.license_id for one in found[:5]) or "none"
        raise InputError(f"activated licenses of {trusted.vendor}: {names}; name the one that is meant")
    return trusted, found[0]


def _show(taken: "Activation", trusted: "Trust", state: Path | None, as_json: bool) -> None:
    from ternary_cli.terminal import pairs, show, show_json
    from ternary_sdk._internal.licensing.state import for_vendor
    from ternary_sdk._internal.online import state as online_state

    file = online_state.license_file(for_vendor(trusted.root.kid, state), taken.license_id)
    if as_json:
        show_json({"license": taken.license_id, "file": str(file), "ends": taken.ends.isoformat()})
        return
    facts = {"license": taken.license_id, "file": str(file), "seat until": f"{taken.ends:%Y-%m-%d %H:%M} UTC"}
    if taken.renew_after is not None:
        facts["renew from"] = f"{taken.renew_after:%Y-%m-%d %H:%M} UTC, with 'ternary renew'"
    show(pairs(facts))
