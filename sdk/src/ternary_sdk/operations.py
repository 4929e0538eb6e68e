"""
Operations by number, and sets of them.

Certificates, draws and usage reports refer to sets of operations by the digest of a bitmap; this module alone
defines it. Changing it breaks every certificate ever issued.
"""

import hashlib
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from ternary_sdk.errors import FormatError, InputError
from ternary_sdk.space import TERNARY_2, Indices, Space, Tables

__all__ = ["OperationSet", "from_index", "to_index"]


def to_index(tables: npt.ArrayLike, space: Space = TERNARY_2) -> Indices:
    """``Space.to_index``: truth tables, shape (n, cells), to canonical indices, shape (n,)."""
    return space.to_index(tables)


def from_index(indices: npt.ArrayLike, space: Space = TERNARY_2) -> Tables:
    """``Space.from_index``: canonical indices, shape (n,), to truth tables, shape (n, cells)."""
    return space.from_index(indices)


class OperationSet:
    """An immutable set of operations of one listed space.

    Two sets of a space are equal exactly when their digests are, so a digest printed by one party can be
    recomputed by another. ``|``, ``&``, ``-``, ``^``, ``<=`` and ``<`` mean what they mean for Python's sets;
    between sets of two spaces they raise InputError.
    """

    __slots__ = ("_members", "_space")

    def __init__(self, members: npt.NDArray[np.bool_], space: Space = TERNARY_2) -> None:
        """Wrap a membership mask, bool, shape (space.size,); it is copied.

        Raises:
            InputError: If the mask is of another form, or the space is vast.
        """
        space.expect_listed()
        members = np.asarray(members)
        if members.shape != (space.size,) or members.dtype != np.bool_:
            raise InputError(
                f"operation set: mask is {members.dtype} {members.shape}, expected bool ({space.size},)"
            )
        self._space = space
        self._members = members.copy()
        self._members.flags.writeable = False

    @classmethod
    def of(cls, indices: npt.ArrayLike, space: Space = TERNARY_2) -> "OperationSet":
        """The set of the given canonical indices, shape (n,), repetitions allowed.

        Raises:
            InputError: If an entry is no index of the space, or the space is vast.
        """
        space.expect_listed()
        members = np.zeros(space.size, dtype=np.bool_)
        members[space.as_indices(indices)] = True
        return cls(members, space)

    @classmethod
    def from_bytes(cls, bitmap: bytes, space: Space = TERNARY_2) -> "OperationSet":
        """Read a canonical bitmap.

        Raises:
            FormatError: If it is not ``space.bitmap_bytes`` long or a padding bit is set.
            InputError: If the space is vast.
        """
        if len(bitmap) != space.bitmap_bytes:
            raise FormatError(f"bitmap: {len(bitmap)} bytes, expected {space.bitmap_bytes}")
        bits = np.unpackbits(np.frombuffer(bitmap, dtype=np.uint8), bitorder="little").astype(np.bool_)
        if bits[space.size :].any():
            raise FormatError(
                f"bitmap: a padding bit after operation {space.size - 1} is set, expected zeros"
            )
        return cls(bits[: space.size], space)

    def __reduce__(self) -> tuple[Callable[[bytes, Space], "OperationSet"], tuple[bytes, Space]]:
        # A pickled mask would forget that it is read-only.
        return type(self).from_bytes, (self.to_bytes(), self._space)

    def to_bytes(self) -> bytes:
        """The canonical bitmap: operation i is bit i mod 8 of byte i // 8, low bits first."""
        return np.packbits(self._members, bitorder="little").tobytes()

    @property
    def space(self) -> Space:
        """What its members are operations of."""
        return self._space

    @property
    def mask(self) -> npt.NDArray[np.bool_]:
        """Membership of each operation, bool, shape (space.size,), read-only."""
        return self._members

    @property
    def indices(self) -> Indices:
        """The members in ascending order, int32, shape (len(self),)."""
        return np.flatnonzero(self._members).astype(self._space.index_type)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical bitmap, 64 lowercase hex digits."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def __len__(self) -> int:
        return int(np.count_nonzero(self._members))

    def __contains__(self, index: object) -> bool:
        if not isinstance(index, int | np.integer) or isinstance(index, bool):
            return False
        return 0 <= int(index) < self._space.size and bool(self._members[index])

    def __iter__(self) -> Iterator[int]:
        return iter(self.indices.tolist())

    def __or__(self, other: "OperationSet") -> "OperationSet":
        return OperationSet(self._members | self._of_same(other), self._space)

    def __and__(self, other: "OperationSet") -> "OperationSet":
        return OperationSet(self._members & self._of_same(other), self._space)

    def __xor__(self, other: "OperationSet") -> "OperationSet":
        return OperationSet(self._members ^ self._of_same(other), self._space)

    def __sub__(self, other: "OperationSet") -> "OperationSet":
        return OperationSet(self._members & ~self._of_same(other), self._space)

    def __le__(self, other: "OperationSet") -> bool:
        return not (self._members & ~self._of_same(other)).any()

    def __lt__(self, other: "OperationSet") -> bool:
        return self <= other and self != other

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, OperationSet)
            and self._space == other._space
            and bool(np.array_equal(self._members, other._members))
        )

    def __hash__(self) -> int:
        return hash((self._space, self.digest))

    def __repr__(self) -> str:
        of = "" if self._space == TERNARY_2 else f", space {self._space}"
        return f"OperationSet({len(self)} of {self._space.size}, sha256 {self.digest[:12]}…{of})"

    def _of_same(self, other: "OperationSet") -> npt.NDArray[np.bool_]:
        """The other's mask, if they are of one space."""
        if not isinstance(other, OperationSet):
            raise InputError(f"operation set: cannot be combined with {type(other).__name__}")
        if other._space != self._space:
            raise InputError(
                f"operation sets: of the spaces {self._space} and {other._space}, expected one space"
            )
        return other._members
