"""
Invoices: what a customer is billed for a product and a month, signed by the vendor's key of role ``answer``.

The document states prices, numbers and sets, so whoever has it and a trust file recomputes every amount. A
document whose amounts do not follow from its numbers is refused. docs/formats.md, section 12.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ternary_sdk._internal.documents import base64url, canonical, outer
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.identity import LICENSE_ID, NAME
from ternary_sdk._internal.pricing.amount import Amount, Movement, amount
from ternary_sdk._internal.pricing.invoice_claims import (
    MAX_INVOICE,
    MOST_JOINED,
    MOST_PRICES,
    NUMBER,
    Billed,
    Customer,
    Joined,
    Previous,
    read_billed,
    read_customer,
    read_joined,
    read_order,
    read_previous,
)
from ternary_sdk._internal.pricing.month import PATTERN, Month
from ternary_sdk._internal.pricing.price_list import PriceList
from ternary_sdk._internal.signing import jws
from ternary_sdk._internal.trust.trust import Role, Trust
from ternary_sdk.errors import FormatError, InputError, SignatureError

FORMAT: Final = "ternary-invoice/1"
TYP: Final = "ternary-invoice+jws"
MOST_LICENSES: Final = 1000
MOST_SPACES: Final = 64


@dataclass(frozen=True, kw_only=True)
class Invoice:
    """One customer's bill for one product and month."""

    vendor: str
    """Who issues it."""
    number: str | None
    """The vendor's number for it; None of a preview."""
    issued: datetime
    """When, by the vendor's clock."""
    customer: Customer
    """Whom it is for."""
    product: str
    """For what."""
    month: Month
    """The month in which the server first received what is new in it."""
    licenses: tuple[str, ...]
    """Every license of this customer and product that is billed, ascending."""
    prices: PriceList
    """What it is computed by."""
    spaces: tuple[Billed, ...]
    """What is billed of each space, ascending."""
    charged_before: int
    """``Amount.charged`` of the invoice before it, and of those that ``merged`` names; 0 without."""
    previous: Previous | None
    """The invoice before it; None of the first."""
    earlier_prices: tuple[PriceList, ...] = ()
    """Other lists by which operations were charged that are given back."""
    merged: tuple[Joined, ...] = ()
    """Customers that were merged into this one since the invoice before."""
    orders: tuple[tuple[str, str], ...] = ()
    """Ids of its licenses and the numbers of their orders, ascending by id; only of those that have one."""

    @classmethod
    def read(cls, data: bytes, trust: Trust) -> "Invoice":
        """Verify an invoice:

        1. it is canonical JSON of this format;
        2. its signature is by a key of role ``answer`` in the trusted key set, over what it states;
        3. its members have the right types, and its sets agree with their numbers and digests;
        4. its issuer is the trusted vendor, and the key is trusted for its date and not revoked;
        5. its lines and its total follow from its prices and numbers.

        Args:
            data: The file; a byte order mark and white space around it do not count.
            trust: Whom to believe.
        Raises:
            FormatError: Steps 1, 3 and 5.
            SignatureError: Steps 2 and 4.
        """
        if len(data) > MAX_INVOICE:
            raise FormatError(f"invoice: {len(data)} bytes, expected at most {MAX_INVOICE}")
        fields = Fields(canonical.decode(outer.bare(data, "invoice"), "invoice"), "invoice")
        fields.exactly("format", FORMAT)
        signature = fields.text("signature", longest=1024)
        stated = fields.value("invoice")
        fields.end()
        token = jws.read(
            _attached(signature, stated),
            typ=TYP,
            what="invoice",
            key_for=lambda kid: trust.candidate(kid, Role.ANSWER),
            longest=2 * MAX_INVOICE,
        )
        invoice = read_claims(token.claims)
        if invoice.vendor != trust.vendor:
            raise SignatureError(f"invoice: issued by {invoice.vendor!r}, expected {trust.vendor!r}")
        trust.key(token.kid, Role.ANSWER, invoice.issued)
        return invoice

    @property
    def movements(self) -> tuple[Movement, ...]:
        """What the amount is computed from."""
        return tuple(billed.movement for billed in self.spaces)

    @property
    def amount(self) -> Amount:
        """Its lines and total."""
        return amount(
            self.prices,
            self.movements,
            charged_before=self.charged_before,
            earlier=self.earlier_prices,
        )

    @property
    def sha256(self) -> str:
        """The SHA-256 of what it states, by which the next invoice names it."""
        return hashlib.sha256(canonical.encode(self.claims())).hexdigest()

    def claims(self) -> dict[str, Json]:
        """What it states."""
        due = self.amount
        stated: dict[str, Json] = {
            "iss": self.vendor,
            "number": self.number,
            "iat": int(self.issued.timestamp()),
            "customer": self.customer.to_json(),
            "product": self.product,
            "month": str(self.month),
            "licenses": list(self.licenses),
            "prices": self.prices.to_json(),
            "spaces": [billed.to_json() for billed in self.spaces],
            "charged_before": self.charged_before,
            "previous": None if self.previous is None else self.previous.to_json(),
            "lines": [line.to_json() for line in due.lines],
            "charged": due.charged,
            "total": due.total,
        }
        if self.earlier_prices:
            stated["earlier_prices"] = [prices.to_json() for prices in self.earlier_prices]
        if self.merged:
            stated["merged"] = [joined.to_json() for joined in self.merged]
        if self.orders:
            stated["orders"] = [{"license": license_id, "order": order} for license_id, order in self.orders]
        return stated


