"""
Ternary operations, their canonical numbering, and sets of them.

Manifests, certificates and usage reports refer to operations by index and to sets of operations by the
digest of a bitmap; this module alone defines both. Changing it breaks every certificate ever issued.
"""

import hashlib
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_sdk.errors import FormatError, InputError

TRITS: Final = 9
OPERATIONS: Final = 3**TRITS
BITMAP_BYTES: Final = (OPERATIONS + 7) // 8
LABEL: Final = "ternary-2-input"

_PLACES: Final = 3 ** np.arange(TRITS, dtype=np.int32)


def to_index(tables: npt.ArrayLike) -> npt.NDArray[np.int32]:
    """Number truth tables by their canonical index, the sum over k of (t[k] + 1)·3^k.

    Args:
        tables: Trits in {-1, 0, +1}, shape (n, 9). Column 3·(a + 1) + (b + 1) holds f(a, b); column 0 is the
            least significant digit.
            Any integer or float dtype.
    Returns:
        Indices in [0, 19683), shape (n,).
    Raises:
        InputError: If the shape is wrong or any entry is not a trit.
    """
    trits = as_trits(tables)
    return np.asarray((trits.astype(np.int32) + 1) @ _PLACES, dtype=np.int32)


def as_trits(tables: npt.ArrayLike) -> npt.NDArray[np.int8]:
    """Check that an array holds truth tables.

    Args:
        tables: Trits in {-1, 0, +1}, shape (n, 9), any integer or float dtype.
    Returns:
        The same trits as int8, shape (n, 9).
    Raises:
        InputError: If the shape is wrong or any entry is not a trit; the first such entry is named.
    """
    try:
        array = np.asarray(tables)
    except ValueError:
        raise InputError("operations: rows have different lengths, expected 9 trits in each") from None
    if array.ndim != 2 or array.shape[1] != TRITS:
        raise InputError(f"operations: shape is {array.shape}, expected (n, {TRITS})")
    if array.dtype.kind not in "iuf":
        raise InputError(f"operations: dtype is {array.dtype}, expected integers or floats")
    wrong = ~((array == -1) | (array == 0) | (array == 1))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise InputError(
            f"operations: row {row}, column {column} is {array[row, column]}, expected -1, 0 or 1"
        )
    return array.astype(np.int8, copy=False)


def from_index(indices: npt.ArrayLike) -> npt.NDArray[np.int8]:
    """Write out the truth tables that canonical indices stand for.

    Args:
        indices: Integers in [0, 19683), shape (n,).
    Returns:
        Trits in {-1, 0, +1}, shape (n, 9), C-contiguous.
    Raises:
        InputError: If the shape is wrong or an index is out of range.
    """
    return TABLES[as_indices(indices)]


def as_indices(indices: npt.ArrayLike) -> npt.NDArray[np.int32]:
    """Check that an array holds canonical indices, integers in [0, 19683), shape (n,).

    Raises:
        InputError: If the shape is wrong or an entry is no such integer; the first is named.
    """
    array = np.asarray(indices)
    if array.ndim != 1:
        raise InputError(f"indices: shape is {array.shape}, expected (n,)")
    if array.size == 0:
        return array.astype(np.int32)
    if array.dtype.kind not in "iu":
        raise InputError(f"indices: dtype is {array.dtype}, expected integers")
    wrong = (array < 0) | (array >= OPERATIONS)
    if wrong.any():
        first = int(np.argmax(wrong))
        raise InputError(f"indices: entry {first} is {array[first]}, expected 0 to {OPERATIONS - 1}")
    return array.astype(np.int32, copy=False)


def _all_tables() -> npt.NDArray[np.int8]:
    digits = np.arange(OPERATIONS, dtype=np.int32)[:, None] // _PLACES % 3
    tables = (digits - 1).astype(np.int8)
    tables.flags.writeable = False
    return tables


TABLES: Final = _all_tables()
"""All 19,683 operations in canonical order, int8, shape (19683, 9), read-only."""


class OperationSet:
    """An immutable set of operations.

    Two sets are equal exactly when their digests are, so a digest printed by one party can be
    recomputed by another.
    """

    __slots__ = ("_members",)

    def __init__(self, members: npt.NDArray[np.bool_]) -> None:
        """Wrap a membership mask, bool, shape (19683,); it is copied."""
        if members.shape != (OPERATIONS,) or members.dtype != np.bool_:
            raise InputError(
                f"operation set: mask is {members.dtype} {members.shape}, expected bool ({OPERATIONS},)"
            )
        self._members = members.copy()
        self._members.flags.writeable = False

    @classmethod
    def of(cls, indices: npt.ArrayLike) -> "OperationSet":
        """The set of the given canonical indices, shape (n,), repetitions allowed."""
        members = np.zeros(OPERATIONS, dtype=np.bool_)
        members[as_indices(indices)] = True
        return cls(members)

    @classmethod
    def from_bytes(cls, bitmap: bytes) -> "OperationSet":
        """Read a canonical bitmap.

        Raises:
            FormatError: If it is not 2,461 bytes long or a padding bit is set.
        """
        if len(bitmap) != BITMAP_BYTES:
            raise FormatError(f"bitmap: {len(bitmap)} bytes, expected {BITMAP_BYTES}")
        bits = np.unpackbits(np.frombuffer(bitmap, dtype=np.uint8), bitorder="little").astype(np.bool_)
        if bits[OPERATIONS:].any():
            raise FormatError("bitmap: a padding bit after operation 19682 is set, expected zeros")
        return cls(bits[:OPERATIONS])

    def __reduce__(self) -> tuple[Callable[[bytes], "OperationSet"], tuple[bytes]]:
        return type(self).from_bytes, (self.to_bytes(),)  # a pickled mask would forget that it is read-only

    def to_bytes(self) -> bytes:
        """The canonical bitmap, 2,461 bytes: operation i is bit i mod 8 of byte i // 8, low bits first."""
        return np.packbits(self._members, bitorder="little").tobytes()

    @property
    def mask(self) -> npt.NDArray[np.bool_]:
        """Membership of each operation, bool, shape (19683,), read-only."""
        return self._members

    @property
    def indices(self) -> npt.NDArray[np.int32]:
        """The members in ascending order, int32, shape (len(self),)."""
        return np.flatnonzero(self._members).astype(np.int32)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical bitmap, 64 lowercase hex digits."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def __len__(self) -> int:
        return int(np.count_nonzero(self._members))

    def __contains__(self, index: int) -> bool:
        return 0 <= index < OPERATIONS and bool(self._members[index])

    def __iter__(self) -> Iterator[int]:
        return iter(self.indices.tolist())

    def __or__(self, other: "OperationSet") -> "OperationSet":
        return OperationSet(self._members | other._members)

    def __sub__(self, other: "OperationSet") -> "OperationSet":
        return OperationSet(self._members & ~other._members)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OperationSet) and bool(np.array_equal(self._members, other._members))

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"OperationSet({len(self)} of {OPERATIONS}, sha256 {self.digest[:12]}…)"
