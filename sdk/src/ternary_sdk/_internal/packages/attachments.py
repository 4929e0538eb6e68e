"""
What a package carries beside graphs and certificate: card, terms, bill of materials, validation.

They are signed with the package and not computed again; a reader still refuses what is not of its form, so
that nothing a signature covers is two documents to two readers, or rewrites a terminal that it is shown on.
"""

from collections.abc import Iterator, Mapping
from itertools import chain

from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.documents.legible import hidden, shown
from ternary_sdk._internal.packages.members import BOM, CARD, TERMS, VALIDATION
from ternary_sdk._internal.packages.validation import Validation
from ternary_sdk.errors import FormatError


def read(members: Mapping[str, bytes]) -> Validation | None:
    """Check the documents of a package:

    1. card and terms are UTF-8 text, of which everything shows (``documents.legible``);
    2. the bill of materials is canonical JSON that says it is CycloneDX 1.6, and everything in it shows;
    3. the validation, where there is one, is of its format and does not contradict itself.

    Args:
        members: Stored bytes by name; all but the validation must be there.
    Returns:
        The validation.
    Raises:
        FormatError: If one is not of its form; the message names it.
    """
    for name in (CARD, TERMS):
        _check_text(members[name], name)  # 1
    listed = canonical.decode(members[BOM], BOM)  # 2
    bom = Fields(listed, BOM)
    bom.exactly("bomFormat", "CycloneDX")
    bom.exactly("specVersion", "1.6")
    for text in _texts(listed):
        if (at := hidden(text)) is not None:
            raise _hidden(f"{BOM}: {shown(repr(text[:60]))}", text[at])
    return Validation.read(members[VALIDATION]) if VALIDATION in members else None  # 3


def _check_text(data: bytes, name: str) -> None:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise FormatError(f"{name}: not UTF-8 text (byte {error.start})") from None
    if (at := hidden(text)) is not None:
        line = text.count("\n", 0, at) + 1
        raise _hidden(f"{name}: line {line}", text[at])


def _hidden(place: str, character: str) -> FormatError:
    found = f"the hidden character U+{ord(character):04X}"
    return FormatError(f"{place} holds {found}, expected visible text, tabs and line feeds")


def _texts(value: Json) -> Iterator[str]:
    """Every string in a JSON value, names of members included."""
    match value:
        case str():
            yield value
        case list():
            yield from chain.from_iterable(map(_texts, value))
        case dict():
            yield from chain(value, chain.from_iterable(map(_texts, value.values())))
