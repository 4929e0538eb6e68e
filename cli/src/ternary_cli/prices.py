"""
The price of a core-hour, which `train`, `report`, `validate --report` and `compare` take.

It is no setting of a recipe: those decide a training's identity. No environment variable gives it either: a
report would then show a vendor's costs to whoever reads it without being asked to.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Final

from ternary_cli.options import number, option

if TYPE_CHECKING:
    from ternary_trainer.compute import Price, Stretch

STRETCHES: Final[Mapping[str, str]] = {
    "until": "until the shipped epoch",
    "after": "after it",
    "saved": "saved by stopping",
}
"""How each stretch of a training is called, by its name in `compute`."""

PriceOption = Annotated[
    float | None,
    number("--price-per-core-hour", metavar="X", text="Also say what it cost, by this price of a core-hour."),
]
CurrencyOption = Annotated[
    str | None, option("--currency", metavar="C", text="Of that price, three letters such as EUR.")
]


def priced(per_core_hour: float | None, currency: str | None) -> "Price | None":
    """What the two options say together; None if nothing.

    Raises:
        InputError: If one is given without the other, or is out of range.
    """
    from ternary_sdk.errors import InputError
    from ternary_trainer.compute import Price

    if per_core_hour is None and currency is None:
        return None
    if currency is None:
        raise InputError("--price-per-core-hour: in which currency? add --currency, such as --currency EUR")
    if per_core_hour is None:
        raise InputError("--currency: of which price? add --price-per-core-hour, such as 0.04")
    return Price(per_core_hour=per_core_hour, currency=currency)


def core_seconds(stretch: "Stretch") -> str:
    """The core-seconds of a stretch for people."""
    return "not recorded" if stretch.core_seconds is None else f"{stretch.core_seconds:,.1f}"


def cost(stretch: "Stretch", price: "Price") -> str:
    """What a stretch costs, for people."""
    amount = price.of(stretch)
    return "not known" if amount is None else price.shown(amount)
