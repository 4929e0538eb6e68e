"""
``ablation.md``: the table that people read, the picture, and the command of every row.
"""

from ternary_trainer.ablation import commands
from ternary_trainer.ablation.measures import MEASURES
from ternary_trainer.ablation.pairing import Paired
from ternary_trainer.ablation.result import Ablation, Row

_MINUS = "\N{MINUS SIGN}"
_METHOD = """\
Intervals are of 95 % each: Student's t of differences paired by seed, which assumes that they are independent
and about normal. p is corrected for the number of options by Holm's method; below 0.05 a difference is shown.
The least difference is what so many seeds, as far apart as these, show four times of five.""".splitlines()


def text(found: Ablation) -> str:
    """The page."""
    seeds = ", ".join(map(str, found.plan.seeds))
    return "\n".join(
        [
            f"# Ablation of {found.plan.options[0].recipe.name}",
            "",
            f"Each option was trained with the seeds {seeds} and is compared with the base, seed by seed.",
            f"Verdicts are about {found.primary.name}: {found.primary.meaning}",
            "",
            *_table(cells(found)),
            "",
            *_METHOD,
            "",
            "![Differences to the base, paired by seed, with 95 % intervals](ablation.svg)",
            "",
            "## Figures",
            "",
            *_figures(found),
            "",
            "## Commands",
            "",
            f"With the first seed; for the others put them in place of `--seed {found.plan.seeds[0]}`.",
            "",
            "```sh",
            *(commands.train(found.plan, row.option, found.plan.seeds[0]) for row in found.rows),
            "```",
            "",
        ]
    )


def cells(found: Ablation) -> list[list[str]]:
    """The main table, its head first: the primary measure, its difference, and the verdict of each option."""
    measure = found.primary
    unit = f", {measure.unit}" if measure.unit else ""
    heads = ["option", measure.of, f"difference{unit}", "95 % interval", "p (Holm)", f"least shown{unit}"]
    rows = [
        [row.option.name, measure.shown(row.mean(measure.name)), *_difference(found, row), row.verdict]
        for row in found.rows
    ]
    return [[*heads, "verdict"], *rows]


def _difference(found: Ablation, row: Row) -> list[str]:
    measure, paired = found.primary, row.differences.get(found.primary.name)
    if paired is None or row.p is None:
        return [""] * 4
    return [
        _signed(measure.shown(paired.mean, signed=True)),
        _interval(measure.name, paired),
        f"{row.p:.3f}" if row.p >= 0.001 else "< 0.001",
        "" if paired.least is None else measure.shown(paired.least),
    ]


def _figures(found: Ablation) -> list[str]:
    """All measures: the mean of each option, and the interval of its difference to the base."""
    rows = [["option", *(MEASURES[name].of for name in found.plan.measures)]]
    for row in found.rows:
        figures = []
        for name in found.plan.measures:
            mean, paired = MEASURES[name].shown(row.mean(name)), row.differences.get(name)
            figures.append(f"{mean} ({_interval(name, paired)})" if paired else mean)
        rows.append([row.option.name, *figures])
    return [*_table(rows), "", "In brackets: the 95 % interval of the difference to the base."]


def _interval(name: str, paired: Paired) -> str:
    low, high = (MEASURES[name].shown(end, signed=True) for end in (paired.low, paired.high))
    return f"{_signed(low)} to {_signed(high)}"


def _signed(number: str) -> str:
    return number.replace("-", _MINUS)


def _table(rows: list[list[str]]) -> list[str]:
    head, *body = rows
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *body)]
