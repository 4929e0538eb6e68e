"""
Policies: the templates that licenses are issued by. Licenses copy a policy's terms, but not its prices.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Row, insert, select

from ternary_license_server.database.schema import policies, policy_prices, products
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import audit, overage, terms
from ternary_license_server.service.records import moment, seconds, utc
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_license_server.service.terms import Terms, whole_seconds
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.licensing.claims import MAX_GRACE
from ternary_sdk._internal.licensing.license import TOLERANCE
from ternary_sdk._internal.pricing.price_list import PriceList

SHORTEST_HOLD: Final = 2 * TOLERANCE + timedelta(minutes=5)
"""Least lease and grace together: a license must be of use before it ends."""
LONGEST: Final = timedelta(days=36_500)
"""Longest term, lease or offline term; a client has a ceiling of its own for grace."""


@dataclass(frozen=True, kw_only=True)
class Policy(Terms):
    """A license's template."""

    name: str
    term: timedelta | None
    """How long a license runs; None without end."""
    prices: PriceList | None = None
    """What its customers are invoiced by; None if they are not."""

    def __post_init__(self) -> None:
        for name in ("term", "lease", "grace", "offline"):
            value, most = getattr(self, name), MAX_GRACE if name == "grace" else LONGEST
            if value is not None and not timedelta(0) <= value <= most:
                raise _invalid(self.name, name, f"expected 0 to {most.days} days")
        if self.term is not None and self.term <= timedelta(0):
            raise _invalid(self.name, "term", "expected more than 0 seconds, or none")
        if self.lease + self.grace < SHORTEST_HOLD:
            raise _invalid(self.name, "lease and grace", f"together less than {SHORTEST_HOLD}")
        if timedelta(0) < self.offline < SHORTEST_HOLD:
            raise _invalid(self.name, "offline", f"less than {SHORTEST_HOLD}; 0 allows none")
        terms.check(self, f"policy {self.name}")
        if self.trial and self.term is None:
            raise _invalid(self.name, "trial", "a trial needs a term")
        if self.perpetual and self.term is None:
            raise _invalid(
                self.name, "perpetual", "needs a term, at whose end versions must have been released"
            )
        if self.prices is not None and self.unique_operations is None:
            raise _invalid(
                self.name, "prices", "need unique_operations: machines count operations only under a quota"
            )

    def columns(self) -> dict[str, Json]:
        """The policy as a row."""
        term = None if self.term is None else whole_seconds(self.term)
        prices = None if self.prices is None else canonical.encode(self.prices.to_json()).decode()
        return self.term_columns() | {"name": self.name, "term": term, "prices": prices}


def add(transaction: Transaction, policy: Policy, *, actor: str) -> dict[str, Json]:
    """Make a policy.

    Raises:
        ServiceError: CONFLICT, if there is one of that name; UNKNOWN, if there is no such product; INVALID.
    """
    if transaction.execute(select(policies).where(policies.c.name == policy.name)).first() is not None:
        raise ServiceError(Code.CONFLICT, f"policy {policy.name}: exists; change it, or make another")
    if transaction.execute(select(products).where(products.c.name == policy.product)).first() is None:
        raise ServiceError(
            Code.UNKNOWN,
            f"product {policy.product}: nothing was released under this name; release a package first",
        )
    if policy.overage_amount is not None:
        overage.check(policy, [policy.prices], f"policy {policy.name}")
    row = policy.columns()
    transaction.execute(insert(policies), row | {"created": seconds(transaction.now)})
    audit.append(transaction, f"policy {policy.name}", actor=actor, action="policy.add", detail=row)
    return facts(transaction, policy.name)


def find(transaction: Transaction, name: str) -> Policy:
    """A policy by its name.

    Raises:
        ServiceError: UNKNOWN.
    """
    row = transaction.execute(select(policies).where(policies.c.name == name)).one_or_none()
    if row is None:
        raise ServiceError(Code.UNKNOWN, f"policy {name}: there is none of this name")
    term = None if row.term is None else timedelta(seconds=row.term)
    return Policy(name=row.name, term=term, prices=read_prices(row.prices), **terms.read(row._mapping))


def check_open(transaction: Transaction, name: str) -> None:
    """Refuse a policy that has ended.

    Raises:
        ServiceError: CONFLICT.
    """
    ended = transaction.execute(select(policies.c.ended).where(policies.c.name == name)).scalar_one_or_none()
    if ended is not None:
        raise ServiceError(
            Code.CONFLICT, f"policy {name}: ended on {utc(moment(ended))}; take another policy"
        )


def facts(transaction: Transaction, name: str) -> dict[str, Json]:
    """A policy as JSON, with the price lists that it got later."""
    row = transaction.execute(select(policies).where(policies.c.name == name)).one()
    return _facts(transaction, row)


def page(transaction: Transaction, *, after: str, limit: int) -> list[Json]:
    """Policies in the order of their names."""
    query = select(policies).where(policies.c.name > after).order_by(policies.c.name).limit(limit)
    return [_facts(transaction, row) for row in transaction.execute(query).all()]


def _facts(transaction: Transaction, row: Row[Any]) -> dict[str, Json]:
    later = policy_prices.c
    query = select(policy_prices).where(later.policy == row.name).order_by(later.month, later.number)
    lists: list[Json] = [
        {
            "month": one.month,
            "existing": one.existing,
            "bill_earlier": one.bill_earlier,
            "prices": canonical.decode(one.prices.encode(), "prices"),
        }
        for one in transaction.execute(query)
    ]
    shown = {name: row._mapping[name] for name in row._mapping if name != "created"}
    shown["perpetual"] = bool(row.perpetual)
    prices = row.prices and canonical.decode(row.prices.encode(), "prices")
    return shown | {"prices": prices, "later_prices": lists}


def read_prices(text: str | None) -> PriceList | None:
    """The price list in a row."""
    if text is None:
        return None
    return PriceList.read(canonical.decode(text.encode(), "price list"))


def _invalid(policy: str, member: str, why: str) -> ServiceError:
    return terms.invalid(f"policy {policy}", member, why)
