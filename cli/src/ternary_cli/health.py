"""
``ternary doctor``, ``ternary machine``, ``ternary trust update`` and ``ternary license usage``: the client's
upkeep of its license.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ternary_cli.options import (
    JsonOption,
    LicenseOption,
    MachineOption,
    PackageArgument,
    StateOption,
    TrustOption,
    argument,
    option,
    whole,
)
from ternary_cli.terminal import note, pairs, show, show_json

if TYPE_CHECKING:
    from ternary_sdk._internal.doctor.doctor import Case, Examined
    from ternary_sdk._internal.licensing.ends import End
    from ternary_sdk._internal.trust.trust import Trust

NewTrust = Annotated[Path | None, argument("FILE", "The trust file that the vendor sent.")]
FromServer = Annotated[
    str | None, option("--server", metavar="URL", text="Get it from the vendor's license server instead.")
]
LicenseArgument = Annotated[Path | None, argument("L", "The license; default: the pinned one.")]
KeyFile = Annotated[
    Path | None,
    option("--key", metavar="F", text="Write this installation's public key, for a license bound to it."),
]
Export = Annotated[Path | None, option("--export", metavar="F", text="Write the signed report here.")]
WarnDays = Annotated[
    int | None,
    whole(
        "--warn-days",
        metavar="N",
        text="Exit with status 3 if nothing is wrong but an end is N days away or less.",
    ),
]

NEAR_AN_END: Final = 3
"""Exit status of ``doctor --warn-days`` where nothing is wrong and something ends soon."""
_MOST_DAYS: Final = 36_500
_BAR = 24


def doctor(
    package: PackageArgument = None,
    license: LicenseOption = None,
    trust: TrustOption = None,
    machine_id: MachineOption = None,
    warn_days: WarnDays = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look at everything a call depends on, and say what to type where something is wrong or ends soon."""
    from ternary_cli.refusals import FoundWrongError
    from ternary_sdk._internal.doctor.doctor import examine
    from ternary_sdk._internal.licensing.license import SOON

    if warn_days is not None and not 0 <= warn_days <= _MOST_DAYS:
        raise typer.BadParameter(
            f"{warn_days} is not in the range 0 to {_MOST_DAYS:,}.", param_hint="'--warn-days'"
        )
    case, now = _case(package, license, trust, machine_id, state), datetime.now(UTC)
    within = SOON if warn_days is None else timedelta(days=warn_days)
    examined = examine(case, now)
    findings, ends = examined.findings, _near_ends(examined, now, within)
    wrong = [finding for finding in findings if not finding.ok]
    result = {"findings": [vars(finding) for finding in findings], "ends": _end_facts(ends, now)}
    if as_json and not wrong:
        show_json(result)
    elif not as_json:
        lines = {
            finding.name: ("ok     " if finding.ok else "WRONG  ") + finding.found for finding in findings
        }
        if ends is not None:
            soon = "; ".join(f"{end.what} {end.words(now)}" for end in ends)
            lines["ends"] = f"SOON   {soon}" if soon else f"ok     nothing within {within.days} days"
        show(pairs(lines))
    for finding in wrong:
        note(f"{finding.name}: {finding.remedy}")
    for end in ends or ():
        note(f"{end.what}: {end.remedy}")
    if wrong:
        raise FoundWrongError(f"{len(wrong)} of {len(findings)} checks failed", result)
    if ends and warn_days is not None:
        raise typer.Exit(NEAR_AN_END)


def machine(
    trust: TrustOption = None,
    machine_id: MachineOption = None,
    state: StateOption = None,
    key: KeyFile = None,
    as_json: JsonOption = False,
) -> None:
    """Print this machine's id for a vendor, where it comes from and why it might change."""
    from ternary_cli.chosen import choose
    from ternary_cli.files import write_new
    from ternary_cli.selection import remembered_trust
    from ternary_sdk._internal.licensing.clock import establish
    from ternary_sdk._internal.licensing.permit import newest_list
    from ternary_sdk._internal.licensing.state import for_vendor

    chosen = choose(None, None, trust, machine_id, state=state)
    held = remembered_trust(chosen, state)
    facts = _machine(held, chosen.machine_id, needed=key is None)
    if key is not None:
        directory = for_vendor(held.root.kid, state)
        installation = establish(directory, datetime.now(UTC), signed=newest_list(held))
        write_new(installation.public.to_pem(), key)
        facts["installation"] = f"{installation.kid}, public key in {key}"
    _print(facts, as_json)


def _machine(trust: "Trust", explicit: str | None, *, needed: bool) -> dict[str, str | None]:
    """What this machine is called; where no id is needed, having none is a fact and not a refusal."""
    from ternary_sdk._internal.licensing.machine import identify
    from ternary_sdk.errors import LicenseError

    try:
        found = identify(trust.root.kid, explicit=explicit)
    except LicenseError as refusal:
        if needed:
            raise
        why = str(refusal).removeprefix("machine: ").partition(";")[0]
        return {"id": None, "reason": f"{why}; a license bound to the installation key needs no id"}
    return {"id": found.id, "source": found.source, "changes_if": found.may_change}


