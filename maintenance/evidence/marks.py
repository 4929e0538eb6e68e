"""
Figures on pages: ``<!--=ID-->`` before a number says which figure of ``docs/evidence.json`` it is.

Markdown shows the number alone. ``<!--=ID.low-->`` and ``<!--=ID.high-->`` stand before an end of its spread.
``±`` after a value is half of the spread. A unit may follow, as the last of several numbers has it in
"92.01 / 92.02 %". Every percentage, time and size of a guarded page has a mark, but for those in code
and the level of an interval.
"""

import re
from collections.abc import Iterator
from typing import Final

from maintenance.evidence.figures import Figure, Figures

_NUMBER: Final = r"\d+(?:,\d{3})*(?:\.\d+)?"
_MARK: Final = re.compile(
    rf"<!--=(?P<id>[^>]*?)-->(?P<value>{_NUMBER})?(?: ± (?P<margin>{_NUMBER}))?"
    r"(?: (?P<unit>%|(?:ms|s|seconds|bytes|million)\b))?"
)
_CODE: Final = re.compile(r"^```.*?^```|`[^`\n]*`", re.M | re.S)
_BARE: Final = re.compile(
    rf"(?<![\w.^]){_NUMBER}(?: ± {_NUMBER})? ?(?:%(?! interval)|(?:ms|s|seconds|bytes)\b)"
)
_SHOWN: Final = {"million a second": "million"}
"""What stands for a unit right after a number, where that is not the unit itself."""


def wrong(page: str, figures: Figures) -> list[str]:
    """Every mark and every bare number of a page that is not as ``figures`` has it, one sentence each."""
    prose = _CODE.sub(_blank, page)
    return [*_wrong_marks(prose, figures), *_bare(prose)]


def refreshed(page: str, figures: Figures) -> str:
    """The page with the present values after its marks; what ``wrong`` says of unknown ids remains."""

    def renew(mark: re.Match[str]) -> str:
        found = _named(mark["id"], figures)
        if found is None:
            return mark[0]
        figure, value = found
        margin = f" ± {figure.margin}" if mark["margin"] else ""
        unit = f" {_unit(figure)}" if mark["unit"] else ""
        return f"<!--={mark['id']}-->{_grouped(value)}{margin}{unit}"

    parts, at = [], 0
    for code in _CODE.finditer(page):
        parts += [_MARK.sub(renew, page[at : code.start()]), code[0]]
        at = code.end()
    return "".join([*parts, _MARK.sub(renew, page[at:])])


def _wrong_marks(prose: str, figures: Figures) -> Iterator[str]:
    for mark in _MARK.finditer(prose):
        found = _named(mark["id"], figures)
        where = f"line {prose.count(chr(10), 0, mark.start()) + 1}: {mark['id']}"
        if found is None:
            yield f"{where}: no such figure"
            continue
        figure, value = found
        for shown, expected in (
            (mark["value"], _grouped(value)),
            (mark["margin"], mark["margin"] and figure.margin),
            (mark["unit"], mark["unit"] and _unit(figure)),
        ):
            if shown != expected:
                yield f"{where}: {shown!r}, expected {expected!r}"


def _bare(prose: str) -> Iterator[str]:
    for bare in _BARE.finditer(_MARK.sub(_blank, prose)):
        yield f"line {prose.count(chr(10), 0, bare.start()) + 1}: {bare[0]!r} has no mark"


def _named(name: str, figures: Figures) -> tuple[Figure, str] | None:
    """The figure that a mark names, and which of its three numbers."""
    if name in figures:
        return figures[name], figures[name].value
    whole, _, end = name.rpartition(".")
    if whole in figures and end in ("low", "high"):
        return figures[whole], figures[whole].low if end == "low" else figures[whole].high
    return None


def _unit(figure: Figure) -> str:
    return _SHOWN.get(figure.unit, figure.unit)


def _grouped(number: str) -> str:
    """As pages write it: thousands in threes."""
    whole, point, parts = number.partition(".")
    return f"{int(whole):,}{point}{parts}"


def _blank(found: re.Match[str]) -> str:
    """As many characters that say nothing, so that lines and places stay."""
    return re.sub(r"[^\n]", " ", found[0])
