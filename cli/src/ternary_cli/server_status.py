"""
``ternary server status``: licenses, seats, ends, flags, refusals and health on one screen.
"""

from typing import Any

from ternary_cli.options import JsonOption
from ternary_cli.server_terms import TokenFile, Url, admin


def status(url: Url = None, token_file: TokenFile = None, as_json: JsonOption = False) -> None:
    """Show how the business stands, and whether the server is well; exit status 1 if it is not."""
    from ternary_cli.refusals import FoundWrongError
    from ternary_cli.terminal import pairs, show, show_json

    found = admin(url, token_file).get("/overview")
    if not (as_json and found["faults"]):
        show_json(found) if as_json else show(pairs(_words(found)))
    if found["faults"]:
        raise FoundWrongError("; ".join(found["faults"]), found)


def _words(found: dict[str, Any]) -> dict[str, str]:
    from ternary_cli.server_pages import minute

    numbers, seats = found["licenses"], found["seats"]
    flags, ending = found["flags"], found["ending"]
    without = seats["licenses_without_limit"]
    unlimited = f"; {without} {_licenses(without)} without a limit" if without else ""
    return {
        "now": f"{minute(found['now'])} UTC",
        **({"counted": f"{minute(found['counted'])} UTC"} if found["counted"] != found["now"] else {}),
        "health": "well"
        if not found["warnings"] + found["faults"]
        else "; ".join(found["faults"] or ["works"]),
        **{f"warning {number}": warning for number, warning in enumerate(found["warnings"], 1)},
        "licenses": ", ".join(f"{number} {state}" for state, number in numbers.items()),
        "seats": f"{seats['held']} held, {seats['sold']} sold by active licenses{unlimited}",
        "ending": f"{ending['number']} {_licenses(ending['number'])} in the next 30 days",
        **{
            f"ends {minute(license['expires'])}": f"{license['id']}  {license['customer_name']}"
            for license in ending["first"]
        },
        "flags": f"{flags['lacking']} reports in the last 30 days lacked operations of earlier ones, "
        f"{flags['restarted']} of them with a new meter",
        "events": _events(found["events"]),
        "refused": _refused(found["refusals"]),
    }


def _licenses(number: int) -> str:
    return "license" if number == 1 else "licenses"


def _events(found: dict[str, int]) -> str:
    oldest = f", the oldest for {found['oldest']} s" if found["waiting"] else ""
    held = f", {found['held']} held by paused webhooks" if found["inactive"] else ""
    return f"{found['waiting']} wait to be sent{oldest}{held}, {found['dead']} dead"


def _refused(refusals: dict[str, int]) -> str:
    if not refusals:
        return "nothing since the server started"
    return ", ".join(f"{code} {number}" for code, number in refusals.items()) + ", since the server started"
