"""
``ternary machine``: what a vendor binds a license to.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from ternary_cli.options import JsonOption, MachineOption, StateOption, TrustOption, option
from ternary_cli.terminal import show_pairs

if TYPE_CHECKING:
    from ternary_sdk._internal.trust.trust import Trust

KeyFile = Annotated[
    Path | None,
    option("--key", metavar="F", text="Write this installation's public key, for a license bound to it."),
]


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
    show_pairs(facts, as_json=as_json)


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
