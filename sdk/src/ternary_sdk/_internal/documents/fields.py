"""
Typed reading of hostile documents: one getter a type, every refusal with its path.

A document reader wraps the decoded object in ``Fields``, takes each member once with the getter of its
type, and calls ``end()``: a member that nobody took is a refusal, not a surprise.
"""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar

from ternary_sdk._internal.documents.canonical import SAFE_INTEGER, Json
from ternary_sdk._internal.documents.legible import is_line, is_name, shown
from ternary_sdk.errors import FormatError

T = TypeVar("T")

_HEX64: Final = re.compile(r"[0-9a-f]{64}")
_DECIMAL: Final = re.compile(r"-?(0|[1-9][0-9]{0,8})(\.[0-9]{1,9})?")
MAX_TEXT: Final = 4096


class Fields:
    """One JSON object being read.

    Args:
        value: What was decoded; a refusal if it is not an object.
        path: Where it stands, for messages, such as ``manifest.json: paths[0]``.
    """

    def __init__(self, value: Json, path: str) -> None:
        if not isinstance(value, dict):
            raise FormatError(f"{path}: {_kind(value)}, expected an object")
        self._left = dict(value)
        self.path = path

    def __contains__(self, name: str) -> bool:
        return name in self._left

    def text(self, name: str, *, pattern: re.Pattern[str] | None = None, longest: int = MAX_TEXT) -> str:
        """A string, matching ``pattern`` as a whole where one is given."""
        value = self._take(name)
        if not isinstance(value, str):
            raise self.wrong(name, value, "a string")
        if len(value) > longest:
            raise self.wrong(name, value, f"at most {longest} characters")
        if pattern is not None and not pattern.fullmatch(value):
            raise self.wrong(name, value, f"text of the form {pattern.pattern}")
        return value

    def text_or_null(self, name: str, *, pattern: re.Pattern[str]) -> str | None:
        """A string as ``text`` reads it, or null."""
        return self.or_null(name, lambda name: self.text(name, pattern=pattern))

    def line(self, name: str, *, longest: int = 200) -> str:
        """A name that people read: visible characters in one line, not all of them blank."""
        value = self.text(name, longest=longest)
        if not is_name(value, longest):
            raise self.wrong(name, value, f"1 to {longest} printable characters")
        return value

    def exactly(self, name: str, expected: str | int) -> None:
        """A member with one allowed value: a format's name or version."""
        value = self._take(name)
        if value != expected or type(value) is not type(expected):
            raise self.wrong(name, value, repr(expected))

    def one_of(self, name: str, expected: Sequence[str]) -> str:
        """A member with a few allowed values: a format of which several versions are read."""
        value = self._take(name)
        if not isinstance(value, str) or value not in expected:
            raise self.wrong(name, value, " or ".join(map(repr, expected)))
        return value

    def integer(self, name: str, *, least: int = 0, most: int = SAFE_INTEGER) -> int:
        """An integer in [least, most]; true and false are none."""
        value = self._take(name)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self.wrong(name, value, f"an integer from {least} to {most}")
        return value

    def truth(self, name: str) -> bool:
        """true or false."""
        value = self._take(name)
        if not isinstance(value, bool):
            raise self.wrong(name, value, "true or false")
        return value

    def sha256(self, name: str) -> str:
        """A SHA-256 as 64 lowercase hex digits."""
        return self.text(name, pattern=_HEX64)

    def decimal(self, name: str) -> float:
        """A real number, written as a decimal string so that its bytes are its own."""
        return float(self.text(name, pattern=_DECIMAL))

    def moment(self, name: str) -> datetime:
        """A NumericDate (RFC 7519, section 2): whole seconds since 1970-01-01 UTC, up to the year 9999."""
        return datetime.fromtimestamp(self.integer(name, most=253_402_300_799), UTC)

    def octets(self, name: str, *, longest: int) -> bytes:
        """Bytes in canonical base64 (RFC 4648, section 4, padded)."""
        text = self.text(name, longest=4 * ((longest + 2) // 3))
        try:
            data = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            data = None
        if data is None or base64.b64encode(data).decode() != text or len(data) > longest:
            raise self.wrong(name, text, f"canonical base64 of at most {longest} bytes")
        return data

    def object(self, name: str) -> "Fields":
        """A nested object, to be read by its own getters."""
        return Fields(self._take(name), f"{self.path}.{name}")

    def value(self, name: str) -> Json:
        """A member of any type, for a reader of its own."""
        return self._take(name)

    def items(self, name: str, read: Callable[["Fields"], T], *, most: int, least: int = 0) -> tuple[T, ...]:
        """A list of objects, each read by ``read``."""
        values = self._list(name, least, most)
        return tuple(read(Fields(value, f"{self.path}.{name}[{i}]")) for i, value in enumerate(values))

    def texts(self, name: str, *, most: int, least: int = 0) -> tuple[str, ...]:
        """A list of different strings."""
        values = self._list(name, least, most)
        for position, value in enumerate(values):
            if not isinstance(value, str) or len(value) > MAX_TEXT:
                raise self.wrong(f"{name}[{position}]", value, "a string")
        texts = tuple(value for value in values if isinstance(value, str))
        if len(set(texts)) != len(texts):
            raise FormatError(f"{self.path}.{name}: an entry is repeated")
        return texts

    def integers(self, name: str, *, below: int, most: int) -> tuple[int, ...]:
        """A strictly ascending list of integers in [0, below)."""
        previous, result = -1, []
        for position, value in enumerate(self._list(name, 0, most)):
            if not isinstance(value, int) or isinstance(value, bool) or not previous < value < below:
                raise self.wrong(
                    f"{name}[{position}]", value, f"an integer from {previous + 1} to {below - 1}"
                )
            result.append(previous := value)
        return tuple(result)

    def pairs(self, name: str, *, below: tuple[int, int], most: int) -> dict[int, int]:
        """A list of [key, value] pairs of integers from 0, each below its bound, keys strictly ascending."""
        result: dict[int, int] = {}
        previous = -1
        for position, value in enumerate(self._list(name, 0, most)):
            match value:
                case [int(key), int(number)] if (
                    type(key) is type(number) is int and previous < key < below[0] and 0 <= number < below[1]
                ):
                    result[key] = number
                    previous = key
                case _:
                    raise self.wrong(
                        f"{name}[{position}]",
                        value,
                        f"[{previous + 1} to {below[0] - 1}, 0 to {below[1] - 1}]",
                    )
        return result

    def json(self, name: str) -> Json:
        """A member of any type, for the caller to judge."""
        return self._take(name)

    def labels(self, name: str, *, most: int) -> dict[str, str]:
        """An object whose members are all printable: names and versions of software, digests by algorithm."""
        value = self._take(name)
        if not isinstance(value, dict) or len(value) > most:
            raise self.wrong(name, value, f"an object of at most {most} strings")
        texts = {key: text for key, text in value.items() if isinstance(text, str) and len(text) <= MAX_TEXT}
        if len(texts) != len(value) or not all(map(is_line, [*texts, *texts.values()])):
            raise self.wrong(name, value, "an object of printable strings")
        return texts

    def or_null(self, name: str, read: Callable[[str], T]) -> T | None:
        """``read(name)``, or None where the member is null."""
        if self._left.get(name, "") is None:
            self._left.pop(name)
            return None
        return read(name)

    def optional(self, name: str, read: Callable[[str], T]) -> T | None:
        """``read(name)`` where the member is there, else None."""
        return read(name) if name in self._left else None

    def end(self) -> None:
        """Refuse members that no getter took."""
        if self._left:
            raise FormatError(f"{self.path}: unknown member {min(self._left)[:80]!r}")

    def wrong(self, name: str, found: Json, expected: str) -> FormatError:
        """The refusal of a member, with what was found and what was expected."""
        return FormatError(f"{self.path}.{name}: {_kind(found)}, expected {expected}")

    def _take(self, name: str) -> Json:
        if name not in self._left:
            raise FormatError(f"{self.path}: member {name!r} is missing")
        return self._left.pop(name)

    def _list(self, name: str, least: int, most: int) -> list[Json]:
        value = self._take(name)
        if not isinstance(value, list):
            raise self.wrong(name, value, "a list")
        if not least <= len(value) <= most:
            raise FormatError(f"{self.path}.{name}: {len(value)} entries, expected {least} to {most}")
        return value


def _kind(value: Json) -> str:
    match value:
        case None:
            return "null"
        case bool() | int():
            return str(value).lower()[:40]
        case str():
            return shown(repr(value if len(value) <= 60 else value[:57] + "…"))
        case list():
            return "a list"
        case _:
            return "an object"
