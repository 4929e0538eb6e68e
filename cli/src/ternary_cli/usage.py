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
    from ternary_sdk._internal.licensing.usage import Report

Export = Annotated[Path | None, option("--export", metavar="F", text="Write the signed report here.")]
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
    space: SpaceOption = None,
    force: ForceOption = False,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how many different operations were drawn of how many allowed; --export signs a report of them."""
    from ternary_cli.files import expect_place
    from ternary_cli.selection import select_license
    from ternary_cli.standing import licensed_package
    from ternary_sdk._internal.licensing.permit import Permit
    from ternary_sdk.errors import InputError
    from ternary_sdk.space import Space

    expect_place(export, force=force)
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
