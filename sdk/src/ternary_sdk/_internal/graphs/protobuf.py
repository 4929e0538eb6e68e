"""
Reading the protobuf wire format (protobuf.dev/programming-guides/encoding) one message at a time.

Only what deterministic writers emit is read: fields in ascending order, shortest varints, no groups and no
fixed-width scalars. A message that says the same in other bytes is refused, so no two readers
can disagree about what was said.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from ternary_sdk.errors import FormatError

MAX_FIELDS: Final = 4096
"""The most fields one message may have."""

_MAX_TEXT: Final = 128
_VARINT: Final = 0
_BYTES: Final = 2


class Message:
    """One message being read: each field is taken once, and ``end`` refuses what nobody took.

    Args:
        data: The message's bytes.
        what: Where it stands, for error messages, such as ``decoder_A.onnx: node 3``.
    Raises:
        FormatError: If the bytes are not a well-formed message in the one form described above.
    """

    def __init__(self, data: bytes, what: str) -> None:
        self.what = what
        self._left: dict[int, list[int | bytes]] = {}
        count = previous = 0
        for number, value in _fields(data, what):
            if number < previous:
                raise FormatError(f"{what}: field {number} after field {previous}, expected ascending order")
            count, previous = count + 1, number
            if count > MAX_FIELDS:
                raise FormatError(f"{what}: more than {MAX_FIELDS} fields")
            self._left.setdefault(number, []).append(value)

    def integer(self, number: int, name: str, *, default: int | None = None) -> int:
        """A field that is an integer, as an unsigned 64-bit number."""
        found = self.integers(number, name)
        if not found and default is not None:
            return default
        if len(found) != 1:
            raise FormatError(f"{self.what}: {len(found)} values of {name}, expected one")
        return found[0]

    def integers(self, number: int, name: str) -> list[int]:
        """A repeated field of integers, not packed."""
        values = self._left.pop(number, [])
        integers = [value for value in values if isinstance(value, int)]
        if len(integers) != len(values):
            raise FormatError(f"{self.what}: {name} is packed or no integer")
        return integers

    def octets(self, number: int, name: str) -> bytes:
        """A field of bytes; an absent one is empty."""
        found = self.messages(number, name)
        if len(found) > 1:
            raise FormatError(f"{self.what}: {len(found)} values of {name}, expected one")
        return found[0] if found else b""

    def messages(self, number: int, name: str) -> list[bytes]:
        """A repeated field of messages or bytes."""
        values = self._left.pop(number, [])
        messages = [value for value in values if isinstance(value, bytes)]
        if len(messages) != len(values):
            raise FormatError(f"{self.what}: {name} is an integer, expected bytes")
        return messages

    def text(self, number: int, name: str) -> str:
        """A field that is a short printable ASCII string; an absent one is empty."""
        return self._as_text(self.octets(number, name), name)

    def texts(self, number: int, name: str) -> list[str]:
        """A repeated field of short printable ASCII strings."""
        return [self._as_text(value, name) for value in self.messages(number, name)]

    def end(self, refused: Mapping[int, str]) -> None:
        """Refuse whatever was not taken.

        Args:
            refused: Names of fields that exist in the format but have no place here, by number.
        """
        if self._left:
            number = min(self._left)
            name = refused.get(number, f"an unknown field, number {number}")
            raise FormatError(f"{self.what}: holds {name}, expected none")

    def _as_text(self, value: bytes, name: str) -> str:
        text = value.decode("ascii", "replace")
        if len(text) > _MAX_TEXT or not text.isascii() or not text.isprintable():
            raise FormatError(f"{self.what}: {name} is not printable ASCII of at most {_MAX_TEXT} characters")
        return text


def _fields(data: bytes, what: str) -> Iterator[tuple[int, int | bytes]]:
    position = 0
    while position < len(data):
        tag, position = _varint(data, position, what)
        number, wire_type = tag >> 3, tag & 7
        if number == 0:
            raise FormatError(f"{what}: field number 0")
        value, position = _varint(data, position, what)
        if wire_type == _VARINT:
            yield number, value
        elif wire_type == _BYTES:
            if value > len(data) - position:
                raise FormatError(
                    f"{what}: field {number} is {value} bytes long, {len(data) - position} are left"
                )
            yield number, data[position : position + value]
            position += value
        else:
            raise FormatError(f"{what}: field {number} has wire type {wire_type}, expected 0 or 2")


def _varint(data: bytes, start: int, what: str) -> tuple[int, int]:
    """An unsigned 64-bit number in its shortest form, and where the next byte is."""
    value = 0
    for offset, byte in enumerate(data[start : start + 10]):
        value |= (byte & 0x7F) << (7 * offset)
        if byte < 0x80:
            if value >= 1 << 64 or (byte == 0 and offset):
                raise FormatError(
                    f"{what}: an integer at byte {start} is longer than needed or beyond 64 bits"
                )
            return value, start + offset + 1
    raise FormatError(f"{what}: an integer at byte {start} is truncated or longer than 10 bytes")
