"""
What a package carries beside graphs and certificate: card, terms, bill of materials, validation.

They are signed with the package and not computed again; a reader still refuses what is not of its form, so
that nothing a signature covers is two documents to two readers, or rewrites a terminal that it is shown on.
"""

import re
from collections.abc import Mapping
from typing import Final

from ternary_sdk.documents import canonical
from ternary_sdk.documents.fields import Fields
from ternary_sdk.errors import FormatError
from ternary_sdk.packages.members import BOM, CARD, TERMS, VALIDATION
from ternary_sdk.packages.validation import Validation

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""All control characters but tab and line feed, and what else starts a line or turns its direction round."""


def read(members: Mapping[str, bytes]) -> Validation | None:
    """Check the documents of a package:

    1. card and terms are UTF-8 text without control characters but tab and line feed;
    2. the bill of materials is canonical JSON that says it is CycloneDX 1.6;
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
    bom = Fields(canonical.decode(members[BOM], BOM), BOM)  # 2
    bom.exactly("bomFormat", "CycloneDX")
    bom.exactly("specVersion", "1.6")
    return Validation.read(members[VALIDATION]) if VALIDATION in members else None  # 3


def _check_text(data: bytes, name: str) -> None:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise FormatError(f"{name}: not UTF-8 text (byte {error.start})") from None
    if found := _CONTROL.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise FormatError(
            f"{name}: line {line} holds the control character U+{ord(found[0]):04X}, "
            "expected none but tab and line feed"
        )
