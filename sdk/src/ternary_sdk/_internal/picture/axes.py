"""
The axes of a space's picture: ticks with row and column numbers, and what the leading cells are in each band.
"""

from ternary_sdk._internal.picture.frame import LEFT, TOP, Axis, Frame
from ternary_sdk.space import Space

__all__ = ["HEIGHT", "axes"]

HEIGHT = 58
"""What the column axis takes below the picture."""


def axes(frame: Frame) -> str:
    """Both axes as SVG elements. An arrow points where the numbers grow: right and down."""
    return _columns(frame) + _rows(frame)


def _columns(frame: Frame) -> str:
    axis, width, below = frame.columns, frame.right - LEFT, frame.bottom
    parts = []
    for band in range(axis.bands):
        x = LEFT + width * band / axis.bands
        parts.append(_line(x, below, x, below + 20))
        parts.append(_text(x + width / axis.bands / 2, below + 14, "middle", _values(axis, band)))
        parts.append(_text(x, below + 31, "middle", str(axis.count * band // axis.bands), "tick number"))
    words = f"column by {_named(axis)} →"
    numbered = f'<tspan class="number" dx="24">index = {axis.count} × row + column</tspan>'
    return "".join(parts) + _text(LEFT, below + 50, "start", words + numbered, "axis")


def _rows(frame: Frame) -> str:
    axis, height = frame.rows, frame.bottom - TOP
    parts = []
    for band in range(axis.bands):
        y = TOP + height * band / axis.bands
        middle = y + height / axis.bands / 2 + 4
        parts.append(_line(LEFT - 44, y, LEFT, y))
        parts.append(_text(LEFT - 6, middle, "end", _values(axis, band)))
        parts.append(_text(LEFT - 48, y + 4, "end", str(axis.count * band // axis.bands), "tick number"))
    words = f'<text class="axis" transform="translate(8 {TOP}) rotate(90)">row by {_named(axis)} →</text>'
    return "".join(parts) + words


def _values(axis: Axis, band: int) -> str:
    return " ".join(_value(value, axis.space) for value in axis.values(band))


def _named(axis: Axis) -> str:
    """The leading cells as results: ``t8 = f(+,+), t7 = f(+,0)``."""
    return ", ".join(f"t{cell} = f({_inputs(cell, axis.space)})" for cell in axis.leading)


def _inputs(cell: int, space: Space) -> str:
    digits = [cell // space.radix**place % space.radix for place in range(space.inputs - 1, -1, -1)]
    return ",".join(_value(space.values[digit], space) for digit in digits)


def _value(value: int, space: Space) -> str:
    """A value as designers write it: a sign alone in ternary logic."""
    if space.radix == 3:
        return "−0+"[value + 1]
    return str(value).replace("-", "−")


def _line(x: float, y: float, to_x: float, to_y: float) -> str:
    return f'<path class="line" d="M{x:g} {y:g}L{to_x:g} {to_y:g}"/>'


def _text(x: float, y: float, anchor: str, words: str, kind: str = "tick") -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{words}</text>'
