"""
``ternary server audit``: the log listed, verified, sealed and archived.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ternary_cli.options import JsonOption, argument, option, whole
from ternary_cli.server_pages import CsvOption, dated, one_form, pages, plain, show_list
from ternary_cli.server_terms import Database, TokenFile, Url, admin, opened_database, show_facts
from ternary_cli.terminal import note
from ternary_cli.vendor_extra import vendor_extra

if TYPE_CHECKING:
    from ternary_license_server.keys.keyring import KeyRing

app = typer.Typer(help="The audit log.", no_args_is_help=True)

Keys = Annotated[
    Path | None, option("--keys", metavar="DIR", text="The vendor's keys; default: $TERNARY_SERVER_KEYS.")
]
FromCheckpoint = Annotated[
    Path | None, option("--checkpoint", metavar="F", text="Verify only what came after this one, the newest.")
]


@app.command("list")
def audit_list(
    stream: Annotated[
        str | None, argument("STREAM", "A license's id, or another matter; default: all.")
    ] = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """List rows of the audit log."""
    one_form(as_json, as_csv)
    columns = [
        dated("at"),
        plain("stream"),
        plain("number"),
        plain("actor"),
        plain("action"),
        plain("detail"),
    ]
    rows = pages(admin(url, token_file), "/audit", "stream", "number", stream=stream)
    show_list(rows, columns, ("at",), as_json=as_json, as_csv=as_csv)


@app.command("verify")
def audit_verify(
    checkpoint: FromCheckpoint = None,
    url: Url = None,
    token_file: TokenFile = None,
    database: Database = None,
    keys: Keys = None,
    as_json: JsonOption = False,
) -> None:
    """Check every chain of the audit log, and name each edited, deleted or inserted row.

    With --database it reads the database itself: a large log takes longer than a request may.
    """
    from ternary_cli.files import read
    from ternary_cli.refusals import FoundWrongError

    token = None if checkpoint is None else read(checkpoint, most=4096)[0]
    if database is None:
        text = None if token is None else token.decode(errors="replace").strip()
        found = admin(url, token_file).get("/audit/verify", checkpoint=text)
    else:
        found = _verified(database, None if token is None else _ring(keys), token)
    facts = {"entries": found["entries"], "head": found["head"], "faults": len(found["faults"])}
    if not (as_json and found["faults"]):
        show_facts(facts, as_json)
    if found["faults"]:
        raise FoundWrongError("; ".join(found["faults"]), facts)


def _verified(address: str, ring: "KeyRing | None", token: bytes | None) -> dict[str, Any]:
    with opened_database(address) as database:
        from ternary_license_server.database.migration import existing
        from ternary_license_server.service import auditing, checkpoints

        existing(database)
        with database.read() as transaction:
            entries, head = auditing.summary(transaction)
            wrong = auditing.faults(transaction)
            if token is not None and ring is not None:
                wrong = checkpoints.faults(transaction, ring.trust, token)
            return {"entries": entries, "head": head, "faults": list(wrong)}


@app.command("checkpoint")
def audit_checkpoint(
    out: Annotated[Path, argument("OUT", "The file to write; it must not exist.")],
    database: Database = None,
    keys: Keys = None,
    as_json: JsonOption = False,
) -> None:
    """Verify what came since the last checkpoint, and sign one that a later verification can begin from."""
    from ternary_cli.files import write
    from ternary_sdk.errors import InputError

    if os.path.lexists(out):
        raise InputError(f"{out}: exists already; name another file")
    ring = _ring(keys)
    with opened_database(database) as found:
        from ternary_license_server.database.migration import existing
        from ternary_license_server.service import checkpoints
        from ternary_license_server.service.access import LOCAL

        existing(found)
        token = checkpoints.make(found, ring, actor=LOCAL)
    write(token + b"\n", out)
    stated = checkpoints.Checkpoint.read(token, ring.trust)
    facts = {"checkpoint": str(out), "number": stated.number, "rows": stated.rows, "head": stated.head}
    show_facts(facts, as_json)


@app.command("archive")
def audit_archive(
    folder: Annotated[
        Path | None, option("--out", metavar="DIR", text="Default: $TERNARY_SERVER_AUDIT_ARCHIVE.")
    ] = None,
    keep: Annotated[
        int | None, whole("--keep-days", metavar="N", text="Default: $TERNARY_SERVER_AUDIT_KEEP.")
    ] = None,
    database: Database = None,
    keys: Keys = None,
    as_json: JsonOption = False,
) -> None:
    """Move rows that a checkpoint covers and that are older into signed files, and delete them.

    Run it after a checkpoint, from a timer. A file is whole on disk before its rows are deleted.
    """
    with vendor_extra("ternary server audit archive", extra="server"):
        from ternary_license_server.local import archiving
        from ternary_license_server.service.access import LOCAL
        from ternary_license_server.settings import read_archiving
    given = {"AUDIT_ARCHIVE": folder, "AUDIT_KEEP": keep}
    named = {f"TERNARY_SERVER_{name}": str(value) for name, value in given.items() if value is not None}
    where, days = read_archiving(dict(os.environ) | named)
    _check_archiving(where, days)
    ring = _ring(keys)
    with opened_database(database) as found:
        made = list(archiving.archive(found, ring, Path(where), timedelta(days=days), actor=LOCAL))
    rows = sum(one.seal.rows for one in made)
    show_facts({"archives": [str(one.file) for one in made], "rows": rows}, as_json)


def _check_archiving(where: str, days: int) -> None:
    from ternary_sdk.errors import InputError

    if not where:
        raise InputError("audit archive: no folder; give --out or set TERNARY_SERVER_AUDIT_ARCHIVE")
    if not days:
        raise InputError(
            "audit archive: all rows are kept; give --keep-days or set TERNARY_SERVER_AUDIT_KEEP"
        )


@app.command("check")
def audit_check(
    files: Annotated[list[Path], argument("ARCHIVE…", "Archives in their order.")],
    trust: Annotated[Path, option("--trust", metavar="T", text="The vendor's trust file.")],
    as_json: JsonOption = False,
) -> None:
    """Verify archives of the audit log: seals, digests, chains, and that each follows the one before."""
    with vendor_extra("ternary server audit check", extra="server"):
        from ternary_license_server.service import archives
    from ternary_cli.files import read
    from ternary_sdk._internal.trust.trust import MAX_TRUST, Trust

    believed = Trust.read(read(trust, most=MAX_TRUST)[0])
    erasures = archives.Erasures()
    seals = list(archives.chain(files, believed, erasures))
    for stream, number in sorted(erasures.unstated):
        note(
            f"audit of {stream}, row {number}: erased, and no row of these archives states it; a later "
            "archive must, or the log in the database ('ternary server audit verify')",
        )
    facts = {"archives": len(seals), "first": seals[0].number, "last": seals[-1].number}
    facts |= {"rows": sum(seal.rows for seal in seals), "erased_unstated": len(erasures.unstated)}
    show_facts(facts | {"sha256": seals[-1].sha256}, as_json)


def _ring(directory: Path | None) -> "KeyRing":
    with vendor_extra("ternary server audit", extra="server"):
        from ternary_license_server.keys import keyring
    from ternary_sdk.errors import InputError

    named = directory or os.environ.get("TERNARY_SERVER_KEYS")
    if not named:
        raise InputError("keys: none named; give --keys or set TERNARY_SERVER_KEYS")
    return keyring.load(Path(named))
