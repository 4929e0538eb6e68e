"""
The latent stream: standard normal latents as a function of seed, domain and row.

Certificates name witnesses and near ties by row of a stream, and a draw's seed stands for its rows;
changing one bit of it breaks both. So a stream has a version, and one that was ever certified with stays.
docs/formats.md, section 3, is their definition.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ternary_sdk._internal.streams.quantiles import quantiles
from ternary_sdk.errors import FormatError, InputError
from ternary_sdk.signature import STANDARD
from ternary_sdk.space import Space

PRIOR: Final = 0
"""Domain of prior draws, of samples and certificates alike."""
EXPLORATION: Final = 1
"""Domain that decides which rows ``explore`` replaces, and by which witness."""
COMPLETION: Final = 2
"""Domain that orders the unseen operations which ``unique`` appends in a listed space."""
UNIFORM: Final = 3
"""Domain of uniform operations: what certificates of vast spaces try, and ``unique`` appends there."""
CHOICE: Final = 4
"""Domain of the ranks that a draw by property takes in its set."""
REMAINDER: Final = 5
"""Domain that orders the ranks not taken so far, and the members of each class."""

Floats = npt.NDArray[np.float32]
Words = npt.NDArray[np.uint64]

_WORD: Final = 8
_LATENTS_IN_A_WORD: Final = 4
_WORDS_OF_A_DECISION: Final = 4
_CIPHER_BLOCK: Final = 16
_ZEROS: Final = bytes(1 << 16)


@dataclass(frozen=True)
class Stream:
    """Rows of latents, each a function of seed, domain and row alone."""

    version: int
    """Which of the two ways of making random words it is."""

    generator: str
    """What makes them, for people."""

    _open: Callable[[int, int, int, int], Callable[[int], Words]]

    latent_size: int = STANDARD.latent_size
    """Latents in a row, a multiple of 8 from 8 to 64."""

    def of(self, latent_size: int) -> "Stream":
        """The same stream with rows of another length.

        Raises:
            FormatError: If there is none: version 1 has rows of 16 latents.
        """
        if self.version == 1 and latent_size != STANDARD.latent_size:
            raise FormatError(f"latent stream: version 1 has rows of 16 latents, not of {latent_size}")
        return replace(self, latent_size=latent_size)

    def words(self, seed: int, domain: int, start: int, rows: int) -> Words:
        """The four random 64-bit words of each row that decides something: those of every domain but PRIOR.

        They do not depend on the size of the latents.

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
        return self._reader(seed, domain, start, _WORDS_OF_A_DECISION)(rows)

    def uniform(self, seed: int, start: int, rows: int, space: Space) -> npt.NDArray[np.int64]:
        """Uniform operations: each row's first word below the largest multiple of N, modulo N.

        A row without such a word gives its last one modulo N, so entries are uniform but for less than 2^-24,
        and exactly so where N is a power of 2 (docs/formats.md, section 3).

        Args:
            seed: In [0, 2^64).
            start: First entry, in [0, 2^62].
            rows: How many.
            space: What they are operations of.
        Returns:
            Indices in [0, N), shape (rows,).
        Raises:
            InputError: If the seed is out of range.
        """
        return uniform_of(self.words(seed, UNIFORM, start, rows), space)

    def prior(self, seed: int, start: int, rows: int) -> Floats:
        """Standard normal latents, shape (rows, latent_size), in [-4.325, 4.325].

        Raises:
            InputError: If the seed is out of range.
        """
        out = np.empty((rows, self.latent_size), np.float32)
        self.prior_reader(seed, start)(out)
        return out

    def prior_reader(self, seed: int, start: int) -> Callable[[Floats], None]:
        """A function that writes the stream's next rows, from ``start`` on, into what it is given.

        It is for many blocks in a row: what starts a generator is paid for once. One thread at a time may
        use it. What it fills is float32, shape (n, latent_size), C-contiguous.

        Raises:
            InputError: If the seed is out of range.
        """
        each = self.latent_size // _LATENTS_IN_A_WORD
        words, table = self._reader(seed, PRIOR, start, each), quantiles()

        def fill(out: Floats) -> None:
            # The places fill their type's range, so none is ever wrapped; it is the fastest mode though.
            table.take(words(len(out)).view("<u2"), mode="wrap", out=out)

        return fill

    def _reader(self, seed: int, domain: int, start: int, each: int) -> Callable[[int], Words]:
        if not 0 <= seed < 2**64:
            raise InputError(f"seed: {seed}, expected 0 to 2^64 - 1")
        if not 0 <= start <= 2**62:
            raise InputError(f"start: {start}, expected 0 to 2^62")
        return self._open(int(seed), domain, int(start), each)


def uniform_of(words: Words, space: Space) -> npt.NDArray[np.int64]:
    """The uniform operations that four words each stand for: (rows, 4) to (rows,), as ``uniform`` says."""
    return below(space.size, words)


def below(size: int, words: Words) -> npt.NDArray[np.int64]:
    """The uniform numbers in [0, size) that four words each stand for: (rows, 4) to (rows,)."""
    largest = np.uint64((2**64 // size * size - 1) % 2**64)  # the last word that is taken
    taken = words <= largest
    first = np.where(taken.any(axis=1), taken.argmax(axis=1), _WORDS_OF_A_DECISION - 1)
    return (words[np.arange(len(words)), first] % np.uint64(size)).astype(np.int64)


def _philox(seed: int, domain: int, start: int, each: int) -> Callable[[int], Words]:
    key = np.array([seed, domain], dtype=np.uint64)
    counter = np.array([start, 0, 0, 0], dtype=np.uint64)
    generator = np.random.Philox(key=key, counter=counter)
    return lambda rows: generator.random_raw(each * rows).astype("<u8", copy=False).reshape(rows, each)


def _aes(seed: int, domain: int, start: int, each: int) -> Callable[[int], Words]:
    key, size = seed.to_bytes(8, "big") + domain.to_bytes(8, "big"), _WORD * each
    counter = (start * size // _CIPHER_BLOCK).to_bytes(16, "big")
    keystream = Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor()
    return lambda rows: np.frombuffer(keystream.update(_zeros(size * rows)), "<u8").reshape(rows, each)


def _zeros(size: int) -> memoryview:
    """What is encrypted, so that the keystream comes out as it is."""
    return memoryview(_ZEROS if size <= len(_ZEROS) else bytes(size))[:size]


PHILOX: Final = Stream(1, "Philox 4x64-10", _philox)
"""Philox with the row as counter (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011).
NumPy promises that raw streams never change; it promises no such thing of its distributions."""

AES: Final = Stream(2, "AES-128-CTR", _aes)
"""The keystream of AES-128 in counter mode (FIPS 197, NIST SP 800-38A), a cipher block for 8 latents."""

CURRENT: Final = AES
"""The stream of new certificates."""

STREAMS: Final[Mapping[int, Stream]] = {stream.version: stream for stream in (PHILOX, AES)}
"""Every stream that a certificate may speak of, by version, with rows of 16 latents."""
