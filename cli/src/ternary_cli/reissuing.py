"""
``ternary license reissue``: another end for a license that no server renews.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from ternary_cli.options import JsonOption, KeysOption, NewFileOption, argument, option
from ternary_cli.vendor_extra import vendor_extra


def reissue(
    license: Annotated[Path, argument("L", "The license as it was issued.")],
    expires: Annotated[str, option("--expires", metavar="DATE", text="Its new last day, UTC, or 'never'.")],
    keys: KeysOption,
    out: NewFileOption,
    as_json: JsonOption = False,
) -> None:
    """Vendor: issue a license again with a later end; its id, terms and content keys stay."""
    from ternary_cli.dates import end_after
    from ternary_cli.documents import license_named, read_license
    from ternary_cli.facts import license_facts, license_words
    from ternary_cli.files import write_new
    from ternary_cli.terminal import pairs, show, show_json
    from ternary_sdk._internal.licensing.license import License
    from ternary_sdk.errors import LicenseError

    now = datetime.now(UTC)
    end = end_after(expires, now)
    with vendor_extra("ternary license reissue"):
        from ternary_license_server.keys import issue as issuing
        from ternary_license_server.keys import keyring
    ring, data = keyring.load(keys), read_license(license)
    try:
        token = issuing.reissue(ring, data, now=now, expires=end)
    except LicenseError as refusal:
        raise license_named(refusal, str(license)) from None
    write_new(token + b"\n", out)
    issued, written = License.read(token, ring.trust), {"file": str(out)}
    show_json(written | license_facts(issued)) if as_json else show(
        pairs(written | license_words(issued, now))
    )
