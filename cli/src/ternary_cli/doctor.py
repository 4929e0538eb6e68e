"""
``ternary doctor``: everything that a call depends on, and what to type where something is wrong.
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
    whole,
)
from ternary_cli.terminal import note, pairs, show, show_json

if TYPE_CHECKING:
    from ternary_sdk._internal.doctor.doctor import Case, Examined
    from ternary_sdk._internal.licensing.ends import End

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
