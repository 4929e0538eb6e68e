"""
JSON of other programs, with floats and in any layout, where nothing is signed.

It is read as RFC 8259 has it: Python's own reader also takes NaN, and of a repeated member the last.
"""

import json
from typing import Any, NoReturn

from ternary_sdk.errors import FormatError


class NotJsonError(FormatError):
    """A text is not JSON, or not JSON as deep or with integers as long as can be read."""


def decode(text: str | bytes) -> Any:
    """Read a JSON text, each member once and each number finite.

    Raises:
        NotJsonError: If it is not JSON; the message says where.
        FormatError: If an object repeats a member, or a number is NaN or infinite.
    """
    try:
        return json.loads(text, object_pairs_hook=members, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, character {error.colno}"
        raise NotJsonError(f"not JSON at {place} ({error.msg})") from None
    except RecursionError:
        raise NotJsonError("JSON nested too deeply to be read") from None
    except UnicodeDecodeError:
        raise NotJsonError("not JSON in UTF-8") from None
    except ValueError:
        raise NotJsonError("JSON with an integer that has too many digits") from None


def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The members of an object.

    Raises:
        FormatError: If a name appears twice.
    """
    named = dict(pairs)
    if len(named) != len(pairs):
        seen = set[str]()
        for name, _ in pairs:
            if name in seen:
                raise FormatError(f"member {name[:80]!r} appears twice")
            seen.add(name)
    return named


def _refuse(name: str) -> NoReturn:
    raise FormatError(f"{name} is not a number of JSON")
