"""
Operations by number, and sets of them.

Certificates, draws and usage reports refer to sets of operations by their digest; this module alone defines
it. Changing it breaks every certificate ever issued.
"""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal import ascending
from ternary_sdk._internal.documents import gaps
from ternary_sdk.errors import FormatError, InputError
from ternary_sdk.space import TERNARY_2, Indices, Space, Tables

__all__ = ["OperationSet", "from_index", "to_index"]

_Join: TypeAlias = Callable[[npt.NDArray[Any], npt.NDArray[Any]], npt.NDArray[Any]]


def to_index(tables: npt.ArrayLike, space: Space = TERNARY_2) -> Indices:
    """``Space.to_index``: truth tables, shape (n, cells), to canonical indices, shape (n,)."""
    return space.to_index(tables)


def from_index(indices: npt.ArrayLike, space: Space = TERNARY_2) -> Tables:
    """``Space.from_index``: canonical indices, shape (n,), to truth tables, shape (n, cells)."""
    return space.from_index(indices)


class OperationSet:
    """An immutable set of operations of one space.

    Two sets of a space are equal exactly when their digests are, so a digest printed by one party can be
    recomputed by another. ``|``, ``&``, ``-``, ``^``, ``<=`` and ``<`` mean what they mean for Python's sets;
    between sets of two spaces they raise InputError.

    A set of a listed space is a mask over all its operations, and its form is a bitmap. A set of a vast space
    is its members in ascending order, and its form is their gaps.
    """

    __slots__ = ("_members", "_space")

    _members: npt.NDArray[Any]
    """A mask, bool, shape (space.size,), of a listed space; else the members, int64, ascending."""

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
        self._hold(members.copy(), space)

    def _hold(self, members: npt.NDArray[Any], space: Space) -> Self:
        self._space = space
        self._members = members
        self._members.flags.writeable = False
        return self

    @classmethod
    def of(cls, indices: npt.ArrayLike, space: Space = TERNARY_2) -> "OperationSet":
        """The set of the given canonical indices, shape (n,), in any order, repetitions allowed.

        Raises:
            InputError: If an entry is no index of the space.
        """
        checked = space.as_indices(indices)
        if not space.listed:
            return cls.__new__(cls)._hold(ascending.distinct(checked), space)
        members = np.zeros(space.size, dtype=np.bool_)
        members[checked] = True
        return cls.__new__(cls)._hold(members, space)

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

    @classmethod
    def from_gaps(
        cls, data: bytes, space: Space, *, most: int, what: str = "operation set"
    ) -> "OperationSet":
        """Read the gaps of a set of a vast space, as ``to_gaps`` writes them.

        Args:
            data: The gaps.
            space: What the members are operations of.
            most: How many members there may be.
            what: Its name in error messages.
        Raises:
            FormatError: If they are not such gaps, or hold more members, or one that is no operation.
            InputError: If the space is listed.
        """
        _expect_vast(space)
        members = gaps.decode(data, below=space.size, most=most, what=what)
        return cls.__new__(cls)._hold(members, space)

    def __reduce__(self) -> tuple[Callable[..., "OperationSet"], tuple[Any, ...]]:
        # A pickled array would forget that it is read-only.
        if self._space.listed:
            return type(self).from_bytes, (self.to_bytes(), self._space)
        return type(self).of, (self._members, self._space)

    def to_bytes(self) -> bytes:
        """The canonical bitmap: operation i is bit i mod 8 of byte i // 8, low bits first.

        Raises:
            InputError: If the space is vast.
        """
        return np.packbits(self.mask, bitorder="little").tobytes()

    def to_gaps(self) -> bytes:
        """How far each member is from the one before; docs/formats.md, section 1.

        Raises:
            InputError: If the space is listed.
        """
        _expect_vast(self._space)
        return gaps.encode(self._members)

    @property
    def space(self) -> Space:
        """What its members are operations of."""
        return self._space

    @property
    def mask(self) -> npt.NDArray[np.bool_]:
        """Membership of each operation, bool, shape (space.size,), read-only.

        Raises:
            InputError: If the space is vast.
        """
        self._space.expect_listed()
        return self._members

    @property
    def indices(self) -> Indices:
        """The members in ascending order, int32 or int64, shape (len(self),)."""
        members = np.flatnonzero(self._members) if self._space.listed else self._members
        return members.astype(self._space.index_type, copy=False)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical bitmap, 64 lowercase hex digits. In a vast space it is that of the members
        in ascending order, each in 8 bytes, little-endian."""
        if self._space.listed:
            return hashlib.sha256(self.to_bytes()).hexdigest()
        return hashlib.sha256(self._members.astype("<i8", copy=False).data).hexdigest()

    def __len__(self) -> int:
        return int(np.count_nonzero(self._members)) if self._space.listed else len(self._members)

    def __contains__(self, index: object) -> bool:
        if not isinstance(index, int | np.integer) or isinstance(index, bool):
            return False
        if not 0 <= int(index) < self._space.size:
            return False
        if self._space.listed:
            return bool(self._members[index])
        return bool(ascending.contains(self._members, np.array([index], np.int64))[0])

    def __iter__(self) -> Iterator[int]:
        return iter(self.indices.tolist())

    def __or__(self, other: "OperationSet") -> "OperationSet":
        return self._joined(other, np.logical_or, ascending.union)

    def __and__(self, other: "OperationSet") -> "OperationSet":
        return self._joined(other, np.logical_and, ascending.common)

    def __xor__(self, other: "OperationSet") -> "OperationSet":
        return self._joined(other, np.logical_xor, ascending.either)

    def __sub__(self, other: "OperationSet") -> "OperationSet":
        return self._joined(other, np.greater, ascending.minus)  # true and not false

    def __le__(self, other: "OperationSet") -> bool:
        return not len(self - other)

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

    def _joined(self, other: "OperationSet", of_masks: _Join, of_ascending: _Join) -> "OperationSet":
        """What a function makes of both sets' members, if they are of one space."""
        if not isinstance(other, OperationSet):
            raise InputError(f"operation set: cannot be combined with {type(other).__name__}")
        if other._space != self._space:
            raise InputError(
                f"operation sets: of the spaces {self._space} and {other._space}, expected one space"
            )
        join = of_masks if self._space.listed else of_ascending
        # A set is a new object even where its array is one of the two.
        return OperationSet.__new__(OperationSet)._hold(join(self._members, other._members), self._space)


def _expect_vast(space: Space) -> None:
    if space.listed:
        raise InputError(f"{space}: its {space.size:,} operations are listed, so its sets are bitmaps")
