"""
``ternary serve`` and ``ternary server``: run a license server, and work with one.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ternary_cli import (
    server_audit,
    server_catalog,
    server_changes,
    server_deals,
    server_events,
    server_invoices,
    server_licenses,
    server_restoring,
    server_status,
)
from ternary_cli.options import JsonOption, argument, option, whole
from ternary_cli.server_names import license_id, maybe_customer
from ternary_cli.server_pages import (
    PAGE,
    Column,
    CsvOption,
    Row,
    dated,
    one_form,
    pages,
    plain,
    show_list,
)
from ternary_cli.server_terms import (
    CustomerOption,
    Database,
    TokenFile,
    Url,
    admin,
    checked_id,
    day,
    opened_database,
    show_facts,
)
from ternary_cli.vendor_extra import vendor_extra

if TYPE_CHECKING:
    from ternary_cli.admin import Admin

app = typer.Typer(help="Work with a running license server.", no_args_is_help=True)
app.add_typer(server_audit.app, name="audit")
app.add_typer(server_events.webhook, name="webhook")
app.add_typer(server_events.events, name="events")
app.command("customer")(server_catalog.customer)
app.command("customers")(server_catalog.customers)
app.command("release")(server_catalog.release)
app.command("guarantee")(server_catalog.guarantee)
app.command("releases")(server_catalog.releases)
app.command("policy")(server_catalog.policy)
app.command("policies")(server_catalog.policies)
app.command("edit-customer")(server_changes.edit_customer)
app.command("merge-customer")(server_changes.merge_customer)
app.command("anonymise-customer")(server_changes.anonymise_customer)
app.command("change-policy")(server_changes.change_policy)
app.command("price-policy")(server_changes.price_policy)
app.command("end-policy")(server_changes.end_policy)
app.command("issue")(server_deals.issue)
app.command("edit")(server_deals.edit)
app.command("licenses")(server_licenses.licenses)
app.command("show")(server_licenses.show)
app.command("renew")(server_licenses.renew)
app.command("change")(server_licenses.change)
app.command("suspend")(server_licenses.suspend)
app.command("reinstate")(server_licenses.reinstate)
app.command("revoke")(server_licenses.revoke)
app.command("transfer")(server_licenses.transfer)
app.command("free-seat")(server_licenses.free_seat)
app.command("status")(server_status.status)
app.command("restore")(server_restoring.restore)
app.command("merge-list")(server_restoring.merge_list)
app.command("correct")(server_licenses.correct)
app.command("invoice")(server_invoices.invoice)
app.command("invoices")(server_invoices.invoices)
app.command("merge-invoice")(server_invoices.merge_invoice)


def serve(
    keys: Annotated[
        Path | None, option("--keys", metavar="DIR", text="What 'ternary keys init' made.")
    ] = None,
    database: Database = None,
    host: Annotated[str | None, option("--host", metavar="ADDRESS", text="Default: 127.0.0.1.")] = None,
    port: Annotated[int | None, whole("--port", metavar="N", text="Default: 8750.")] = None,
    workers: Annotated[
        int | None, whole("--workers", metavar="N", text="Processes that answer there; default: 1.")
    ] = None,
    new_token: Annotated[
        bool, option("--new-token", text="Only make an admin token in the database, and print it once.")
    ] = False,
    as_json: Annotated[
        bool, option("--json", text="Print a new token, or why the server cannot start, as one JSON object.")
    ] = False,
) -> None:
    """Vendor: run a license server; what is not given here comes from TERNARY_SERVER_… variables."""
    from ternary_cli.endings import at_once
    from ternary_cli.terminal import note

    with vendor_extra("ternary serve", extra="server"):
        from ternary_license_server.local import remedies
        from ternary_license_server.serving import serve as serving
        from ternary_license_server.settings import Settings
    given = {"KEYS": keys, "DATABASE": database, "HOST": host, "PORT": port, "WORKERS": workers}
    chosen = {f"TERNARY_SERVER_{name}": str(value) for name, value in given.items() if value is not None}
    if new_token:
        with opened_database(database) as found:
            show_facts(remedies.new_token(found), as_json)
        return
    settings = Settings.read(dict(os.environ) | chosen)
    with at_once():  # the server hears signals itself
        serving.serve(settings, note)


@app.command("confirm-clock")
def confirm_clock(
    today: Annotated[str, argument("DATE", "Today's date, UTC.")],
    database: Annotated[
        str | None, option("--database", metavar="URL", text="Default: $TERNARY_SERVER_DATABASE.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Vouch for a clock that the server does not believe; run it where the database can be reached."""
    with vendor_extra("ternary server", extra="server"):
        from ternary_license_server.local import remedies
        from ternary_license_server.settings import Settings
    url = database or os.environ.get("TERNARY_SERVER_DATABASE") or Settings.database
    show_facts(remedies.confirm_clock(url, day(today).date()), as_json)


@app.command("token")
def token(
    name: Annotated[str, argument("NAME", "What it is for.")],
    scope: Annotated[str, option("--scope", metavar="SCOPE", text="admin, issuer or auditor.")],
    days: Annotated[int, whole("--days", metavar="N", text="Until it ends; default: 90.")] = 90,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
) -> None:
    """Make an admin token; its secret is shown once."""
    end = int((datetime.now(UTC) + timedelta(days=days)).timestamp())
    body = {"name": name, "scope": scope, "expires": end}
    show_facts(admin(url, token_file).post("/tokens", body), as_json)


