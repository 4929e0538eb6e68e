"""
``ternary license usage``: how much of a quota is used, and the signed report of it.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

from ternary_cli.options import JsonOption, LicenseArgument, StateOption, TrustOption, option
from ternary_cli.terminal import show, show_json

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
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how many different operations were drawn of how many allowed; --export signs a report of them."""
    from ternary_cli.files import write
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
        chosen.expect_listed()
        parts = {chosen: parts.get(chosen, 0)}
    if export is not None:
        write(permit.usage(datetime.now(UTC), space=chosen), export)
    if as_json:
        spaces = {str(one): count for one, count in parts.items()}
        show_json({"license": held.id, "drawn": drawn, "allowed": quota, "spaces": spaces})
        return
    filled = min(_BAR, _BAR * drawn // quota)
    bar = "█" * filled + "░" * (_BAR - filled)
    told = [f"{held.id}  {bar}  {drawn:,} of {quota:,} operations drawn"]
    if chosen is not None or len(parts) > 1:
        told += [f"{one}  {count:,} {one.title} operations" for one, count in parts.items()]
    show(told)
