"""
``ternary license usage``: how much of a quota is used, and the signed report of it.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

from ternary_cli.options import JsonOption, LicenseArgument, StateOption, TrustOption, option
from ternary_cli.terminal import show, show_json

Export = Annotated[Path | None, option("--export", metavar="F", text="Write the signed report here.")]

_BAR: Final = 24
"""Length of the bar, in characters."""


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
