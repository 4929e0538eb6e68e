"""
``ternary doctor``, ``ternary machine``, ``ternary trust update`` and ``ternary license usage``: the client's
upkeep of its license.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from ternary_cli.options import (
    JsonOption,
    LicenseOption,
    MachineOption,
    PackageArgument,
    StateOption,
    TrustOption,
    argument,
    option,
)
from ternary_cli.terminal import note, pairs, show, show_json

if TYPE_CHECKING:
    from ternary_sdk.licensing.doctor import Case

NewTrust = Annotated[Path, argument("FILE", "The trust file that the vendor sent.")]
LicenseArgument = Annotated[Path | None, argument("L", "The license; default: the pinned one.")]
KeyFile = Annotated[
    Path | None,
    option("--key", metavar="F", text="Write this installation's public key, for a license bound to it."),
]
Export = Annotated[Path | None, option("--export", metavar="F", text="Write the signed report here.")]

_BAR = 24


def doctor(
    package: PackageArgument = None,
    license: LicenseOption = None,
    trust: TrustOption = None,
    machine_id: MachineOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look at everything a call depends on, and say what to type where something is wrong."""
    from ternary_sdk.errors import TernaryError
    from ternary_sdk.licensing.doctor import examine

    findings = examine(_case(package, license, trust, machine_id, state), datetime.now(UTC))
    wrong = [finding for finding in findings if not finding.ok]
    if as_json:
        show_json({"findings": [vars(finding) for finding in findings]})
    else:
        lines = {
            finding.name: ("ok     " if finding.ok else "WRONG  ") + finding.found for finding in findings
        }
        show(pairs(lines))
    for finding in wrong:
        note(f"{finding.name}: {finding.remedy}")
    if wrong:
        raise TernaryError(f"{len(wrong)} of {len(findings)} things looked at are wrong")


def machine(
    trust: TrustOption = None,
    machine_id: MachineOption = None,
    state: StateOption = None,
    key: KeyFile = None,
    as_json: JsonOption = False,
) -> None:
    """Print this machine's id for a vendor, where it comes from and why it might change."""
    from ternary_cli import pins
    from ternary_cli.files import write
    from ternary_cli.selection import select_trust
    from ternary_sdk.licensing.clock import establish
    from ternary_sdk.licensing.machine import identify
    from ternary_sdk.licensing.permit import newest_list
    from ternary_sdk.licensing.state import for_vendor

    pinned = pins.load(state)
    explicit = machine_id or (pinned.machine_id if pinned else None)
    held = select_trust(trust, state=state)
    if key is not None:
        installation = establish(
            for_vendor(held.root.kid, state), datetime.now(UTC), signed=newest_list(held)
        )
        write(installation.public.to_pem(), key)
    found = identify(held.root.kid, explicit=explicit)
    facts = {"id": found.id, "source": found.source, "changes_if": found.may_change}
    if key is not None:
        facts["installation"] = f"{installation.kid}, public key in {key}"
    _print(facts, as_json)


def update_trust(
    newer: NewTrust, trust: TrustOption = None, state: StateOption = None, as_json: JsonOption = False
) -> None:
    """Replace the pinned trust file by a newer one of the same vendor, never by an older one."""
    from ternary_cli import pins
    from ternary_cli.documents import read_trust
    from ternary_cli.files import write
    from ternary_cli.selection import present_trust
    from ternary_sdk.errors import InputError
    from ternary_sdk.licensing.clock import remember
    from ternary_sdk.licensing.permit import newest_list
    from ternary_sdk.licensing.renewal import check_remembered, replacement
    from ternary_sdk.licensing.state import for_vendor

    pinned = pins.load(state)
    place = trust or (pinned.trust if pinned else None)
    if place is None:
        raise InputError("no trust file to update: add --trust T, or pin one with 'ternary use'")
    offered = read_trust(newer)
    accepted = replacement(present_trust(trust, pinned), offered)
    check_remembered(accepted, state)
    write(accepted.data, place)
    directory = for_vendor(accepted.root.kid, state)
    remember(directory, accepted, datetime.now(UTC), signed=newest_list(accepted))
    facts = {
        "trust": str(place),
        "vendor": accepted.vendor,
        "key_set": f"version {accepted.version} of {accepted.issued:%Y-%m-%d}",
        "revoked": f"{len(accepted.revoked_keys)} keys, {len(accepted.revoked_licenses)} licenses",
    }
    _print(facts, as_json)


def usage(
    license: LicenseArgument = None,
    trust: TrustOption = None,
    export: Export = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how many different operations were drawn of how many allowed; --export signs a report of them."""
    from ternary_cli.files import write
    from ternary_cli.selection import select_license
    from ternary_cli.standing import licensed_package
    from ternary_sdk.errors import InputError
    from ternary_sdk.licensing.permit import Permit

    held, trusted = select_license(license, trust, state=state)
    quota = held.unique_operations
    if quota is None:
        raise InputError(f"license {held.id} has no quota, so nothing is metered")
    permit = Permit(held, licensed_package(held), trusted, state=state)
    drawn = len(permit.ledger.drawn(held.id))
    if export is not None:
        write(permit.usage(datetime.now(UTC)), export)
    if as_json:
        show_json({"license": held.id, "drawn": drawn, "allowed": quota})
        return
    filled = min(_BAR, _BAR * drawn // quota)
    bar = "█" * filled + "░" * (_BAR - filled)
    show([f"{held.id}  {bar}  {drawn:,} of {quota:,} operations drawn"])


def _print(facts: dict[str, str], as_json: bool) -> None:
    if as_json:
        show_json(facts)
    else:
        show(pairs({name.replace("_", " "): fact for name, fact in facts.items()}))


def _case(
    package: Path | None,
    license: Path | None,
    trust: Path | None,
    machine_id: str | None,
    state: Path | None,
) -> "Case":
    """The files of the options, else the pinned ones, else the evaluation package's."""
    from importlib.resources import files

    from ternary_cli import pins
    from ternary_cli.selection import EVALUATION
    from ternary_sdk.errors import InputError
    from ternary_sdk.licensing.doctor import Case

    pinned = pins.load(state)
    if pinned is not None:
        package, license, trust = package or pinned.package, license or pinned.license, trust or pinned.trust
        machine_id = machine_id or pinned.machine_id
    elif package is None and license is None and trust is None:
        note(EVALUATION)
        shipped = Path(str(files("ternary_sdk") / "evaluation"))
        package, license, trust = (shipped / f"evaluation.{kind}" for kind in ("ternary", "license", "trust"))
    if package is None or license is None or trust is None:
        raise InputError("the doctor looks at all three: ternary doctor FILE --license L --trust T")
    return Case(package=package, license=license, trust=trust, machine_id=machine_id, state=state)
