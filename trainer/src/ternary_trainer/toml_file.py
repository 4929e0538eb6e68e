"""
TOML files that people write: UTF-8 up to a cap, with or without a byte order mark.
"""

import json
import re
import tomllib
from pathlib import Path
from typing import Any, Final

from ternary_sdk._internal import source
from ternary_sdk._internal.documents import outer
from ternary_sdk.errors import FormatError, InputError

MOST: Final = 1 << 20
"""Of a file, in bytes."""
_INTEGERS: Final = range(-(1 << 63), 1 << 63)
"""Those of TOML; one of more bits may be too long to be printed."""


def read(path: Path) -> str:
    """A file's text.

    Raises:
        InputError: If it cannot be read, is larger than ``MOST``, or is not UTF-8.
    """
    try:
        return outer.text(source.read(path, MOST), str(path))
    except FormatError as refusal:
        raise InputError(str(refusal)) from None


def parse(text: str, name: str) -> dict[str, Any]:
    """What a text says.

    Args:
        text: TOML.
        name: The file's name in error messages.
    Raises:
        InputError: If it is no TOML, nests too deeply, or has an integer of more than 64 bits.
    """
    try:
        values = tomllib.loads(text)
        if not _are_short(values):
            raise InputError(f"{name}: an integer has more than 64 bits, expected TOML")
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{name}: {error}, expected TOML") from None
    except RecursionError:
        raise InputError(f"{name}: nested too deeply, expected TOML") from None
    except ValueError:  # Python reads no decimal integer of more than 4300 digits
        raise InputError(f"{name}: an integer has more than 64 bits, expected TOML") from None
    return values


def _are_short(value: object) -> bool:
    match value:
        case dict():
            return all(map(_are_short, value.values()))
        case list():
            return all(map(_are_short, value))
    return not isinstance(value, int) or value in _INTEGERS


def literal(value: Any) -> str:
    """A value as TOML writes it on one line.

    Raises:
        InputError: If it is neither a number, a string, true or false, nor a list or table of such.
    """
    match value:
        case bool():
            return str(value).lower()
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case int() | float():
            return repr(value)
        case list() | tuple():
            return f"[{', '.join(map(literal, value))}]"
        case dict():
            return f"{{{', '.join(f'{_key(key)} = {literal(item)}' for key, item in value.items())}}}"
    raise InputError(f"{value} is a date or time, expected a number, a string, a list or a table")


def _key(key: str) -> str:
    return key if re.fullmatch("[A-Za-z0-9_-]+", key) else literal(key)
