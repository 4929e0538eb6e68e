"""
What each percent of a space costs, as a picture: its price, and the perfect draws that it takes.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ternary_sdk._internal.pricing.price_list import PriceList
    from ternary_sdk._internal.pricing.steps import Step
    from ternary_sdk.space import Space

_WIDTH: Final = 640
_LEFT: Final = 90
_PANEL: Final = 160
_TOPS: Final = (50, 270)
_STYLE: Final = (
    "text{font:12px sans-serif;fill:#1b1f24}.line{fill:none;stroke:#1b5e9b;stroke-width:2}"
    ".axis{stroke:#59636e;stroke-width:1}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.line{stroke:#79b8ff}.axis{stroke:#9198a1}}"
)


def plot(ladder: "Sequence[Step]", prices: "PriceList", space: "Space") -> bytes:
    """Two panels over the share of the space that is had, as SVG; the draws are on a logarithmic scale."""
    costs = [step.cost / 10**prices.exponent for step in ladder]
    draws = [math.log10(max(1, step.draws)) for step in ladder]
    most = max(costs) or 1.0
    low, high = math.floor(min(draws)), math.ceil(max(draws) + 1e-9)
    parts = [
        _text(_LEFT, 22, f"{space.title} operations: what the next percent costs", "start"),
        *_panel(_TOPS[0], [cost / most for cost in costs], f"price, {prices.currency}"),
        _text(_LEFT - 6, _TOPS[0] + 4, f"{most:,.{prices.exponent}f}", "end"),
        _text(_LEFT - 6, _TOPS[0] + _PANEL + 4, "0", "end"),
        *_panel(
            _TOPS[1], [(value - low) / max(1, high - low) for value in draws], "perfect draws, logarithmic"
        ),
        *(
            _text(
                _LEFT - 6,
                _TOPS[1] + _PANEL * (high - power) / max(1, high - low) + 4,
                f"{10**power:,}" if power < 7 else f"1e{power}",
                "end",
            )
            for power in _powers(low, high)
        ),
    ]
    height = _TOPS[1] + _PANEL + 50
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" '
        f'height="{height}"><style>{_STYLE}</style>{"".join(parts)}</svg>\n'
    ).encode()


def _powers(low: int, high: int) -> range:
    return range(low, high + 1, max(1, (high - low) // 4))


def _panel(top: int, heights: Sequence[float], name: str) -> list[str]:
    """A stepped line over 0 to 99 percent; heights are in [0, 1]."""
    bottom, wide = top + _PANEL, _WIDTH - _LEFT - 30
    points = list[str]()
    for percent, height in enumerate(heights):
        for x in (percent, percent + 1):
            points.append(f"{_LEFT + wide * x / 100:.1f},{bottom - _PANEL * height:.1f}")
    ticks = [
        _text(_LEFT + wide * percent / 100, bottom + 16, f"{percent} %", "middle")
        for percent in range(0, 101, 20)
    ]
    return [
        f'<path class="axis" fill="none" d="M{_LEFT} {top}V{bottom}H{_LEFT + wide}"/>',
        f'<polyline class="line" points="{" ".join(points)}"/>',
        _text(_LEFT + 8, top - 6, name, "start"),
        *ticks,
    ]


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{words}</text>'
