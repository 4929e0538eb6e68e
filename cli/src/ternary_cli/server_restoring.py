"""
``ternary server restore`` and ``merge-list``: bring a server back from a backup, and what it had revoked.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

from ternary_cli.options import JsonOption, argument, option, whole
from ternary_cli.server_terms import Database, day, opened_database, show_facts
from ternary_cli.vendor_extra import vendor_extra

KeysDirectory = Annotated[Path | None, option("--keys", metavar="DIR", text="Default: $TERNARY_SERVER_KEYS.")]
MAX_DAYS: Final = 36_600


def restore(
    source: Annotated[
        Path | None,
        argument(
            "BACKUP", "What 'ternary server backup' made; none if the database is in its place already."
        ),
    ] = None,
    keys: KeysDirectory = None,
    trust: Annotated[
        Path | None, option("--trust", metavar="F", text="The newest trust file that was published.")
    ] = None,
    no_newer_trust: Annotated[
        bool,
        option("--no-newer-trust", text="There is none: what was revoked since the backup holds again."),
    ] = False,
    accept_oversell: Annotated[
        bool,
        option("--accept-oversell", text="Give seats to machines that the backup does not know, at once."),
    ] = False,
    longest_days: Annotated[
        int | None,
        whole("--longest-days", metavar="N", text="Longest lease or offline term sold since the backup."),
    ] = None,
    today: Annotated[
        str | None,
        option("--today", metavar="DATE", text="Today, UTC; after a long time, vouches for the clock."),
    ] = None,
    database: Database = None,
    as_json: JsonOption = False,
) -> None:
    """Put a backup in the database's place, and answer with care until what it does not know is over."""
    from ternary_cli.documents import read_trust
    from ternary_sdk.errors import InputError, TernaryError

    with vendor_extra("ternary server restore", extra="server"):
        from ternary_license_server.local import restoration
    if (trust is None) is not no_newer_trust:
        raise InputError(
            "restore: needs --trust with the newest trust file that was published, or --no-newer-trust: then "
            "what was revoked since the backup holds again, until you revoke it once more"
        )
    if longest_days is not None and not 1 <= longest_days <= MAX_DAYS:
        raise InputError(f"--longest-days: {longest_days}, expected 1 to {MAX_DAYS}")
    wish = restoration.Wish(
        newest=None if trust is None else read_trust(trust),
        oversell=accept_oversell,
        longest=timedelta(days=longest_days or 0),
        today=None if today is None else day(today).date(),
    )
    with opened_database(database) as found:
        restored = restoration.restore(found, keys_directory(keys), wish, source)
    faults = restored.audit_faults
    show_facts(restored.facts | {"audit_faults": len(faults)}, as_json)
    if faults:
        raise TernaryError(f"restored, with the backup's faults: {'; '.join(faults)}")


def merge_list(
    file: Annotated[Path, argument("FILE", "A trust file of any age.")],
    keys: KeysDirectory = None,
    database: Database = None,
    as_json: JsonOption = False,
) -> None:
    """Add the names of a trust file's revocation list to the server's, while it runs or not."""
    from ternary_cli.documents import read_trust

    with vendor_extra("ternary server merge-list", extra="server"):
        from ternary_license_server.local import restoration
    offered = read_trust(file)
    with opened_database(database) as found:
        show_facts(restoration.merge_list(found, keys_directory(keys), offered), as_json)


def keys_directory(given: Path | None) -> Path:
    """The vendor's key directory, by option or environment."""
    from ternary_sdk.errors import InputError

    found = given or os.environ.get("TERNARY_SERVER_KEYS")
    if not found:
        raise InputError("keys: missing; give --keys or set TERNARY_SERVER_KEYS")
    return Path(found)
