"""
The latent stream: standard normal latents as a function of seed, domain and row.

Certificates name witnesses and near ties by row of a stream, and a draw's seed stands for its rows;
changing one bit of it breaks both. So a stream has a version, that of the certificates which speak of its
rows, and one that was ever certified with stays. docs/formats.md, section 3, is their definition.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ternary_sdk.errors import FormatError, InputError

LATENT_SIZE: Final = 16
PRIOR: Final = 0
"""Domain of prior draws, of samples and certificates alike."""
EXPLORATION: Final = 1
"""Domain that decides which rows ``explore`` replaces, and by which witness."""
COMPLETION: Final = 2
"""Domain that orders the unseen operations which ``unique`` appends."""

TABLE_SHA256: Final = "1cfbba1e07e34386a57626f82aeb43e6ed54ba70a3ea6b7d964dc66a841074a8"
"""Of the 65,536 normal quantiles as little-endian float32."""

Floats = npt.NDArray[np.float32]
Words = npt.NDArray[np.uint64]

_ROW_BYTES: Final = 2 * LATENT_SIZE
_CIPHER_BLOCK: Final = 16
_ZEROS: Final = bytes(1 << 16)


@dataclass(frozen=True)
class Stream:
    """Rows of 16 latents, each a function of seed, domain and row alone."""

    version: int
    """That of the certificates whose rows these are."""

    generator: str
    """What makes the random words, for people."""

    _open: Callable[[int, int, int], Callable[[int], Words]]

    def words(self, seed: int, domain: int, start: int, rows: int) -> Words:
        """The four random 64-bit words of each row.

        Args:
            seed: In [0, 2^64).
            domain: What they are used for.
            start: First row, in [0, 2^62].
            rows: How many.
        Returns:
            Uniform words, little-endian, shape (rows, 4).
        Raises:
            InputError: If the seed is out of range.
        """
        return self._reader(seed, domain, start)(rows)

    def prior(self, seed: int, start: int, rows: int) -> Floats:
        """Standard normal latents, shape (rows, 16), in [-4.325, 4.325].

        Raises:
            InputError: If the seed is out of range.
        """
        out = np.empty((rows, LATENT_SIZE), np.float32)
        self.prior_reader(seed, start)(out)
        return out

    def prior_reader(self, seed: int, start: int) -> Callable[[Floats], None]:
        """A function that writes the stream's next rows, from ``start`` on, into what it is given.

        It is for many blocks in a row: what starts a generator is paid for once. One thread at a time may
        use it. What it fills is float32, shape (n, 16), C-contiguous.

        Raises:
            InputError: If the seed is out of range.
        """
        words, table = self._reader(seed, PRIOR, start), quantiles()

        def fill(out: Floats) -> None:
            # The places fill their type's range, so none is ever wrapped; it is the fastest mode though.
            table.take(words(len(out)).view("<u2"), mode="wrap", out=out)

        return fill

    def _reader(self, seed: int, domain: int, start: int) -> Callable[[int], Words]:
        if not 0 <= seed < 2**64:
            raise InputError(f"seed: {seed}, expected 0 to 2^64 - 1")
        if not 0 <= start <= 2**62:
            raise InputError(f"start: {start}, expected 0 to 2^62")
        return self._open(int(seed), domain, int(start))


def _philox(seed: int, domain: int, start: int) -> Callable[[int], Words]:
    key = np.array([seed, domain], dtype=np.uint64)
    counter = np.array([start, 0, 0, 0], dtype=np.uint64)
    generator = np.random.Philox(key=key, counter=counter)
    return lambda rows: generator.random_raw(4 * rows).astype("<u8", copy=False).reshape(rows, 4)


def _aes(seed: int, domain: int, start: int) -> Callable[[int], Words]:
    key = seed.to_bytes(8, "big") + domain.to_bytes(8, "big")
    counter = (start * _ROW_BYTES // _CIPHER_BLOCK).to_bytes(16, "big")
    keystream = Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor()
    return lambda rows: np.frombuffer(keystream.update(_zeros(rows)), "<u8").reshape(rows, 4)


def _zeros(rows: int) -> memoryview:
    """What is encrypted, so that the keystream comes out as it is."""
    size = _ROW_BYTES * rows
    return memoryview(_ZEROS if size <= len(_ZEROS) else bytes(size))[:size]


PHILOX: Final = Stream(1, "Philox 4x64-10", _philox)
"""Philox with the row as counter (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011).
NumPy promises that raw streams never change; it promises no such thing of its distributions."""

AES: Final = Stream(2, "AES-128-CTR", _aes)
"""The keystream of AES-128 in counter mode (FIPS 197, NIST SP 800-38A), two cipher blocks a row."""

CURRENT: Final = AES
"""The stream of new certificates."""

STREAMS: Final[Mapping[int, Stream]] = {stream.version: stream for stream in (PHILOX, AES)}
"""Every stream that a certificate may speak of, by version."""


@cache
def quantiles() -> Floats:
    """The table of 65,536 normal quantiles: entry u is the float32 nearest to Φ⁻¹((u + ½)/65536).

    Raises:
        FormatError: If the installed file is not the pinned one.
    """
    data = files("ternary_sdk").joinpath("data", "normal_quantiles.f32").read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != TABLE_SHA256:
        raise FormatError(
            f"normal_quantiles.f32: sha256 is {found}, expected {TABLE_SHA256}; reinstall ternary-sdk"
        )
    return np.frombuffer(data, dtype="<f4")
