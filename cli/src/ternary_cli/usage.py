"""
``ternary license usage``: how much of a quota is used, and the signed report of it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from ternary_cli.options import ForceOption, JsonOption, LicenseArgument, StateOption, TrustOption, option
from ternary_cli.terminal import show, show_json

if TYPE_CHECKING:
    from ternary_sdk._internal.licensing.permit import Permit
    from ternary_sdk._internal.licensing.usage import Report

Export = Annotated[Path | None, option("--export", metavar="F", text="Write the signed report here.")]
Statement = Annotated[
    Path | None,
    option(
        "--statement",
        metavar="F",
        text="Write here what this machine drew, signed, to compare with invoices.",
    ),
]
Ended = Annotated[
    str | None,
    option("--ended", metavar="ID", text="With --statement: of a license whose file is gone, by its id."),
]
Customer = Annotated[
    str | None,
    option("--customer", metavar="NAME", text="With --ended: whose, if the license was several customers'."),
]
SpaceOption = Annotated[
    str | None,
    option("--space", metavar="R,K", text="Operations of this space, as 3,2; default: the only one drawn."),
]

_BAR: Final = 24
"""Length of the bar, in characters."""


def usage(
    license: LicenseArgument = None,
    trust: TrustOption = None,
    export: Export = None,
    statement: Statement = None,
    ended: Ended = None,
    customer: Customer = None,
    space: SpaceOption = None,
    force: ForceOption = False,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how many different operations were drawn of how many allowed; --export signs a report of them."""
    from ternary_cli.files import expect_place

    for place in (export, statement):
        expect_place(place, force=force)
    if ended is not None:
        _state_ended(ended, customer, trust, state, statement, as_json)
        return
    from ternary_cli.selection import select_license
    from ternary_cli.standing import licensed_package
    from ternary_sdk._internal.licensing.permit import Permit
    from ternary_sdk.errors import InputError
    from ternary_sdk.space import Space

    chosen = None if space is None else Space.parse(space)
    granted = select_license(license, trust, state=state)
    held, trusted = granted.license, granted.trust
    quota = held.unique_operations
    if quota is None:
        raise InputError(f"license {held.id} has no quota, so nothing is metered")
    permit = Permit(held, licensed_package(held), trusted, machine_id=granted.machine_id, state=state)
    parts = permit.totals()
    drawn = sum(parts.values())
    if chosen is not None:
        parts = {chosen: parts.get(chosen, 0)}
    vast = chosen is not None and not chosen.listed
    sets = {str(chosen): permit.drawn(space=chosen).digest} if vast else {}
    files = list[Path]()
    if export is not None:
        files = _export(permit.usage(datetime.now(UTC), space=chosen), export, force=force)
    if statement is not None:
        _state(permit, statement)
    if as_json:
        spaces = {str(one): count for one, count in parts.items()}
        facts: dict[str, Any] = {"license": held.id, "drawn": drawn, "allowed": quota, "spaces": spaces}
        more = {"sets": sets} if sets else {}
        show_json(facts | more | ({"reports": list(map(str, files))} if len(files) > 1 else {}))
        return
    filled = min(_BAR, _BAR * drawn // quota)
    bar = "█" * filled + "░" * (_BAR - filled)
    told = [f"{held.id}  {bar}  {drawn:,} of {quota:,} operations drawn"]
    if chosen is not None or len(parts) > 1:
        told += [f"{one}  {count:,} {one.title} operations" for one, count in parts.items()]
    told += [f"set {digest}" for digest in sets.values()]
    if len(files) > 1:
        told.append(f"{len(files)} reports, to be handed in in this order: {', '.join(map(str, files))}")
    show(told)


def _state(permit: "Permit", file: Path) -> None:
    """Write what was returned to the license's customer: of all spaces, under all leases."""
    from ternary_cli.files import write
    from ternary_sdk._internal.pricing import statement

    now, license = datetime.now(UTC), permit.license
    sets = [permit.drawn(space=space) for space in permit.totals()]
    write(statement.write(license.id, license.customer, sets, permit.established(now), now), file)


def _state_ended(
    license_id: str,
    customer: str | None,
    trust: Path | None,
    state: Path | None,
    file: Path | None,
    as_json: bool,
) -> None:
    """Write a statement of a license whose file is gone, as after a transfer, from the meter alone."""
    from ternary_cli.files import write
    from ternary_cli.selection import select_trust
    from ternary_sdk._internal.licensing import installation
    from ternary_sdk._internal.licensing.ledger import Ledger
    from ternary_sdk._internal.licensing.state import LEDGER, for_vendor
    from ternary_sdk._internal.pricing import statement
    from ternary_sdk.errors import InputError

    if file is None:
        raise InputError("--ended needs --statement F: of a license that is gone, only that can be written")
    directory = for_vendor(select_trust(trust, state=state).root.kid, state)
    ledger, held = Ledger(directory / LEDGER), installation.find(directory)
    owners = sorted({counted.owner for counted in ledger.sets(license_id) if counted.owner is not None})
    if not owners or held is None:
        raise InputError(f"license {license_id}: nothing was counted under it on this machine")
    if customer is None and len(owners) > 1:
        raise InputError(f"license {license_id}: was of {' and '.join(owners)}; say whose with --customer")
    whose = customer or owners[0]
    if whose not in owners:
        raise InputError(f"license {license_id}: nothing was counted for {whose!r}, only for {owners[0]!r}")
    parts = ledger.totals(license_id, owner=whose)
    sets = [ledger.drawn(license_id, space=space, owner=whose) for space in parts]
    write(statement.write(license_id, whose, sets, held, datetime.now(UTC)), file)
    facts = {"license": license_id, "customer": whose, "drawn": sum(parts.values())}
    show_json(facts) if as_json else show([f"{license_id}  {whose}  {facts['drawn']:,} operations drawn"])


def _export(reports: "Iterator[Report]", file: Path, *, force: bool) -> list[Path]:
    """Write reports to a file, and those after the first to others beside it: F.json, F.2.json, F.3.json."""
    from ternary_cli.files import expect_place, is_standard, write
    from ternary_sdk.errors import InputError

    documents = [report.document for report in reports]
    if len(documents) > 1 and is_standard(file):
        raise InputError(f"--export: there are {len(documents)} reports; name a file, others go beside it")
    names = [f"{file.stem}.{number}{file.suffix}" for number in range(2, len(documents) + 1)]
    files = [file, *map(file.with_name, names)]
    for each in files:
        expect_place(each, force=force)
    for document, each in zip(documents, files, strict=True):
        write(document, each)
    return files
