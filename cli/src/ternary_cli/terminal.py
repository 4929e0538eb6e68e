"""
What people read: results on standard output, everything else on standard error.

Text from files that others wrote passes through ``shown``: a customer's name must not be able to
rewrite a terminal's screen.
"""

import codecs
import contextlib
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from ternary_cli.refusals import STDOUT, sentences
from ternary_sdk._internal.documents.legible import shown

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def note(sentence: str) -> None:
    """Say something beside the result, on standard error; nobody may be there to read it."""
    with contextlib.suppress(OSError):
        print(shown(sentence), file=sys.stderr, flush=True)


def show(lines: list[str]) -> None:
    """Print a result for people.

    Raises:
        FileError: If standard output does not take it, and so the next two.
    """
    _write("\n".join(map(shown, lines)))


def show_json(result: Mapping[str, Any]) -> None:
    """Print a result as one JSON object: in UTF-8, or with escapes that every code page has."""
    _write(_encodable(json.dumps(result, ensure_ascii=False, indent=2)))


def show_json_rows(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print ``{"rows": […]}`` as ``show_json`` would, row by row: not all of them need be in memory."""
    show_json_lists({}, ["rows"], (("rows", row) for row in rows))


def show_json_lists(
    facts: Mapping[str, Any], lists: Sequence[str], rows: Iterable[tuple[str, Mapping[str, Any]]]
) -> None:
    """Print facts and lists as one JSON object as ``show_json`` would, row by row.

    Args:
        facts: The first members.
        lists: Names of the members that follow.
        rows: Each with the name of its list, in the order of ``lists``.
    """
    for text in _json_lists(facts, lists, rows):
        _write(_encodable(text), end="")
    _write("")


def _json_lists(
    facts: Mapping[str, Any], lists: Sequence[str], rows: Iterable[tuple[str, Mapping[str, Any]]]
) -> Iterator[str]:
    groups = groupby(rows, key=itemgetter(0))
    group = next(groups, None)  # before anything is printed: it may be refused
    yield "{\n" + "".join(f"  {json.dumps(name)}: {json.dumps(value)},\n" for name, value in facts.items())
    for name in lists:
        yield ("" if name == lists[0] else ",\n") + f"  {json.dumps(name)}: ["
        before = "\n"
        if group is not None and group[0] == name:
            for _, row in group[1]:
                text = json.dumps(row, ensure_ascii=False, indent=2).replace("\n", "\n    ")
                yield f"{before}    {text}"
                before = ",\n"
            group = next(groups, None)
        yield "]" if before == "\n" else "\n  ]"
    yield "\n}"


def show_document(document: bytes) -> None:
    """Print a document byte for byte, and a line feed: a program may keep it."""
    with sentences(STDOUT):
        sys.stdout.flush()
        sys.stdout.buffer.write(document + b"\n")
        sys.stdout.buffer.flush()


def _write(text: str, end: str = "\n") -> None:
    with sentences(STDOUT):
        print(text, end=end, flush=True)


def _encodable(text: str) -> str:
    """JSON as it is in a UTF-8 stream; elsewhere, or with a file's name that is not Unicode, escaped."""
    if codecs.lookup(sys.stdout.encoding).name == "utf-8" and not _SURROGATE.search(text):
        return text
    return "".join(c if c.isascii() else json.dumps(c)[1:-1] for c in text)


def pairs(facts: Mapping[str, str]) -> list[str]:
    """Names and values, one a line, values aligned."""
    width = max(map(len, facts))
    return [f"{name:<{width}}  {value}" for name, value in facts.items()]


def show_pairs(facts: Mapping[str, str | None], *, as_json: bool) -> None:
    """Print facts: as one JSON object, or a line each with words for names."""
    if as_json:
        show_json(facts)
    else:
        show(pairs({name.replace("_", " "): fact or "none" for name, fact in facts.items()}))


def not_proved_line(what: str) -> str:
    """What a verification left open, beside what it found."""
    return f"not proved: {what}"
