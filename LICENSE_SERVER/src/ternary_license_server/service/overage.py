"""
Operations beyond a quota, at a price of their own: the last tier of the license's price list.

So an invoice bills them as it bills every tier, a statement agrees with it to the digest, and a change of the
quota or of the price changes nothing that was charged (docs/adr/0022).
"""

from collections.abc import Iterable
from typing import Any

from ternary_license_server.service.terms import Terms, invalid
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.pricing import price_list
from ternary_sdk._internal.pricing.price_list import PriceList, Unit
from ternary_sdk.errors import InputError


def check(terms: Terms, lists: Iterable[PriceList | None], what: str) -> None:
    """Refuse a price of overage that no list can have as its last tier.

    Args:
        terms: With an ``overage_amount``.
        lists: The price lists of the policy; None among them where it has none at first.
        what: Whose, for the refusal.
    Raises:
        ServiceError: INVALID.
    """
    here = [prices for prices in lists if prices is not None]
    if not here:
        raise invalid(
            what,
            "overage_amount",
            "needs prices: without a price list nothing is invoiced; leave the amount out",
        )
    for prices in here:
        try:
            _with(prices, terms.unique_operations, terms.overage_amount, terms.overage_per)
        except InputError as refusal:
            raise invalid(what, "overage_amount", str(refusal)) from None


def effective(prices: str | None, terms: Any) -> str | None:
    """The price list of a license: its policy's, with its overage.

    Args:
        prices: The policy's, as canonical JSON.
        terms: The license's, or a row with them.
    """
    if prices is None or terms.overage_amount is None:
        return prices
    listed = PriceList.read(canonical.decode(prices.encode(), "price list"))
    try:
        listed = _with(listed, terms.unique_operations, terms.overage_amount, terms.overage_per)
    except InputError:  # a server of the release before took the list, which knew no overage
        return prices
    return canonical.encode(listed.to_json()).decode()


def _with(prices: PriceList, quota: int | None, amount: int | None, per: int | None) -> PriceList:
    if quota is None or amount is None or per is None:
        raise InputError("overage: needs a quota and a price")
    if prices.unit is not Unit.OPERATION:
        raise InputError("needs prices per operation, and the price list is per percent")
    return price_list.with_last_tier(prices, after=quota, amount=amount, per=per)
