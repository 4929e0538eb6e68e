"""
What an operation must be: conditions, and what ``&``, ``|`` and ``~`` make of them.

A property such as *commutative* is a condition, and so is a partial table. Conditions say what holds of given
tables. Which operations of a whole space meet one is counted in ``counted``.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ternary_sdk.space import Space, Tables

__all__ = ["Both", "Condition", "Either", "Not"]

Mask = npt.NDArray[np.bool_]


class Condition(ABC):
    """What an operation must be.

    ``&``, ``|`` and ``~`` combine conditions. ``str`` writes one as ``--where`` reads it.
    """

    @abstractmethod
    def holds(self, tables: Tables, space: Space) -> Mask:
        """Which operations meet it.

        Args:
            tables: Truth tables, shape (n, cells).
            space: What they are operations of.
        Returns:
            Shape (n,).
        Raises:
            InputError: As ``check``.
        """

    def check(self, space: Space) -> None:  # noqa: B027
        """Refuse a space in which the condition means nothing, such as *commutative* with one input.

        Raises:
            InputError: Naming the condition and the space.
        """

    def __and__(self, other: "Condition") -> "Condition":
        return Both(self, other) if isinstance(other, Condition) else NotImplemented

    def __or__(self, other: "Condition") -> "Condition":
        return Either(self, other) if isinstance(other, Condition) else NotImplemented

    def __invert__(self) -> "Condition":
        return Not(self)

    def __bool__(self) -> bool:
        # `commutative and balanced` would silently be `balanced`.
        raise TypeError("a condition is neither true nor false: combine conditions with &, | and ~")


@dataclass(frozen=True)
class Both(Condition):
    """Two conditions that must both be met."""

    left: Condition
    right: Condition

    def holds(self, tables: Tables, space: Space) -> Mask:
        """Which operations meet both."""
        return self.left.holds(tables, space) & self.right.holds(tables, space)

    def check(self, space: Space) -> None:
        """Check both."""
        self.left.check(space)
        self.right.check(space)

    def __str__(self) -> str:
        return f"{_within(self.left, Either)} & {_within(self.right, Either, Both)}"


@dataclass(frozen=True)
class Either(Condition):
    """Two conditions of which one must be met."""

    left: Condition
    right: Condition

    def holds(self, tables: Tables, space: Space) -> Mask:
        """Which operations meet one of them."""
        return self.left.holds(tables, space) | self.right.holds(tables, space)

    def check(self, space: Space) -> None:
        """Check both."""
        self.left.check(space)
        self.right.check(space)

    def __str__(self) -> str:
        return f"{self.left} | {_within(self.right, Either)}"


@dataclass(frozen=True)
class Not(Condition):
    """A condition that must not be met."""

    inner: Condition

    def holds(self, tables: Tables, space: Space) -> Mask:
        """Which operations do not meet it."""
        return ~self.inner.holds(tables, space)

    def check(self, space: Space) -> None:
        """Check what must not be met."""
        self.inner.check(space)

    def __str__(self) -> str:
        return f"not {_within(self.inner, Either, Both)}"


def _within(condition: Condition, *looser: type[Condition]) -> str:
    return f"({condition})" if isinstance(condition, looser) else str(condition)
