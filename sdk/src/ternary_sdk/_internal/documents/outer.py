"""
Text documents as they arrive: what editors, git, mail and shells put around them is taken off, and what
they put inside is refused by its name.

Only documents that travel as files of their own come through here: licenses, trust files, requests,
responses, reports, certificates and keys. Their digest and their identity are those of the bytes that
``bare`` returns. Members of a package do not come through here: there every byte counts.
"""

import re
import unicodedata
from typing import Final

from ternary_sdk.errors import FormatError

JSON_LINE: Final = re.compile(rb"[\x00-\x1f]")
"""What canonical JSON never holds, neither in its strings nor between them."""
TOKEN: Final = re.compile(rb"[^A-Za-z0-9_.-]")
"""What a compact JWS never holds."""
# the first character of a line, its boundary lines aside, that base64 does not have
_PEM: Final = re.compile(rb"^(?!-)[A-Za-z0-9+/= \r\t]*([^A-Za-z0-9+/= \r\t\n])", re.MULTILINE)

_MARK: Final = b"\xef\xbb\xbf"
_SPACE: Final = b" \t\r\n"
_NAMES: Final = {0x0A: "a line feed", 0x0D: "a carriage return", 0x09: "a tab", 0x20: "a space"}
_LEFT_OF_FOLD: Final = re.compile(rb"[A-Za-z0-9_.=-]")
_FOLDED: Final = "the file was folded, as mail does: send it as an attachment"
_LAID_OUT: Final = "the file was laid out anew, as editors and formatters do: take it as it was sent"
_ALTERED: Final = "it was altered on the way: take it as it was sent"


def bare(data: bytes, what: str, foreign: re.Pattern[bytes] = JSON_LINE) -> bytes:
    """A document without a byte order mark before it and without white space around it.

    Args:
        data: The file's bytes.
        what: The document's name in error messages.
        foreign: What it never holds, ``JSON_LINE`` or ``TOKEN``.
    Raises:
        FormatError: If it is UTF-16 text, or something foreign was put inside.
    """
    expect_utf8(data, what)
    inner = stripped(data)
    begin = data.index(inner)
    found = foreign.search(data, begin, begin + len(inner))
    if found is not None:
        raise FormatError(f"{what}: {addition(data, found.start())}")
    return inner


def text(data: bytes, what: str) -> str:
    """The text of a file that people write, without a byte order mark before it.

    Args:
        data: The file's bytes.
        what: Its name in error messages.
    Raises:
        FormatError: If it is not UTF-8.
    """
    expect_utf8(data, what)
    try:
        return data.removeprefix(_MARK).decode()
    except UnicodeDecodeError:
        raise FormatError(f"{what}: not UTF-8 text") from None


def stripped(data: bytes) -> bytes:
    """The same bytes without what may stand around a document, whatever they are."""
    return data.removeprefix(_MARK).strip(_SPACE)


def addition(data: bytes, at: int) -> str:
    """What stands at a byte of a document where it does not belong, and what may have put it there."""
    if data[at] in _NAMES:
        folded = _LEFT_OF_FOLD.match(data, max(at - 1, 0))
        return f"{_NAMES[data[at]]} at byte {at}; {_FOLDED if folded else _LAID_OUT}"
    soft = data[at : at + 2] in (b"=\r", b"=\n")  # as quoted-printable mail folds
    return f"{_named(data[at : at + 4])} at byte {at}; {_FOLDED if soft else _ALTERED}"


def expect_utf8(data: bytes, what: str) -> None:
    """Refuse text in UTF-16, as PowerShell's ``>`` writes it.

    Raises:
        FormatError: If it is.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or data[:2].count(0) == 1:
        raise FormatError(f"{what}: UTF-16 text, as PowerShell's '>' writes it, expected UTF-8")


def pem_refused(data: bytes, what: str, expected: str) -> FormatError:
    """The refusal of a file that no PEM reader takes, by the name of what was added where that is known.

    Args:
        data: The file's bytes.
        what: Its name in error messages.
        expected: What it should be, such as "a PEM public key".
    """
    try:
        expect_utf8(data, what)
    except FormatError as refusal:
        return refusal
    found = _PEM.search(data) if b"-----BEGIN" in data else None
    added = f": {addition(data, found.start(1))}" if found is not None else ""
    return FormatError(f"{what}: not {expected}{added}")


def _named(data: bytes) -> str:
    """The first character of up to four bytes: as it is, by its name in Unicode, or by its number."""
    for length in range(1, len(data) + 1):
        try:
            character = data[:length].decode()
        except UnicodeDecodeError:
            continue
        if "!" <= character <= "~":
            return repr(character)
        return unicodedata.name(character, "").lower() or f"U+{ord(character):04X}"
    return f"the byte 0x{data[0]:02x}, which is not UTF-8,"
