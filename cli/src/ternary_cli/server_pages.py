"""
Lists of a license server: rows that come page by page, as a table, as CSV or as one JSON object.

Never more than a page is kept in memory. A table's columns are as wide as its first page needs.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, islice
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ternary_cli.options import option
from ternary_cli.spreadsheets import as_text

if TYPE_CHECKING:
    from ternary_cli.admin import Admin

CsvOption = Annotated[bool, option("--csv", text="Print CSV, moments as RFC 3339.")]

PAGE: Final = 1000
NONE: Final = "none found"

Row = dict[str, Any]


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    head: str
    """Its heading; in CSV the members of the interface have their own names."""
    word: Callable[[Row], str]
    """What a row has there."""


def plain(name: str, head: str | None = None) -> Column:
    """A member as it is; ``-`` where there is none."""
    return Column(head or name, lambda row: _word(row[name]))


def dated(name: str, head: str | None = None, *, none: str = "-") -> Column:
    """A moment, UTC, to the minute."""
    return Column(head or name, lambda row: none if row[name] is None else minute(row[name]))


def minute(seconds: int) -> str:
    """A moment for people: ``2026-03-01 12:00``, UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def money(minor: int, exponent: int) -> str:
    """An amount in the currency's unit, such as ``-12.05``."""
    whole, fraction = divmod(abs(minor), 10**exponent)
    decimals = f".{fraction:0{exponent}d}" if exponent else ""
    return f"{'-' if minor < 0 else ''}{whole}{decimals}"


def pages(admin: "Admin", path: str, *by: str, **query: str | int | None) -> Iterator[Row]:
    """Everything that a paged path lists, in the order of these members, one page in memory at a time."""
    after = None
    while page := admin.get(path, after=after, limit=PAGE, **query):
        yield from page
        after = " ".join(str(page[-1][name]) for name in by)


def one_form(as_json: bool, as_csv: bool) -> None:
    """Refuse two forms at once."""
    if as_json and as_csv:
        raise typer.BadParameter("--json and --csv cannot be used together.")


def show_list(
    rows: Iterator[Row], columns: list[Column], moments: tuple[str, ...], *, as_json: bool, as_csv: bool
) -> None:
    """Print rows as a table with headings, as CSV or as one JSON object.

    Args:
        rows: What is listed, by members of the interface.
        columns: Of the table.
        moments: Members that are moments; CSV writes them as RFC 3339.
        as_json: One object with the member ``rows``, moments in seconds since 1970-01-01 UTC.
        as_csv: All members; lists are separated by blanks.
    """
    if as_json:
        _show_json(rows)
    elif as_csv:
        _show_csv(rows, moments)
    else:
        _show_table(rows, columns)


def _show_table(rows: Iterator[Row], columns: list[Column]) -> None:
    from ternary_cli.terminal import note, show

    first = list(islice(rows, PAGE))
    if not first:
        note(NONE)
        return
    heads = [column.head for column in columns]
    cells = [[column.word(row) for column in columns] for row in first]
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    show([_line(heads, widths), *(_line(line, widths) for line in cells)])
    while more := list(islice(rows, PAGE)):
        show([_line([column.word(row) for column in columns], widths) for row in more])


def _line(cells: list[str], widths: list[int]) -> str:
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()


def _show_csv(rows: Iterator[Row], moments: tuple[str, ...]) -> None:
    from ternary_cli.files import write
    from ternary_cli.terminal import note

    first = next(rows, None)
    if first is None:
        note(NONE)
        return
    names, every = list(first), chain([first], rows)
    head = True
    while page := list(islice(every, PAGE)):
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        if head:
            writer.writerow(names)
        writer.writerows([_cell(row[name], name in moments) for name in names] for row in page)
        write(text.getvalue().encode(), None)
        head = False


def _cell(value: Any, moment: bool) -> str:
    if value is None:
        return ""
    if moment:
        return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    if isinstance(value, int):
        return str(value)
    return as_text(" ".join(map(str, value)) if isinstance(value, list) else str(value))


def _show_json(rows: Iterator[Row]) -> None:
    from ternary_cli.terminal import show_json_rows

    show_json_rows(rows)


def _word(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
