"""
Usage: what an invoice needs.
"""

import csv
import io
from typing import Annotated

from fastapi import Query, Response

from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import customer_usage, invoicing
from ternary_license_server.service.records import moment
from ternary_license_server.web.admin.gate import Look, Only, resource
from ternary_license_server.web.bodies import Given, Space
from ternary_sdk._internal.documents.canonical import Json

router = resource()
When = Annotated[int, Query(ge=0, le=253_402_300_799)]


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
    """An invoice's annex."""

    start: int
    end: int
    lines: list[UsageLine]
    customers: list[CustomerLine]
    flagged: list[Flag]


@router.get("/usage", response_model=Usage)
def usage(asked: Look, start: When, end: When, license_id: Only = None, customer: Only = None) -> Response:
    """What each license and customer newly used of each space from `start` up to, not including, `end`."""

    def work(transaction: Transaction) -> Json:
        lines = invoicing.lines(
            transaction, start=moment(start), end=moment(end), license_id=license_id, customer=customer
        )
        together = customer_usage.customer_lines(
            transaction, start=moment(start), end=moment(end), license_id=license_id, customer=customer
        )
        flagged = invoicing.flagged(
            transaction, start=moment(start), end=moment(end), license_id=license_id, customer=customer
        )
        return {
            "start": start,
            "end": end,
            "lines": [line.facts() for line in lines],
            "customers": [line.facts() for line in together],
            "flagged": list(flagged),
        }

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
    """The lines of the licenses as CSV, for a spreadsheet or an invoice."""

    def work(transaction: Transaction) -> str:
        lines = invoicing.lines(
            transaction, start=moment(start), end=moment(end), license_id=license_id, customer=customer
        )
        text = io.StringIO()
        columns = [name for name in UsageLine.model_fields if name != "customer_name"]  # a sheet could run it
        writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(line.facts() for line in lines)
        return text.getvalue()

    return Response(asked.read(work), media_type="text/csv")
