"""
License keys that people type: 24 random characters and one that catches a mistyped one.

The alphabet is Crockford's base 32, which has no I, L, O and U; they are read as 1, 1 and 0. A key is a
secret of 120 bits. It is not a license: a server exchanges it for one that is bound to an installation.
"""

import hashlib
import secrets
from typing import Final

from ternary_sdk.errors import InputError

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH: Final = 25
_GROUP: Final = 5
_READ_AS: Final = str.maketrans("ILO", "110", "- ")


def generate() -> str:
    """A new key, such as ``7ZK2M-…``: five groups of five."""
    drawn = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH - 1))
    return _grouped(drawn + _check(drawn))


def parse(text: str) -> str:
    """The key in its one spelling: letter case, hyphens and spaces do not matter.

    Raises:
        InputError: If it has another length or alphabet, or a character is mistyped.
    """
    plain = text.strip().upper().translate(_READ_AS)
    if len(plain) != LENGTH or any(character not in ALPHABET for character in plain):
        raise InputError(f"license key: not {LENGTH} letters and digits such as {_grouped('7' * LENGTH)}")
    if _check(plain[:-1]) != plain[-1]:
        raise InputError("license key: a character is mistyped or two are swapped; compare it again")
    return _grouped(plain)


def digest(key: str) -> str:
    """What a server keeps instead of a key: SHA-256 of its one spelling, 64 hex digits."""
    return hashlib.sha256(b"ternary-license-key-v1" + parse(key).encode()).hexdigest()


def _grouped(plain: str) -> str:
    return "-".join(plain[start : start + _GROUP] for start in range(0, LENGTH, _GROUP))


def _check(plain: str) -> str:
    """Luhn's algorithm modulo 32: catches any one wrong character and most swaps of neighbours."""
    total = 0
    for place, character in enumerate(reversed(plain)):
        value = ALPHABET.index(character) * (1 if place % 2 else 2)
        total += value // 32 + value % 32
    return ALPHABET[-total % 32]
