"""
The latent stream: standard normal latents as a function of seed, domain and row.

Certificates name witnesses and near ties by row of this stream, and a draw's seed stands for its rows;
changing one bit of it breaks both. docs/formats.md, section 3, is its definition.
"""

import hashlib
from functools import cache
from importlib.resources import files
from typing import Final

import numpy as np
import numpy.typing as npt

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


def prior(
    seed: int, start: int, rows: int, out: npt.NDArray[np.float32] | None = None
) -> npt.NDArray[np.float32]:
    """Standard normal latents of the prior's stream.

    Args:
        seed: In [0, 2^64).
        start: First row, 0 or more.
        rows: How many.
        out: Where to write them, float32, shape (rows, 16), C-contiguous; by default a new array.
    Returns:
        Latents, shape (rows, 16), C-contiguous, in [-4.325, 4.325].
    Raises:
        InputError: If the seed is out of range.
    """
    positions = words(seed, PRIOR, start, rows).astype("<u8", copy=False).view("<u2")
    # The indices fill their type's range, so wrapping never happens; it is the fastest mode all the same.
    return quantiles().take(positions, mode="wrap", out=out)


def words(seed: int, domain: int, start: int, rows: int) -> npt.NDArray[np.uint64]:
    """The four raw 64-bit words of each row: Philox 4x64-10 with the row as counter.

    Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011. NumPy promises that raw streams
    never change; it promises no such thing of its distributions.

    Returns:
        Uniform words, shape (rows, 4).
    Raises:
        InputError: If the seed is out of range.
    """
    if not 0 <= seed < 2**64:
        raise InputError(f"seed: {seed}, expected 0 to 2^64 - 1")
    key = np.array([seed, domain], dtype=np.uint64)
    counter = np.array([start, 0, 0, 0], dtype=np.uint64)
    return np.random.Philox(key=key, counter=counter).random_raw(4 * rows).reshape(rows, 4)


@cache
def quantiles() -> npt.NDArray[np.float32]:
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
