"""
The figures as Markdown: what comes back, what is drawn, and what is drawn apart.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

Figures = Mapping[str, Any]

_BACK: Final = (
    "parameters", "seeds", "exact, held out", "exact at the edges", "least margin",
    "error 50 %", "error 90 %", "error 99 %", "coverage", "core-seconds",
)  # fmt: skip
_DRAWN: Final = (
    "parameters", "seeds", "of all", "given a cell", "given the neighbours", "impossible",
    "between parameters",
)  # fmt: skip


def table(found: Mapping[str, Sequence[Figures]]) -> str:
    """Three tables, each figure the worst of its seeds; empty rows for nothing.

    Args:
        found: The figures of each seed, by the name of the case.
    """
    back = [[name, str(len(seeds)), *_came_back(seeds)] for name, seeds in found.items()]
    drawn = [
        [name, *_distances([one["drawn"] for one in seeds])]
        for name, seeds in found.items()
        if "drawn" in seeds[0]
    ]
    apart = [row for seeds in found.values() for row in _apart(seeds)]
    return f"{_lines(_BACK, back)}\n\n{_lines(_DRAWN, [*drawn, *apart])}\n"


def _lines(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


def _came_back(seeds: Sequence[Figures]) -> Iterator[str]:
    def worst(key: str, choose: Callable[[list[float]], float] = min) -> float:
        return choose([one[key] for one in seeds])

    yield f"{100 * worst('exact'):.2f} %"
    yield f"{100 * worst('exact at the edges'):.2f} %"
    yield f"{worst('margin at the edges'):.3f}"
    yield from (_error(seeds, share) for share in ("0.5", "0.9", "0.99"))
    yield f"{100 * worst('coverage'):.2f} %"
    yield f"{worst('core seconds', max):.0f}"


def _error(seeds: Sequence[Figures], share: str) -> str:
    every = [parameter[share] for one in seeds for parameter in one["errors"]]
    if not every:
        return "—"
    worst = max(every, key=lambda quantile: quantile["high"])
    return f"{worst['value']:.4f} ({worst['low']:.4f} to {worst['high']:.4f})"


def _apart(seeds: Sequence[Figures]) -> Iterator[list[str]]:
    for name in seeds[0].get("apart", {}).get("drawn", {}):
        yield [f"apart: {name}", *_distances([one["apart"]["drawn"][name] for one in seeds])]


def _distances(seeds: Sequence[Figures]) -> list[str]:
    def worst(key: str) -> float:
        return float(max(one[key] for one in seeds))

    return [
        str(len(seeds)),
        f"{worst('of all'):.4f}",
        f"{worst('given a cell'):.4f}",
        f"{worst('given the neighbours'):.4f}",
        f"{100 * worst('impossible'):.2f} %",
        f"{worst('between parameters'):.4f}",
    ]
