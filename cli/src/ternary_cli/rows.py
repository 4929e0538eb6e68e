"""
Operations and latents side by side, and the names of their columns.

The names of the columns are the contract that lets ``sample``, ``encode`` and ``decode`` be piped into
one another: ``index``, the cells ``t0``, ``t1``, …, the latents ``z0``, ``z1``, … in CSV; ``index``,
``operation``, ``latent`` in JSON lines, Parquet and Arrow. A model's signature says how
many there are. ``formats`` writes them. A reader (``row_reader``) takes the columns that it needs, and
passes those of other people on.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ternary_cli.extra_columns import Column
from ternary_cli.kinds import cell_columns, latent_columns
from ternary_sdk.space import Indices, Space, Tables

Values = npt.NDArray[Any]

_BLOCK: Final = 65_536
_INDEX: Final = ("index",)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """What a command prints, side by side; every array has n rows."""

    index: Indices | None = None
    """Canonical indices, shape (n,)."""
    figures: Mapping[str, Values] = field(default_factory=dict)
    """What is said of each operation besides, such as a distance: by name of the column, shape (n,)."""
    operations: Tables | None = None
    """Truth tables, shape (n, cells)."""
    latents: npt.NDArray[np.float32] | None = None
    """Latents, shape (n, latent size)."""
    space: Space | None = None
    """What an index numbers; None where there is none."""
    extra: Mapping[str, Column] = field(default_factory=dict)
    """Columns of other people by name, n values each; they follow ours."""

    @property
    def count(self) -> int:
        """How many rows there are."""
        return max(len(array) for _, array in self.groups)

    @property
    def groups(self) -> list[tuple[Sequence[str], Values]]:
        """The arrays that are there, shape (n, columns) each, with the names of their columns."""
        groups: list[tuple[Sequence[str], Values]] = []
        if self.index is not None:
            groups.append((_INDEX, self.index[:, None]))
        groups += [((name,), values[:, None]) for name, values in self.figures.items()]
        if self.operations is not None:
            groups.append((cell_columns(self.operations.shape[1]), self.operations))
        if self.latents is not None:
            groups.append((latent_columns(self.latents.shape[1]), self.latents))
        return groups

    def digits(self, names: Sequence[str]) -> int:
        """Width of columns of whole numbers in a table: the same in each part, so not that of its numbers."""
        largest = str(self.space.size - 1) if self.space is not None and names == _INDEX else ""
        return max(map(len, (*names, largest)))

    def blocks(self) -> Iterator["Rows"]:
        """The same rows in parts, at least one: as text they take up to fifty times the memory."""
        for start in range(0, max(1, self.count), _BLOCK):
            end = start + _BLOCK
            yield Rows(
                index=None if self.index is None else self.index[start:end],
                figures={name: values[start:end] for name, values in self.figures.items()},
                operations=None if self.operations is None else self.operations[start:end],
                latents=None if self.latents is None else self.latents[start:end],
                space=self.space,
                extra={name: column[start:end] for name, column in self.extra.items()},
            )