def document(claims: Json, token: bytes) -> bytes:
    """The file of an invoice, from what it states and the compact JWS over that.

    Raises:
        InputError: If it is larger than readers take.
    """
    header, _, signature = token.decode("ascii").split(".")
    data = canonical.encode({"format": FORMAT, "invoice": claims, "signature": f"{header}..{signature}"})
    if len(data) > MAX_INVOICE:
        raise InputError(f"invoice: {len(data):,} bytes, expected at most {MAX_INVOICE:,}")
    return data


def read_claims(claims: Json) -> Invoice:
    """Read what ``Invoice.claims`` wrote, and recompute its amounts.

    Raises:
        FormatError: If it is malformed or contradicts itself.
    """
    fields = Fields(claims, "invoice")
    invoice = Invoice(
        vendor=fields.line("iss"),
        number=fields.text_or_null("number", pattern=NUMBER),
        issued=fields.moment("iat"),
        customer=read_customer(fields.object("customer")),
        product=fields.text("product", pattern=NAME),
        month=_month(fields),
        licenses=fields.texts("licenses", most=MOST_LICENSES),
        prices=PriceList.read(fields.value("prices"), "invoice.prices"),
        spaces=fields.items("spaces", read_billed, most=MOST_SPACES),
        charged_before=fields.integer("charged_before"),
        previous=fields.or_null("previous", lambda name: read_previous(fields.object(name))),
        earlier_prices=_earlier_prices(fields),
        merged=(fields.items("merged", read_joined, least=1, most=MOST_JOINED) if "merged" in fields else ()),
        orders=(
            fields.items("orders", read_order, least=1, most=MOST_LICENSES) if "orders" in fields else ()
        ),
    )
    _check_order(invoice)
    _check_earlier(invoice)
    computed = _computed(invoice)
    for name in ("lines", "charged", "total"):
        if fields.value(name) != computed[name]:
            raise FormatError(f"invoice.{name}: does not follow from its prices and numbers of operations")
    fields.end()
    return invoice


def _computed(invoice: Invoice) -> dict[str, Json]:
    try:
        return invoice.claims()
    except InputError as refusal:
        raise FormatError(f"invoice: {refusal}") from None


def _month(fields: Fields) -> Month:
    try:
        return Month.parse(fields.text("month", pattern=PATTERN))
    except InputError as refusal:
        raise FormatError(f"invoice.{refusal}") from None


def _earlier_prices(fields: Fields) -> tuple[PriceList, ...]:
    if "earlier_prices" not in fields:
        return ()
    return fields.items("earlier_prices", PriceList.read_fields, least=1, most=MOST_PRICES)


def _orders(fields: Fields) -> tuple[tuple[str, str], ...]:
    if "orders" not in fields:
        return ()
    return fields.items("orders", read_order, least=1, most=MOST_LICENSES)


def _check_earlier(invoice: Invoice) -> None:
    now, lists = invoice.prices, invoice.earlier_prices
    for prices in lists:
        if (prices.currency, prices.exponent) != (now.currency, now.exponent):
            raise FormatError("invoice.earlier_prices: one has another currency than the prices")
    used = [
        one.earlier for billed in invoice.spaces for one in billed.repaid or () if one.earlier is not None
    ]
    if sorted(set(used)) != list(range(len(lists))):
        raise FormatError("invoice.earlier_prices: are not those by which something is given back")


def _check_order(invoice: Invoice) -> None:
    spaces = [billed.space for billed in invoice.spaces]
    for name, values in (("licenses", invoice.licenses), ("spaces", spaces)):
        _expect_ascending(name, values)
    ordered = [license_id for license_id, _ in invoice.orders]
    if ordered != sorted(set(ordered) & set(invoice.licenses)):
        raise FormatError("invoice.orders: are not of its licenses, each once, in ascending order")
    for license_id in invoice.licenses:
        if not LICENSE_ID.fullmatch(license_id):
            raise FormatError(f"invoice.licenses: {license_id[:80]!r}, expected a license's id")


def _expect_ascending(name: str, values: Sequence[object]) -> None:
    if list(values) != sorted(set(values)):  # type: ignore[type-var]
        raise FormatError(f"invoice.{name}: not in ascending order, or an entry is repeated")


def _attached(signature: str, stated: Json) -> bytes:
    """The compact JWS whose payload is what an invoice states (RFC 7515, appendix F)."""
    parts = signature.split(".")
    if len(parts) != 3 or parts[1]:
        raise FormatError("invoice.signature: expected a detached JWS: header, two dots, signature")
    payload = base64url.encode(canonical.encode(stated))
    return f"{parts[0]}.{payload}.{parts[2]}".encode()
