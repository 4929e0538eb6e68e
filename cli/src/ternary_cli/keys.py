"""
``ternary keys``: the vendor's signing keys.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from ternary_cli.options import JsonOption, argument, option
from ternary_cli.terminal import note, pairs, show, show_json
from ternary_cli.vendor_extra import vendor_extra

Directory = Annotated[Path, argument("DIR", "A folder that does not exist yet.")]
Vendor = Annotated[
    str | None, option("--vendor", metavar="NAME", text="Your name in every license; default: DIR's.")
]


def init(
    directory: Directory,
    vendor: Vendor = None,
    as_json: JsonOption = False,
) -> None:
    """Vendor: make one key for each role, and the trust file that clients pin."""
    with vendor_extra("ternary keys init"):
        from ternary_license_server.keys import keyring
    ring = keyring.create(directory, vendor or directory.resolve().name, datetime.now(UTC))
    trust_file = directory / keyring.TRUST_FILE
    if not vendor:
        note(
            f"vendor is {ring.vendor!r}, the folder's name; it will stand in every license: "
            "use --vendor NAME to choose another"
        )
    if as_json:
        show_json({"vendor": ring.vendor, "root": ring.trust.root.kid, "trust": str(trust_file)})
        return
    show(
        pairs(
            {
                "vendor": ring.vendor,
                "root": ring.trust.root.kid,
                "trust": f"{trust_file}  (give this file to every client, with the root above to compare)",
                "keys": f"{directory}  (mode 0700; move root.pem offline, it signs key sets only)",
            }
        )
    )


def webhook(
    directory: Annotated[Path, argument("DIR", "What 'ternary keys init' made.")],
    as_json: JsonOption = False,
) -> None:
    """Vendor: make the key that a license server seals the secrets of its webhooks under."""
    with vendor_extra("ternary keys webhook"):
        from ternary_license_server.keys import webhook_key
    made = webhook_key.create(directory)
    facts = {"key": str(made.path), "kid": made.public.kid}
    show_json(facts) if as_json else show(pairs(facts))
