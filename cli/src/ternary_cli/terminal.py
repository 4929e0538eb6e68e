"""
What people read: results on standard output, everything else on standard error.

Text from files that others wrote passes through ``shown``: a customer's name must not be able to
rewrite a terminal's screen.
"""

import json
import sys
from collections.abc import Mapping
from typing import Any

from ternary_sdk.documents.legible import shown


def note(sentence: str) -> None:
    """Say something beside the result, on standard error."""
    print(shown(sentence), file=sys.stderr, flush=True)


def show(lines: list[str]) -> None:
    """Print a result for people."""
    print("\n".join(map(shown, lines)), flush=True)


def show_json(result: Mapping[str, Any]) -> None:
    """Print a result as one JSON object."""
    print(json.dumps(result, ensure_ascii=False, indent=2), flush=True)


def pairs(facts: Mapping[str, str]) -> list[str]:
    """Names and values, one a line, values aligned."""
    width = max(map(len, facts))
    return [f"{name:<{width}}  {value}" for name, value in facts.items()]


def not_proved_line(what: str) -> str:
    """What a verification left open, beside what it found."""
    return f"not proved: {what}"
