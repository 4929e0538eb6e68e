"""
Unpadded base64url (RFC 7515, section 2) with exactly one text for each byte string.

A decoder that ignores unused low bits of the last character gives one signature several spellings; this
one refuses all but the canonical spelling.
"""

import base64
import binascii

from ternary_sdk.errors import FormatError


def encode(data: bytes) -> str:
    """Write bytes as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str, what: str) -> bytes:
    """Read what ``encode`` writes, and nothing else.

    Args:
        text: The characters; padding, white space and the standard alphabet's + and / are refused.
        what: Name in error messages, such as ``license: signature``.
    Raises:
        FormatError: If the text is not the canonical spelling of any bytes.
    """
    try:
        data = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        data = None
    if data is None or encode(data) != text:
        raise FormatError(f"{what}: not canonical base64url without padding")
    return data
