"""
``ternary server webhook …`` and ``events …``: where events are sent, and what became of them.
"""

import time
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ternary_cli.options import JsonOption, argument, option
from ternary_cli.server_pages import Column, CsvOption, dated, one_form, pages, plain, show_list
from ternary_cli.server_terms import TokenFile, Url, admin, checked_id, show_facts

if TYPE_CHECKING:
    from ternary_cli.admin import Admin

webhook = typer.Typer(help="Addresses that events are sent to.", no_args_is_help=True)
events = typer.Typer(help="Events, and what became of them.", no_args_is_help=True)

WebhookId = Annotated[str, argument("WEBHOOK", "Its id, W-….")]
TEST_SECONDS: Final = 30
"""How long a test waits for its outcome; an attempt ends within 15 seconds."""
_LOOK: Final = 0.3
"""Seconds from one question for the outcome to the next."""


@webhook.command("add")
def add(
    address: Annotated[str, argument("ADDRESS", "https://…; http for the server's own machine.")],
    kinds: Annotated[
        str | None,
        option("--events", metavar="LIST", text="As license.ending,quota.reached; default: all."),
    ] = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
) -> None:
    """Send events to an address; its secret is shown once."""
    wanted = [kind.strip() for kind in kinds.split(",")] if kinds else []
    made = admin(url, token_file).post("/webhooks", {"url": address, "kinds": wanted})
    show_facts(made if as_json else _facts(made), as_json)


@webhook.command("list")
def webhooks(
    url: Url = None,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """List webhooks, with the numbers of attempts that were taken and that failed."""
    one_form(as_json, as_csv)
    rows = iter(admin(url, token_file).get("/webhooks"))
    columns = [plain("id"), plain("state"), dated("created", "made"), plain("delivered"), plain("failed")]
    columns += [Column("events", lambda row: _kinds(row["kinds"])), plain("url", "address")]
    show_list(rows, columns, ("created",), as_json=as_json, as_csv=as_csv)


@webhook.command("remove")
def remove(
    which: WebhookId, url: Url = None, token_file: TokenFile = None, as_json: JsonOption = False
) -> None:
    """Remove a webhook and all that waits for it."""
    _change(admin(url, token_file), which, "remove", as_json)


@webhook.command("pause")
def pause(
    which: WebhookId, url: Url = None, token_file: TokenFile = None, as_json: JsonOption = False
) -> None:
    """Send nothing to a webhook until it is resumed; its events wait."""
    _change(admin(url, token_file), which, "pause", as_json)


@webhook.command("resume")
def resume(
    which: WebhookId, url: Url = None, token_file: TokenFile = None, as_json: JsonOption = False
) -> None:
    """Send to a webhook again that was paused, or whose server answered 410."""
    _change(admin(url, token_file), which, "resume", as_json)


@webhook.command("test")
def try_out(
    which: WebhookId, url: Url = None, token_file: TokenFile = None, as_json: JsonOption = False
) -> None:
    """Send an event of kind webhook.tested to a webhook, and wait for what comes of it."""
    from ternary_sdk.errors import ServerError

    asked = admin(url, token_file)
    event = asked.post(f"/webhooks/{checked_id(which)}/test")["event"]
    found = _tried(asked, event)
    if found["state"] != "delivered":
        why = found["error"] or f"not sent within {TEST_SECONDS} seconds; is 'ternary serve' running?"
        later = "it will be sent again" if found["state"] == "pending" else "it is dead"
        raise ServerError(f"webhook {which}: {event}: {why}; {later}")
    show_facts({name: found[name] for name in ("event", "webhook", "state", "attempts", "status")}, as_json)


@events.command("list")
def listed(
    dead: Annotated[bool, option("--dead", text="Only those that are not sent any more.")] = False,
    pending: Annotated[bool, option("--pending", text="Only those that wait.")] = False,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """List events, oldest first, one row for each webhook; --json and --csv have all of each."""
    one_form(as_json, as_csv)
    if dead and pending:
        raise typer.BadParameter("--dead and --pending cannot be used together.")
    state = "dead" if dead else "pending" if pending else None
    rows = pages(admin(url, token_file), "/events", "at", "event", "webhook", state=state)
    show_list(rows, _EVENTS, ("at", "due"), as_json=as_json, as_csv=as_csv)


@events.command("replay")
def replay(
    which: Annotated[list[str] | None, argument("EVENT…", "Ids, E-….")] = None,
    all_dead: Annotated[bool, option("--all-dead", text="Every dead one.")] = False,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
) -> None:
    """Send events again, whatever became of them; receivers know them again by their ids."""
    if bool(which) == all_dead:
        raise typer.BadParameter("Name events, or add --all-dead.")
    asked = admin(url, token_file)
    if all_dead:
        show_facts(asked.post("/events/replay-dead"), as_json)
    else:
        chosen: list[Any] = [checked_id(event) for event in which or []]
        show_facts(asked.post("/events/replay", {"events": chosen}), as_json)


_EVENTS: Final = [
    dated("at"),
    plain("event"),
    plain("kind"),
    plain("subject", "about"),
    Column("webhook", lambda row: row["webhook"] or "-"),
    plain("state"),
    plain("attempts"),
    Column("next attempt", lambda row: dated("due").word(row) if row["state"] == "pending" else "-"),
    plain("error"),
]


def _change(asked: "Admin", which: str, what: str, as_json: bool) -> None:
    made = asked.post(f"/webhooks/{checked_id(which)}/{what}")
    show_facts(made if as_json else _facts(made), as_json)


def _tried(asked: "Admin", event: str) -> dict[str, Any]:
    """A test's delivery, once it was tried, or as it stands when the time is over."""
    ends = time.monotonic() + TEST_SECONDS
    while True:
        found: list[dict[str, Any]] = asked.get("/events", event=event)
        if not found or found[0]["state"] != "pending" or found[0]["error"] or time.monotonic() > ends:
            return found[0] if found else {"state": None, "error": "was removed meanwhile"}
        time.sleep(_LOOK)


def _facts(made: dict[str, Any]) -> dict[str, Any]:
    """For people: what the interface calls ``kinds`` are the events of ``--events``."""
    return {("events" if name == "kinds" else name): value for name, value in made.items()} | {
        "events": _kinds(made["kinds"])
    }


def _kinds(kinds: list[str]) -> str:
    return ",".join(kinds) or "all"
