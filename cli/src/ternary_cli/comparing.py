"""
``ternary compare``: runs side by side.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from ternary_cli.options import ForceOption, JsonOption, argument, option
from ternary_cli.prices import STRETCHES, CurrencyOption, PriceOption, core_seconds, cost, priced
from ternary_cli.vendor_extra import vendor_extra

if TYPE_CHECKING:
    from ternary_trainer.comparing import Compared, Comparison
    from ternary_trainer.compute import Price, Stretch

Row = tuple[str, list[str]]
"""What is compared, and how it is in each run."""

RunFolders = Annotated[list[Path], argument("RUN RUN", "Run directories of 'ternary train', two or more.")]

Picture = Annotated[
    Path | None, option("--out", "-o", metavar="F", text="Also draw the runs' epochs: a .png or .svg file.")
]


def compare(
    runs: RunFolders,
    per_core_hour: PriceOption = None,
    currency: CurrencyOption = None,
    out: Picture = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Vendor: show what differs between runs, and what came of each."""
    from ternary_cli.files import write_unless_kept
    from ternary_cli.terminal import note, show, show_json

    with vendor_extra("ternary compare"):
        from ternary_trainer import comparing, plot_runs
    price = priced(per_core_hour, currency)
    found = comparing.compare(runs)
    if out is not None:
        drawn = plot_runs.picture([one.run for one in found.runs], out)
        write_unless_kept(drawn, out, force=force)
        note(f"{out}: drawn")
    show_json(facts(found, price)) if as_json else show(lines(found, price))


def facts(found: "Comparison", price: "Price | None") -> dict[str, Any]:
    """The comparison for programs."""
    return {
        "runs": [_facts(one, price) for one in found.runs],
        "differs": {"settings": found.settings, "versions": found.versions},
    }


def _facts(one: "Compared", price: "Price | None") -> dict[str, Any]:
    return {
        "run": str(one.run.path),
        "recipe": one.run.recipe.name,
        "seed": one.run.seed,
        "status": one.summary.status,
        "epochs": one.summary.epochs,
        "shipped": one.shipped,
        **_perfect(one),
        "coverage": one.coverage,
        "collisions": one.collisions,
        "seconds": one.summary.seconds,
        "compute": asdict(one.summary.compute),
        "money": price.money(one.summary.compute) if price else None,
    }


def _perfect(one: "Compared") -> dict[str, Any]:
    """What perfect draws cover; of a vast space, whose coverage is not quoted, nothing."""
    from ternary_sdk.coverage import iid_deviation, iid_limit

    if one.draws is None:
        return {"draws": None, "perfect_percent": None, "perfect_deviation_percent": None}
    return {
        "draws": one.draws,
        "perfect_percent": f"{100 * iid_limit(one.draws, one.space):.3f}",
        "perfect_deviation_percent": f"{100 * iid_deviation(one.draws, one.space):.3f}",
    }


def lines(found: "Comparison", price: "Price | None") -> list[str]:
    """The comparison for people: one row for each thing, one column for each run."""
    about = [
        ("", [str(one.run.path) for one in found.runs]),
        ("recipe", [one.run.recipe.name for one in found.runs]),
        ("seed", [str(one.run.seed) for one in found.runs]),
    ]
    settings, versions = (
        [(name, [_shown(value) for value in values]) for name, values in rows.items()]
        for rows in (found.settings, found.versions)
    )
    groups = [about, settings, versions, _result(found, price)]
    heads = max(len(name) for group in groups for name, _ in group)
    columns = zip(*(cells for group in groups for _, cells in group), strict=True)
    widths = [max(map(len, column)) for column in columns]
    told: list[str] = []
    for group in groups:
        told += [""] if told and group else []
        for name, cells in group:
            padded = (f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))
            told.append("  ".join([f"{name:<{heads}}", *padded]).rstrip())
    return told


def _result(found: "Comparison", price: "Price | None") -> list[Row]:
    from ternary_sdk.coverage import percent, perfect_percent

    def row(name: str, cell: "Callable[[Compared], str]") -> Row:
        return name, [cell(one) for one in found.runs]

    def covered(path: str) -> Row:
        return row(
            f"coverage of {path}",
            lambda one: f"{percent(one.coverage[path])} %" if path in one.coverage else "none",
        )

    def collided(path: str) -> Row:
        return row(
            f"colliding pairs of {path}, perfect draws 1",
            lambda one: f"{one.collisions[path]:.3f}" if path in one.collisions else "none",
        )

    vast = any(not one.space.listed for one in found.runs)

    def took(what: str, cell: "Callable[[Stretch], str]") -> list[Row]:
        return [
            (f"{what} {words}", [cell(one.summary.compute.stretches[name]) for one in found.runs])
            for name, words in STRETCHES.items()
        ]

    return [
        row("status", lambda one: one.summary.status),
        row("epochs", lambda one: f"{one.summary.epochs} of {one.summary.planned}"),
        row("shipped epoch", lambda one: _shown(one.shipped)),
        row("draws", lambda one: "none" if one.draws is None else f"{one.draws:,}"),
        *map(covered, found.paths),
        row(
            "perfect draws, on average",
            lambda one: "none" if one.draws is None else f"{perfect_percent(one.draws, one.space)} %",
        ),
        *(map(collided, found.paths) if vast else ()),
        *took("wall seconds", lambda stretch: f"{stretch.seconds:,.1f}"),
        *took("core-seconds", core_seconds),
        *(took("price", lambda stretch: cost(stretch, price)) if price else ()),
    ]


def _shown(value: object) -> str:
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value)
