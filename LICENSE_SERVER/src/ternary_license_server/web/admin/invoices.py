"""
Invoices: issued and shown.
"""

from functools import partial
from typing import Annotated, Any

from fastapi import Path, Query, Response
from pydantic import Field

from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import invoices as service
from ternary_license_server.service.invoices import Wanted
from ternary_license_server.web.admin.gate import Change, Limit, Look, Only, resource
from ternary_license_server.web.bodies import Given, Line, Name, Taken
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.identity import NAME
from ternary_sdk._internal.pricing.invoice_claims import NUMBER
from ternary_sdk._internal.pricing.month import PATTERN, Month

router = resource()
Number = Annotated[str, Path(pattern=f"^{NUMBER.pattern}$")]
AfterNumber = Annotated[str, Query(max_length=14, pattern="^[0-9-]*$", description="Begin after this one.")]
Period = Annotated[str, Field(pattern=f"^{PATTERN.pattern}$", description="A month, UTC.")]
InQuery = Annotated[str, Query(min_length=1, max_length=200)]
ProductInQuery = Annotated[str | None, Query(pattern=f"^{NAME.pattern}$")]


class NewInvoice(Taken):
    """An invoice to be issued."""

    customer: Annotated[Line, Field(description="An id, or a name that only one has.")]
    product: Annotated[Name | None, Field(description="Null: the only one that is billed.")] = None
    month: Period
    all_handed_in: Annotated[
        bool, Field(description="After a restoration: every invoice issued since the backup was handed in.")
    ] = False


class Document(Given):
    """An invoice as it was issued, `ternary-invoice/1`."""

    format: str
    invoice: dict[str, Any]
    signature: str


class Preview(Given):
    """What an invoice would state; it is not signed."""

    format: str
    invoice: dict[str, Any]


class Issued(Given):
    """An issued invoice, without its document; amounts in minor units."""

    number: str
    customer: str
    customer_name: str
    product: str
    month: str
    issued: int
    currency: str
    exponent: int
    total: int
    sha256: str


@router.post("/invoices", status_code=201, response_model=Document)
def issue(new: NewInvoice, asking: Change) -> Response:
    """Issue the invoice of a month that is over; asked again, the same one."""
    wanted = Wanted(customer=new.customer, product=new.product, month=Month.parse(new.month))
    work = partial(
        service.issue, ring=asking.server.vendor.ring, wanted=wanted, all_handed_in=new.all_handed_in
    )
    return asking.change(work, status=201)


@router.get("/invoices", response_model=list[Issued])
def invoices(asked: Look, after: AfterNumber = "", limit: Limit = 100, customer: Only = None) -> Response:
    """Issued invoices, by number."""
    return asked.look(
        lambda transaction: service.page(transaction, after=after, limit=limit, customer=customer)
    )


@router.get("/invoices/{number}", response_model=Document)
def invoice(number: Number, asked: Look) -> Response:
    """An issued invoice."""
    return asked.look(partial(service.find, number=number))


@router.get("/invoice-preview", response_model=Preview)
def preview(
    asked: Look,
    customer: InQuery,
    month: Annotated[str, Query(pattern=f"^{PATTERN.pattern}$")],
    product: ProductInQuery = None,
) -> Response:
    """What the invoice of a month would state now, not signed."""
    wanted = Wanted(customer=customer, product=product, month=Month.parse(month))
    vendor = asked.server.vendor.ring.vendor

    def work(transaction: Transaction) -> Json:
        return service.preview(transaction, vendor, wanted)

    return asked.look(work)
