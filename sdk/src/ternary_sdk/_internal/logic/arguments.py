"""
Conditions that take an argument: ``preserves(0)``, ``preserves({-1,1})``, ``reversible(1)``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from ternary_sdk._internal.logic import completeness, lines
from ternary_sdk._internal.logic.conditions import Condition, Mask
from ternary_sdk._internal.logic.digits import digits_of
from ternary_sdk.errors import InputError
from ternary_sdk.space import Space, Tables

__all__ = ["WITH_ARGUMENT", "Preserves", "Reversible", "preserves", "reversible"]

WITH_ARGUMENT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "preserves(0)": "Inputs that all are among some values give a result among them.",
        "reversible(1)": "One input, counted from 1, is known from the result and the other inputs.",
        "like(-,?,+/?,0,?/?,?,-)": "Some cells of the table have given values.",
    }
)
"""What is written with an argument: an example of each, and its meaning in one sentence."""


@dataclass(frozen=True)
class Preserves(Condition):
    """Inputs from a set of values give a result in that set."""

    values: tuple[int, ...]
    """The values, ascending, each once."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(sorted(set(self.values))))
        if not self.values:
            raise InputError("preserves: no value, expected at least one, such as preserves(0)")

    def holds(self, tables: Tables, space: Space) -> Mask:
        """Which operations keep the set; shapes (n, cells) and (n,)."""
        self.check(space)
        subset = tuple(value - space.lowest for value in self.values)
        return completeness.preserves(digits_of(tables, space), space, subset)

    def check(self, space: Space) -> None:
        """Refuse a space that lacks one of the values.

        Raises:
            InputError: If it does.
        """
        known = ", ".join(map(str, space.values))
        for value in self.values:
            if value not in space.values:
                raise InputError(f"{self}: {value} is not a value of the space {space}, expected {known}")

    def __str__(self) -> str:
        text = ",".join(map(str, self.values))
        return f"preserves({text})" if len(self.values) == 1 else f"preserves({{{text}}})"


@dataclass(frozen=True)
class Reversible(Condition):
    """One input is known from the result and the other inputs."""

    input: int
    """Which, counted from 1."""

    def __post_init__(self) -> None:
        if self.input < 1:
            raise InputError(f"reversible: input is {self.input}, expected at least 1")

    def holds(self, tables: Tables, space: Space) -> Mask:
        """Which operations are; shapes (n, cells) and (n,)."""
        self.check(space)
        return lines.reversible(digits_of(tables, space), space, self.input - 1)

    def check(self, space: Space) -> None:
        """Refuse a space that has fewer inputs.

        Raises:
            InputError: If it has.
        """
        if self.input > space.inputs:
            many = "1 input" if space.inputs == 1 else f"{space.inputs} inputs"
            raise InputError(f"{self}: the space {space} has {many}")

    def __str__(self) -> str:
        return f"reversible({self.input})"


def preserves(*values: int) -> Preserves:
    """Inputs among some values give a result among them, as ``--where 'preserves({-1,1})'``.

    Raises:
        InputError: If there is no value.
    """
    return Preserves(values)


def reversible(place: int) -> Reversible:
    """One input, counted from 1, is known from the result and the other inputs.

    Raises:
        InputError: If it is less than 1.
    """
    return Reversible(place)
