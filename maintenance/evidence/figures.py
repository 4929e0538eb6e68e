"""
``docs/evidence.json``: every figure that a guarded page quotes, with what it came from.

Pages take figures from this file alone (``marks``), so a value is kept as the text that a reader sees. A
figure is measured by the command beside it, or taken over from an entry of experiments.md, which it names.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from ternary_sdk._internal import whole_file
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk.errors import FormatError

FORMAT: Final = "ternary-evidence/1"
KINDS: Final = (
    "expected coverage",
    "certificate's count",
    "selection estimate",
    "perfect draws",
    "effective number",
    "share",
    "seconds",
    "rate",
    "bytes",
)
"""One name for each kind of figure. The headline of a model is always its expected coverage."""
UNITS: Final = ("%", "s", "ms", "bytes", "million a second")

_ID: Final = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*")
_NUMBER: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")
_COMMIT: Final = re.compile(r"[0-9a-f]{7,40}(-dirty)?")
_DATE: Final = re.compile(r"20[0-9]{2}-[01][0-9]-[0-3][0-9]")
_LOG: Final = re.compile(r"|20[0-9]{2}-[01][0-9]-[0-3][0-9]: .{3,150}")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure and where it came from. Numbers are decimal text with the decimals that a page shows."""

    kind: str
    """One of ``KINDS``."""
    value: str
    low: str
    """The lower end of ``spread``; the value itself where there is none."""
    high: str
    spread: str
    """What ``low`` and ``high`` are, such as "95 % interval"; empty for a count or a record."""
    unit: str
    """One of ``UNITS``."""
    command: str
    """What to type to measure it again."""
    commit: str
    """Of the sources that it was measured with; ``-dirty`` if they were changed."""
    machine: str
    date: str
    """UTC, such as 2026-11-28."""
    log: str
    """Title of the entry of experiments.md that it was taken over from; empty if the runner measured it."""

    @property
    def margin(self) -> str:
        """Half of the spread, as a page shows it after ±."""
        half = (Decimal(self.high) - Decimal(self.low)) / 2
        return str(half.quantize(Decimal(self.value)))


Figures = Mapping[str, Figure]


def read(data: bytes, name: str) -> dict[str, Figure]:
    """Read the file: figures by their id.

    Args:
        data: The file's bytes.
        name: The file's name, for messages.
    Raises:
        FormatError: If it is damaged; the message names the member.
    """
    document = Fields(canonical.decode_any(data, name), name)
    document.exactly("format", FORMAT)
    listed = document.items("figures", _figure, most=1000)
    document.end()
    ids = [one for one, _ in listed]
    if ids != sorted(set(ids)):
        raise FormatError(f"{name}: figures are not in the order of their ids, each once")
    return dict(listed)


def _figure(fields: Fields) -> tuple[str, Figure]:
    name = fields.text("id", pattern=_ID)
    figure = Figure(
        kind=fields.one_of("kind", KINDS),
        value=fields.text("value", pattern=_NUMBER),
        low=fields.text("low", pattern=_NUMBER),
        high=fields.text("high", pattern=_NUMBER),
        spread=fields.text("spread", longest=200),
        unit=fields.one_of("unit", UNITS),
        command=fields.line("command"),
        commit=fields.text("commit", pattern=_COMMIT),
        machine=fields.line("machine"),
        date=fields.text("date", pattern=_DATE),
        log=fields.text("log", pattern=_LOG),
    )
    fields.end()
    low, value, high = (Decimal(number) for number in (figure.low, figure.value, figure.high))
    if not low <= value <= high:
        raise FormatError(f"{fields.path}: value is {value}, expected {low} to {high}, its own spread")
    if (low != high) != bool(figure.spread):
        raise FormatError(f"{fields.path}: spread is {figure.spread!r}, expected what {low} to {high} is")
    return name, figure


def write(figures: Figures, file: Path) -> None:
    """Replace the file as a whole, so that a killed runner loses at most the figure in progress."""
    listed = [{"id": name, **asdict(figure)} for name, figure in sorted(figures.items())]
    text = json.dumps({"format": FORMAT, "figures": listed}, indent=1, ensure_ascii=False) + "\n"
    whole_file.write(file, text.encode())
