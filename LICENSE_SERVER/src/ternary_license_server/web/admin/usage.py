"""
Usage: what an invoice needs.
"""

import csv
from typing import Annotated, Final

from fastapi import Query, Response
from pydantic import Field

from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import invoicing, usage_pages
from ternary_license_server.service.records import moment
from ternary_license_server.service.usage_pages import Asked, Place
from ternary_license_server.web.admin.gate import Limit, Look, Only, resource
from ternary_license_server.web.bodies import Given, Space
from ternary_license_server.web.exchange import exchange_of
from ternary_license_server.web.exports import Export
from ternary_sdk._internal.documents.canonical import Json

router = resource()
When = Annotated[int, Query(ge=0, le=253_402_300_799)]
_ROW: Final = "|".join(
    f"{part}( [A-Za-z0-9._,-]+){{{len(names)}}}" for part, names in usage_pages.PARTS.items()
)
AfterRow = Annotated[
    str | None,
    Query(
        max_length=400, pattern=f"^({_ROW})$", description="Begin after this row: `next` of the page before."
    ),
]


class UsageLine(Given):
    """What one license newly used of one space in a period; `quota` and its share are of all spaces."""

    license: str
    customer: str
    customer_name: str
    space: Space
    operations: int
    late: int
    taken_back: int
    total: int
    share_of_space: str
    all_spaces: int
    quota: int | None
    share_of_quota: str | None


class CustomerLine(Given):
    """What all licenses of one customer together newly used of one space in a period, each operation once."""

    customer: str
    space: Space
    operations: int
    taken_back: int
    total: int
    share_of_space: str


class Flag(Given):
    """An installation whose report lacked operations of earlier ones, or whose meter began anew."""

    license: str
    installation: str
    customer: str
    space: Space
    lost: int
    restarted: bool
    received: int


class Usage(Given):
    """A page of an invoice's annex: lines first, then customers, then flags, `limit` of all together."""

    start: int
    end: int
    next: Annotated[str | None, Field(description="Give it as `after` for the next page; null at the end.")]
    lines: list[UsageLine]
    customers: list[CustomerLine]
    flagged: list[Flag]


@router.get("/usage", response_model=Usage)
def usage(
    asked: Look,
    start: When,
    end: When,
    license_id: Only = None,
    customer: Only = None,
    after: AfterRow = None,
    limit: Limit = 100,
) -> Response:
    """What each license and customer newly used of each space from `start` up to, not including, `end`."""
    wanted = _asked(start, end, license_id, customer)
    place = None if after is None else Place(part=after.split()[0], row=tuple(after.split()[1:]))

    def work(transaction: Transaction) -> Json:
        page = usage_pages.page(transaction, wanted, after=place, limit=limit)
        following = None if page.next is None else " ".join((page.next.part, *page.next.row))
        return {"start": start, "end": end, "next": following, **page.rows}

    return asked.look(work)


@router.get(
    "/usage.csv",
    response_class=Response,
    responses={
        200: {
            "description": "One line for each license, customer and space.",
            "content": {"text/csv": {"schema": {"type": "string"}}},
        }
    },
)
def usage_csv(
    asked: Look, start: When, end: When, license_id: Only = None, customer: Only = None
) -> Response:
    """The lines of the licenses as CSV, for a spreadsheet or an invoice: all of them, however many."""
    wanted = _asked(start, end, license_id, customer)

    def work(transaction: Transaction) -> Export:
        columns = [name for name in UsageLine.model_fields if name != "customer_name"]  # a sheet could run it
        with Export() as export:
            writer = csv.DictWriter(export, columns, extrasaction="ignore", lineterminator="\r\n")
            writer.writeheader()
            writer.writerows(line.facts() for line in invoicing.lines(transaction, **vars(wanted)))
        return export

    exchange_of(asked.request.scope).export = asked.read(work)
    return Response(media_type="text/csv")


def _asked(start: int, end: int, license_id: str | None, customer: str | None) -> Asked:
    return Asked(start=moment(start), end=moment(end), license_id=license_id, customer=customer)