@app.command("tokens")
def tokens(
    url: Url = None,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """List admin tokens."""
    one_form(as_json, as_csv)
    columns = [plain("id"), plain("name"), plain("scope"), dated("created", "made"), dated("expires", "ends")]
    columns.append(dated("revoked"))
    rows = pages(admin(url, token_file), "/tokens", "id")
    show_list(rows, columns, ("created", "expires", "revoked"), as_json=as_json, as_csv=as_csv)


@app.command("revoke-token")
def revoke_token(
    which: Annotated[str, argument("TOKEN", "Its id.")],
    url: Url = None,
    last: Annotated[
        bool, option("--last", text="Even if it is the last usable one: nobody gets in then.")
    ] = False,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
) -> None:
    """End an admin token at once."""
    body = {"last": True} if last else None
    show_facts(admin(url, token_file).post(f"/tokens/{checked_id(which)}/revoke", body), as_json)


@app.command("usage")
def usage(
    start: Annotated[
        str | None, option("--from", metavar="DATE", text="First day, UTC; default: the month's first.")
    ] = None,
    end: Annotated[str | None, option("--to", metavar="DATE", text="Last day, UTC; default: today.")] = None,
    license: Annotated[str | None, option("--license", metavar="L", text="Of this license alone.")] = None,
    of: CustomerOption = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """What licenses newly used of each space in a period; default: this month until now.

    Who in the period reported less than before is named on standard error, or in the JSON.
    """
    from ternary_cli.terminal import show_json_lists

    one_form(as_json, as_csv)
    first, last = _period(start, end, datetime.now(UTC))
    asked = admin(url, token_file)
    whose = None if license is None else license_id(asked, license)
    period: dict[str, Any] = {
        "start": int(first.timestamp()),
        "end": int(last.timestamp()),
        "license_id": whose,
        "customer": maybe_customer(asked, of),
    }
    rows = _usage_rows(asked, period)
    if as_json:
        show_json_lists({"start": period["start"], "end": period["end"]}, _PARTS, rows)
    else:
        _show_usage(rows, as_csv)


def _show_usage(rows: Iterator[tuple[str, Row]], as_csv: bool) -> None:
    from ternary_cli.terminal import note

    parts = groupby(rows, key=itemgetter(0))
    first = next(parts, ("lines", iter(())))
    lines, rest = (first[1], parts) if first[0] == "lines" else (iter(()), chain([first], parts))
    shown = ({name: row[name] for name in _USAGE_CSV} for _, row in lines)
    show_list(shown, _USAGE, (), as_json=False, as_csv=as_csv)
    for part, found in rest:
        if part == "flagged":
            for _, flag in found:
                note(_flag(flag))


def _usage_rows(asked: "Admin", period: dict[str, Any]) -> Iterator[tuple[str, Row]]:
    """Every row of a period with the name of its part, one page in memory at a time."""
    after = None
    while True:
        page = asked.get("/usage", after=after, limit=PAGE, **period)
        for part in _PARTS:
            yield from ((part, row) for row in page[part])
        after = page["next"]
        if after is None:
            return


def _percent(share: str | None) -> str:
    """A share of six places as percent of four: neither is rounded again."""
    return "-" if share is None else f"{100 * Decimal(share):.4f} %"


_PARTS: Final = ("lines", "customers", "flagged")
_USAGE_CSV: Final = (
    "license",
    "customer",
    "customer_name",
    "space",
    "operations",
    "late",
    "taken_back",
    "total",
    "share_of_space",
    "all_spaces",
    "quota",
    "share_of_quota",
)
_USAGE: Final = [
    plain("license"),
    plain("customer_name", "customer"),
    plain("space"),
    Column("new", lambda row: f"{row['operations']:,}"),
    Column("late", lambda row: f"{row['late']:,}"),
    Column("taken back", lambda row: f"{row['taken_back']:,}"),
    Column("in all", lambda row: f"{row['total']:,}"),
    Column("of the space", lambda row: _percent(row["share_of_space"])),
    Column("of the quota", lambda row: _percent(row["share_of_quota"])),
]


def _period(start: str | None, end: str | None, now: datetime) -> tuple[datetime, datetime]:
    """From the first day on, up to and not including the day after the last."""
    from ternary_sdk.errors import InputError

    last = day(end) if end else now.replace(hour=0, minute=0, second=0, microsecond=0)
    first = day(start) if start else last.replace(day=1)
    if first > last:
        raise InputError(f"--from {first:%Y-%m-%d}: is after --to {last:%Y-%m-%d}, expected a day before it")
    return first, last + timedelta(days=1)


def _flag(flag: dict[str, Any]) -> str:
    on = datetime.fromtimestamp(flag["received"], UTC)
    began = "is of a meter that began anew and " if flag["restarted"] else ""
    return (
        f"warning: license {flag['license']} of {flag['customer']}: a report of installation "
        f"{flag['installation']} on {on:%Y-%m-%d} {began}lacked {flag['lost']} operations of earlier "
        f"ones, space {flag['space']}; its meter was deleted or replaced"
    )


@app.command("backup")
def backup(
    out: Annotated[Path, argument("OUT", "The file to write; it must not exist.")],
    database: Database = None,
    as_json: JsonOption = False,
) -> None:
    """Copy the SQLite database into one file, while the server runs or not, and check the copy."""
    with vendor_extra("ternary server backup", extra="server"):
        from ternary_license_server.local import backup as backups
    from ternary_sdk.errors import TernaryError

    with opened_database(database) as found:
        made = backups.backup(found, out)
    show_facts(
        {
            "backup": str(out),
            "bytes": made.bytes,
            "tables": made.revision,
            "licenses": made.licenses,
            "audit_rows": made.audit_rows,
            "audit_head": made.audit_head,
            "audit_faults": len(made.audit_faults),
        },
        as_json,
    )
    if made.audit_faults:
        raise TernaryError(f"{out}: written, with the database's faults: {'; '.join(made.audit_faults)}")