def update_trust(
    newer: NewTrust = None,
    server: FromServer = None,
    trust: TrustOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Replace the pinned trust file by a newer one of the same vendor, never by an older one."""
    from ternary_cli.chosen import choose
    from ternary_cli.files import write
    from ternary_cli.selection import present_trust
    from ternary_sdk._internal.licensing.clock import remember
    from ternary_sdk._internal.licensing.permit import newest_list
    from ternary_sdk._internal.licensing.renewal import check_remembered
    from ternary_sdk._internal.licensing.state import for_vendor
    from ternary_sdk.errors import InputError

    if (newer is None) == (server is None):
        raise InputError(
            "give the vendor's newer trust file, or --server URL to get it from its license server"
        )
    chosen = choose(trust=trust, state=state)
    if chosen.trust is None:
        raise InputError("no trust file to update: add --trust T, or pin one with 'ternary use'")
    accepted = _newer(newer, server, present_trust(chosen), state)
    check_remembered(accepted, state)
    write(accepted.data, chosen.trust)
    directory = for_vendor(accepted.root.kid, state)
    remember(directory, accepted, datetime.now(UTC), signed=newest_list(accepted))
    facts: dict[str, str | None] = {
        "trust": str(chosen.trust),
        "vendor": accepted.vendor,
        "key_set": f"version {accepted.version} of {accepted.issued:%Y-%m-%d}",
        "revoked": f"{len(accepted.revoked_keys)} keys, {len(accepted.revoked_licenses)} licenses",
    }
    _print(facts, as_json)


def _newer(file: Path | None, server: str | None, present: "Trust", state: Path | None) -> "Trust":
    """The trust file of a path or else a server, if it may replace the present one."""
    from ternary_cli.documents import read_trust
    from ternary_sdk._internal.licensing.renewal import replacement

    if server is None:
        return replacement(present, read_trust(file or Path("-")))
    from ternary_cli.vendor_extra import online_extra

    with online_extra("ternary trust update --server"):
        from ternary_sdk._internal.online.client import LicenseServer
    return LicenseServer(server, present, state=state).trust(datetime.now(UTC))


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
    from ternary_sdk._internal.licensing.permit import Permit
    from ternary_sdk.errors import InputError

    granted = select_license(license, trust, state=state)
    held, trusted = granted.license, granted.trust
    quota = held.unique_operations
    if quota is None:
        raise InputError(f"license {held.id} has no quota, so nothing is metered")
    permit = Permit(held, licensed_package(held), trusted, machine_id=granted.machine_id, state=state)
    drawn = len(permit.drawn())
    if export is not None:
        write(permit.usage(datetime.now(UTC)), export)
    if as_json:
        show_json({"license": held.id, "drawn": drawn, "allowed": quota})
        return
    filled = min(_BAR, _BAR * drawn // quota)
    bar = "█" * filled + "░" * (_BAR - filled)
    show([f"{held.id}  {bar}  {drawn:,} of {quota:,} operations drawn"])


def _print(facts: dict[str, str | None], as_json: bool) -> None:
    if as_json:
        show_json(facts)
    else:
        show(pairs({name.replace("_", " "): fact or "none" for name, fact in facts.items()}))


def _near_ends(examined: "Examined", now: datetime, within: timedelta) -> "tuple[End, ...] | None":
    """What of the license and the trust file ends soon; None if they cannot be read: a finding says so."""
    from ternary_sdk._internal.licensing.ends import near

    if examined.license is None or examined.trust is None:
        return None
    return near(examined.license, examined.trust, now, within)


def _end_facts(ends: "tuple[End, ...] | None", now: datetime) -> list[dict[str, object]] | None:
    from ternary_cli.facts import moment

    if ends is None:
        return None
    return [vars(end) | {"at": moment(end.at), "days": (end.at - now).days} for end in ends]


def _case(
    package: Path | None,
    license: Path | None,
    trust: Path | None,
    machine_id: str | None,
    state: Path | None,
) -> "Case":
    """The files of the options, else the pinned ones, else the evaluation package's."""
    from ternary_cli.chosen import choose, or_evaluation
    from ternary_sdk._internal.doctor.doctor import Case
    from ternary_sdk.errors import InputError

    chosen = or_evaluation(choose(package, license, trust, machine_id, state=state))
    if chosen.package is None or chosen.license is None or chosen.trust is None:
        raise InputError("the doctor looks at all three: ternary doctor FILE --license L --trust T")
    return Case(
        package=chosen.package,
        license=chosen.license,
        trust=chosen.trust,
        machine_id=chosen.machine_id,
        state=state,
    )
