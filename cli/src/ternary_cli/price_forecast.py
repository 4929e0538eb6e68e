"""
``ternary price``: what a number of draws costs by a price list, and what the next percent of a space costs.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from ternary_cli.options import (
    ForceOption,
    JsonOption,
    PackageArgument,
    PathOption,
    StateOption,
    TrustOption,
    large,
    option,
    whole,
)

if TYPE_CHECKING:
    from ternary_sdk._internal.pricing.forecast import Forecast
    from ternary_sdk._internal.pricing.price_list import PriceList
    from ternary_sdk._internal.pricing.steps import Step
    from ternary_sdk.space import Space

PERCENTS: Final = (0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 96, 97, 98)
"""The rows of the table: what the percent after each costs."""


def price(
    package: PackageArgument = None,
    *,
    plan: Annotated[Path, option("--plan", metavar="F", text="The price list, .toml or .json.")],
    draws: Annotated[int, large("--draws", metavar="N", text="How many draws, as 50000 or 1e6.")],
    before: Annotated[
        int, whole("--before", metavar="N", text="Different operations billed before; default: 0.")
    ] = 0,
    path: PathOption = None,
    out: Annotated[
        Path | None, option("--out", "-o", metavar="F.svg", text="Also draw what each percent costs.")
    ] = None,
    force: ForceOption = False,
    trust: TrustOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how many different operations N draws give, and what they cost by a price list."""
    from ternary_cli.files import write_unless_kept
    from ternary_cli.price_lists import read_prices
    from ternary_cli.price_plot import plot
    from ternary_cli.selection import select
    from ternary_cli.terminal import note, show, show_json
    from ternary_sdk._internal.pricing.forecast import forecast
    from ternary_sdk._internal.pricing.steps import steps
    from ternary_sdk.errors import InputError

    prices = read_prices(plan)
    if out is not None and out.suffix != ".svg":
        raise InputError(f"{out}: expected a name that ends in .svg")
    read = select(package, None, trust, state=state).package
    letter = path or read.manifest.default_path
    claims = {claim.path: claim for claim in read.certificate.paths}
    if letter not in claims:
        raise InputError(f"path: {letter!r}, expected one of {', '.join(claims)}")
    space = read.certificate.space
    if not 0 <= before < space.size:
        raise InputError(f"--before: {before}, expected 0 to {space.size - 1}")
    found = forecast(claims[letter], draws)
    facts = _facts(prices, space, found, draws, before) | {"package": read.manifest.label, "path": letter}
    ladder = steps(prices, space)
    if out is not None:
        write_unless_kept(plot(ladder, prices, space), out, force=force)
    if as_json:
        show_json(facts | {"next_percent": [vars(step) for step in ladder if step.percent in PERCENTS]})
        return
    show([*_lines(facts, prices, space), "", *_table(ladder, prices)])
    if out is not None:
        note(str(out))


def _amount(prices: "PriceList", space: "Space", before: int, new: int) -> Any:
    from ternary_sdk._internal.pricing.amount import Movement, amount

    return amount(prices, [Movement(space=space, before=before, credited=0, new=new)])


def _facts(
    prices: "PriceList", space: "Space", found: "tuple[Forecast, ...]", draws: int, before: int
) -> dict[str, Any]:
    def cost(operations: int | None) -> int | None:
        if operations is None:
            return None
        return int(_amount(prices, space, before, min(operations, space.size - before)).total)

    return {
        "draws": draws,
        "before": before,
        "currency": prices.currency,
        "exponent": prices.exponent,
        "forecasts": [
            {
                "basis": str(each.basis),
                "operations": each.operations,
                "low": each.low,
                "high": each.high,
                "amount": cost(each.operations),
                "amount_low": cost(each.low),
                "amount_high": cost(each.high),
                "why": each.why,
            }
            for each in found
        ],
    }


def _lines(facts: dict[str, Any], prices: "PriceList", space: "Space") -> list[str]:
    of = f"{facts['package']}, path {facts['path']}, {space.size:,} operations"
    after = f", {facts['before']:,} billed before" if facts["before"] else ""
    head = [
        f"{of}: {facts['draws']:,} draws{after}",
        f"prices: {prices.words()}",
        "",
    ]
    rows, reasons = [("", "different operations", prices.currency)], [""]
    for each in facts["forecasts"]:
        rows.append((each["basis"], f"{each['operations']:,}", prices.money(each["amount"])))
        reasons.append(each["why"])
        if each["low"] is not None:
            ends = f"{each['low']:,} to {each['high']:,}"
            cost = f"{prices.money(each['amount_low'])} to {prices.money(each['amount_high'])}"
            rows.append(("  95 % range", ends, cost))
            reasons.append("")
    return head + [f"{line}  {why}".rstrip() for line, why in zip(_aligned(rows), reasons, strict=True)]


def _table(ladder: "list[Step]", prices: "PriceList") -> list[str]:
    heads = ("of the space", "next percent, perfect draws", f"its price, {prices.currency}", "all so far")
    return _aligned(
        [heads]
        + [
            (f"{step.percent} %", f"{step.draws:,}", prices.money(step.cost), prices.money(step.total))
            for step in ladder
            if step.percent in PERCENTS
        ]
    )


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Columns two blanks apart: the first to the left, the next to the right; the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(_cell, row, widths, range(len(row)))).rstrip() for row in rows]


def _cell(text: str, width: int, place: int) -> str:
    return f"{text:<{width}}" if place == 0 else f"{text:>{width}}"
