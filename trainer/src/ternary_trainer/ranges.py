"""
The range of a number in a recipe, written beside its type: ``Annotated[float, Within(0, 100)]``.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Within:
    """From which number to which, both included."""

    least: float
    most: float

    def problem(self, value: float) -> str | None:
        """What is wrong with a value, as 'is …, expected …', or None."""
        if self.least <= value <= self.most:
            return None
        return f"is {value}, expected {self.least:g} to {self.most:g}"
