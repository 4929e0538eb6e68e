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
from collections.abc import Iterable, Mapping
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
    before = '{\n  "rows": ['
    for row in rows:
        text = json.dumps(row, ensure_ascii=False, indent=2).replace("\n", "\n    ")
        _write(_encodable(f"{before}\n    {text}"), end="")
        before = ","
    _write('{\n  "rows": []\n}' if before != "," else "\n  ]\n}")


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
