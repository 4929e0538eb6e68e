"""
The random words of docs/formats.md, section 3, written out from the papers that define the generators.

Nothing here is the SDK's, NumPy's or a cipher library's: it is what another implementation would write.
"""

from collections.abc import Callable
from typing import Final

MASK: Final = 2**64 - 1


def philox(seed: int, domain: int, row: int) -> list[int]:
    """Philox 4x64 with 10 rounds: constants and round function of Salmon et al., 2011, section 3.3."""
    first, second = seed, domain
    words = [row + 1, 0, 0, 0]
    for _ in range(10):
        left, right = 0xD2E7470EE14C6C93 * words[0], 0xCA5A826395121157 * words[2]
        words = [
            (right >> 64) ^ words[1] ^ first,
            right & MASK,
            (left >> 64) ^ words[3] ^ second,
            left & MASK,
        ]
        first, second = (first + 0x9E3779B97F4A7C15) & MASK, (second + 0xBB67AE8584CAA73B) & MASK
    return words


def aes_ctr(seed: int, domain: int, row: int) -> list[int]:
    """32 bytes of the keystream of AES-128 in counter mode: cipher blocks 2·row and 2·row + 1."""
    key = seed.to_bytes(8, "big") + domain.to_bytes(8, "big")
    stream = b"".join(encrypt(key, (2 * row + half).to_bytes(16, "big")) for half in (0, 1))
    return [int.from_bytes(stream[8 * i : 8 * i + 8], "little") for i in range(4)]


WORDS: Final[dict[int, Callable[[int, int, int], list[int]]]] = {1: philox, 2: aes_ctr}
"""The four words of a row, by the stream's version."""


def encrypt(key: bytes, block: bytes) -> bytes:
    """AES-128 of one block, FIPS 197, section 5.1."""
    first, *middle, last = _round_keys(key)
    state = _xor(block, first)
    for round_key in middle:
        state = _xor(_mix(_shift(bytes(SBOX[byte] for byte in state))), round_key)
    return _xor(_shift(bytes(SBOX[byte] for byte in state)), last)


def _times(a: int, b: int) -> int:
    """The product in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1, section 4.2."""
    product = 0
    while b:
        product ^= a if b & 1 else 0
        a = a << 1 ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return product


def _substitute(byte: int) -> int:
    """The inverse in GF(2^8), 0 for 0, and the affine map of section 5.1.1."""
    inverse = next((other for other in range(256) if _times(byte, other) == 1), 0)
    doubled = inverse << 8 | inverse
    rotated = doubled ^ doubled >> 4 ^ doubled >> 5 ^ doubled >> 6 ^ doubled >> 7
    return rotated & 0xFF ^ 0x63


SBOX: Final = [_substitute(byte) for byte in range(256)]


def _shift(state: bytes) -> bytes:
    """Row r of a column-major state rotated by r, section 5.1.2."""
    return bytes(state[(4 * (i // 4 + i % 4) + i % 4) % 16] for i in range(16))


def _mix(state: bytes) -> bytes:
    """Each column times 3x^3 + x^2 + x + 2, section 5.1.3."""
    columns = [state[i : i + 4] for i in range(0, 16, 4)]
    return bytes(
        _times(c[r], 2) ^ _times(c[(r + 1) % 4], 3) ^ c[(r + 2) % 4] ^ c[(r + 3) % 4]
        for c in columns
        for r in range(4)
    )


def _round_keys(key: bytes) -> list[bytes]:
    """The eleven round keys, section 5.2."""
    words, constant = [key[i : i + 4] for i in range(0, 16, 4)], 1
    for i in range(4, 44):
        word = words[-1]
        if i % 4 == 0:
            word = bytes(SBOX[byte] for byte in word[1:] + word[:1])
            word = bytes([word[0] ^ constant]) + word[1:]
            constant = _times(constant, 2)
        words.append(_xor(words[i - 4], word))
    return [b"".join(words[i : i + 4]) for i in range(0, 44, 4)]


def _xor(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=True))
