"""
JSON with exactly one byte sequence for each value, and a reader for everybody else's JSON.

Signed documents are compared as bytes, so what they mean must not depend on a parser. The value space is
RFC 8259 without floating point: objects, arrays, strings, integers within ±(2^53 - 1), true, false, null.
The byte form is RFC 8785 restricted to that space and to ASCII member names, for which its UTF-16
sorting is plain sorting. A real number is written as a decimal string.
"""

import json
from decimal import ROUND_DOWN, Decimal
from typing import Final, NoReturn

from ternary_sdk._internal.documents import outer, plain
from ternary_sdk.errors import FormatError

Json = None | bool | int | str | list["Json"] | dict[str, "Json"]

SAFE_INTEGER: Final = 2**53 - 1
MAX_DEPTH: Final = 16


def encode(value: Json) -> bytes:
    """Write a value as its canonical bytes: UTF-8, sorted members, no white space.

    Raises:
        FormatError: If the value lies outside the space described above.
    """
    _check(value)
    return _ENCODER.encode(value).encode()


def decode(data: bytes, what: str) -> Json:
    """Read canonical bytes, and nothing else.

    Args:
        data: The document.
        what: Its name in error messages, such as ``manifest.json``.
    Raises:
        FormatError: If it is not JSON, lies outside the value space, or is not byte for byte canonical.
    """
    value = decode_any(data, what)
    canonical = encode(value)
    if canonical != data:
        at = next(
            (i for i, (one, other) in enumerate(zip(canonical, data, strict=False)) if one != other), None
        )
        if at is not None and data[at] in b" \t\r\n":
            raise FormatError(f"{what}: not in canonical form: {outer.addition(data, at)}")
        raise FormatError(f"{what}: not in canonical form (member order, white space or escapes differ)")
    return value


def decode_any(data: bytes, what: str) -> Json:
    """Read JSON in any layout, for documents that other people's libraries write.

    Raises:
        FormatError: If it is not UTF-8 JSON, repeats a member name, holds a number that is no safe
            integer, or nests deeper than 16.
    """
    try:
        text = data.decode("utf-8")
        value: Json = _DECODER.decode(text)
    except FormatError as refusal:
        raise FormatError(f"{what}: {refusal}") from None
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{what}: not JSON{_place(error, data)}") from None
    try:
        _check(value)
    except FormatError as refusal:
        raise FormatError(f"{what}: {refusal}") from None
    return value


def decimal(value: float, places: int) -> str:
    """Write a real number as a decimal string with ``places`` decimals, rounded towards zero.

    The float's exact value is what is rounded, so nothing that is below a figure is printed as that figure.
    """
    return f"{Decimal(value).quantize(Decimal(1).scaleb(-places), rounding=ROUND_DOWN):f}"


def _place(error: ValueError | RecursionError, data: bytes) -> str:
    match error:
        case RecursionError():
            return " (nested too deeply)"
        case UnicodeDecodeError():
            return f" (byte {error.start} is not UTF-8)"
        case json.JSONDecodeError():
            at = len(error.doc[: error.pos].encode())
            foreign = data[at : at + 1] >= b"\x80"  # JSON has such characters in its strings alone
            return f": {outer.addition(data, at)}" if foreign else f" at byte {at}"
    return " (an integer has too many digits)"


def _no_float(literal: str) -> NoReturn:
    raise FormatError(f"number {literal[:40]} is not an integer")


def _check(value: Json) -> None:
    """Refuse what lies outside the value space. Most documents lie inside; only a refusal needs a path."""
    if not _is_plain(value, 0):
        _check_at(value, "$", 0)


def _is_plain(value: Json, depth: int) -> bool:
    """Whether a value surely lies inside; one that does not may, as text that is not ASCII does."""
    if depth > MAX_DEPTH:
        return False
    kind = type(value)
    if kind is str:
        return value.isascii()  # type: ignore[union-attr]
    if kind is int:
        return -SAFE_INTEGER <= value <= SAFE_INTEGER  # type: ignore[operator]
    if kind is dict:
        for name, item in value.items():  # type: ignore[union-attr]
            if type(name) is not str or not name.isascii() or not _is_plain(item, depth + 1):
                return False
        return True
    if kind is list:
        for item in value:  # type: ignore[union-attr]  # noqa: SIM110 - a generator takes twice as long
            if not _is_plain(item, depth + 1):
                return False
        return True
    return value is None or kind is bool


def _check_at(value: Json, path: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise FormatError(f"{path}: nested deeper than {MAX_DEPTH}")
    match value:
        case None | bool():
            return
        case int():
            if abs(value) > SAFE_INTEGER:
                raise FormatError(f"{path}: integer beyond ±(2^53 - 1)")
        case str():
            _check_text(value, path)
        case list():
            for position, item in enumerate(value):
                _check_at(item, f"{path}[{position}]", depth + 1)
        case dict():
            for name, item in value.items():
                if not isinstance(name, str) or not name.isascii():
                    raise FormatError(f"{path}: member name {str(name)[:80]!r} is not ASCII")
                _check_at(item, f"{path}.{name[:80]}", depth + 1)
        case _:
            raise FormatError(f"{path}: {type(value).__name__} has no canonical form")


def _check_text(text: str, path: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise FormatError(f"{path}: text holds a lone surrogate") from None


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=plain.members, parse_float=_no_float, parse_constant=_no_float
)
"""Made once: ``json`` itself makes a new one for each document."""
