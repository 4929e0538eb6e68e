"""
``ternary trust update``: the vendor's newer trust file in the place of the one that is relied on.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from ternary_cli.options import JsonOption, StateOption, TrustOption, argument, option
from ternary_cli.terminal import show_pairs

if TYPE_CHECKING:
    from ternary_sdk._internal.trust.trust import Trust

NewTrust = Annotated[Path | None, argument("FILE", "The trust file that the vendor sent.")]
FromServer = Annotated[
    str | None, option("--server", metavar="URL", text="Get it from the vendor's license server instead.")
]


def update(
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
    show_pairs(facts, as_json=as_json)


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
