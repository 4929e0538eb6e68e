"""
What an invoice states: the difference between what the meters have and what was billed, at which prices.
"""

from collections.abc import Sequence, Set
from typing import Any

from sqlalchemy import Row, select

from ternary_license_server.database.schema import customers, licenses
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import accounts, billed_sets, succession
from ternary_license_server.service.accounts import Account, Metered
from ternary_license_server.service.billed_sets import Bills
from ternary_license_server.service.billing import Billing, Layer, Piece
from ternary_license_server.service.policies import read_prices
from ternary_license_server.service.sets import nothing
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.pricing.amount import Repaid
from ternary_sdk._internal.pricing.invoice import Invoice
from ternary_sdk._internal.pricing.invoice_claims import Billed, Customer, Joined, Previous
from ternary_sdk._internal.pricing.month import Month
from ternary_sdk._internal.pricing.stated_set import StatedSet


class _Earlier:
    """The price lists by which something is given back, other than the invoice's: in the order of their
    use."""

    def __init__(self, own: Layer) -> None:
        self.own, self.lists = own, list[str]()

    def repaid(self, pieces: Sequence[Piece], last: Piece | None) -> tuple[Repaid, ...] | None:
        """How an invoice states these positions; None if they are ``last``, as they are without a word."""
        if list(pieces) == ([] if last is None else [last]):
            return None
        return tuple(
            Repaid(earlier=self._place(piece.layer.prices), start=piece.start, end=piece.end)
            for piece in pieces
        )

    def _place(self, prices: str) -> int | None:
        if prices == self.own.prices:
            return None
        if prices not in self.lists:
            self.lists.append(prices)
        return self.lists.index(prices)


def compute(
    transaction: Transaction, vendor: str, account: Account, month: Month, number: str | None
) -> Invoice:
    """An invoice of a month, or with no number what it would state.

    1. Customers that were merged since the last invoice are billed with this one: each operation once, at the
       price of the invoice that billed it first.
    2. What the vendor has taken back since is given back at the price at which it was charged.
    3. What no invoice has billed is new.

    Raises:
        ServiceError: CONFLICT, if it would not continue the last invoices.
    """
    customer = account.customer.id
    last = succession.last(transaction, customer, account.product)
    used = accounts.metered(transaction, account, month.end)
    bills = billed_sets.so_far(transaction, account.members, account.product)
    joining = _joining(transaction, account, bills)
    for row in (last, *(row for _, row in joining)):
        if row is not None:
            succession.check_follows(row, account, bills.billed(bills.of(row.customer)))
    bills.join(customer, [one.customer.id for one, _ in joining])
    own = Layer(customer, canonical.encode(account.prices.to_json()).decode())
    earlier, theirs = _Earlier(own), bills.of(customer)
    spaces = tuple(
        _billed(
            bills.spaces.get(space, Billing(space)), used.get(space), theirs, earlier, joined=bool(joining)
        )
        for space in sorted(used.keys() | bills.spaces.keys())
    )
    lists = [read_prices(prices) for prices in earlier.lists]
    return Invoice(
        vendor=vendor,
        number=number,
        issued=transaction.now.replace(microsecond=0),
        customer=account.customer,
        product=account.product,
        month=month,
        licenses=account.licenses,
        prices=account.prices,
        spaces=spaces,
        charged_before=(0 if last is None else last.charged) + sum(one.charged for one, _ in joining),
        previous=_previous(last),
        earlier_prices=tuple(prices for prices in lists if prices is not None),
        merged=tuple(one for one, _ in joining),
        orders=_orders(transaction, account),
    )


def _orders(transaction: Transaction, account: Account) -> tuple[tuple[str, str], ...]:
    """The order numbers of licenses that the customer has now."""
    here = licenses.c
    query = select(here.id, here.order_number).where(
        here.id.in_(account.licenses),
        here.customer.in_(account.members),
        here.order_number.is_not(None),
    )
    return tuple(sorted((row.id, row.order_number) for row in transaction.execute(query)))


def _joining(
    transaction: Transaction, account: Account, bills: Bills
) -> list[tuple[Joined, Row[Any] | None]]:
    """Customers merged since the last invoice, each with its own last invoice, in the order of their mergers.

    One that another of them bills already is billed with that one.
    """
    left = [one for one in account.members if one not in bills.of(account.customer.id)]
    within = {one for other in left for one in bills.of(other) if one != other}
    names = {
        row.id: row.name for row in transaction.execute(select(customers).where(customers.c.id.in_(left)))
    }
    found = []
    for one in left:
        if one not in within:
            row = succession.last(transaction, one, account.product)
            joined = Joined(
                customer=Customer(id=one, name=names[one]),
                previous=_previous(row),
                charged=0 if row is None else row.charged,
            )
            found.append((joined, row))
    return found


def _billed(
    billing: Billing, used: Metered | None, theirs: Set[str], earlier: _Earlier, *, joined: bool
) -> Billed:
    space = billing.space
    here = used or Metered(counts=nothing(space), taken_back=nothing(space), free=nothing(space))
    repeated, pieces = billing.bill_once(theirs) if joined else ([], [])
    before = billing.of(theirs)
    new, credited = here.counts - before, before & here.taken_back
    pieces += billing.take_back(credited, theirs)
    kept = len(before) - len(credited)
    last = Piece(earlier.own, kept, len(before)) if len(credited) else None
    after = (before - credited) | new
    return Billed(
        space=space,
        before=len(before),
        before_sha256=before.digest,
        new=StatedSet.of(new),
        credited=StatedSet.of(credited),
        after=StatedSet.of(after),
        excluded=StatedSet.of((here.taken_back | here.free) - after),
        repeated=tuple(StatedSet.of(again) for again in repeated),
        repaid=earlier.repaid(pieces, last),
    )


def _previous(row: Row[Any] | None) -> Previous | None:
    return None if row is None else Previous(number=row.number, sha256=row.sha256)
