"""
Single rows of the latent stream, wherever they stand: what a verifier picks at random.

A keystream block is one cipher block, the encryption of its number. So scattered rows cost no more than as
many rows in a row, where a generator for each would cost a hundred times as much.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ternary_sdk._internal.streams.quantiles import quantiles
from ternary_sdk._internal.streams.stream import PRIOR, UNIFORM, Floats, Stream, uniform_of
from ternary_sdk.errors import FormatError
from ternary_sdk.space import Space

Places = npt.NDArray[np.int64]

_LATENTS_IN_A_BLOCK: Final = 8
_BLOCKS_OF_A_DECISION: Final = 2
_WORDS_OF_A_DECISION: Final = 4


def prior(stream: Stream, seed: int, rows: Places) -> Floats:
    """Rows of prior latents, as ``Stream.prior`` gives them.

    Args:
        stream: Of version 2.
        seed: In [0, 2^64).
        rows: Their positions, each in [0, 2^58), shape (n,).
    Returns:
        Shape (n, latent_size).
    Raises:
        FormatError: If the stream is of version 1, whose words are no cipher's.
    """
    each = stream.latent_size // _LATENTS_IN_A_BLOCK
    words = _blocks(stream, seed, PRIOR, rows, each)
    latents: Floats = quantiles()[np.frombuffer(words, "<u2").reshape(len(rows), stream.latent_size)]
    return latents


def uniform(stream: Stream, seed: int, entries: Places, space: Space) -> npt.NDArray[np.int64]:
    """Uniform operations, as ``Stream.uniform`` gives them, of entries in [0, 2^58), shape (n,).

    Raises:
        FormatError: If the stream is of version 1.
    """
    words = _blocks(stream, seed, UNIFORM, entries, _BLOCKS_OF_A_DECISION)
    return uniform_of(np.frombuffer(words, "<u8").reshape(-1, _WORDS_OF_A_DECISION), space)


def _blocks(stream: Stream, seed: int, domain: int, rows: Places, each: int) -> bytes:
    """The ``each`` keystream blocks of each row, in order."""
    if stream.version == 1:
        raise FormatError("latent stream: version 1 has no rows that are cipher blocks, expected version 2")
    numbers = np.zeros((len(rows), each, 2), ">u8")  # blocks are numbered in 16 bytes, big-endian
    numbers[:, :, 1] = rows[:, np.newaxis] * each + np.arange(each)
    key = seed.to_bytes(8, "big") + domain.to_bytes(8, "big")
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(numbers.tobytes())
