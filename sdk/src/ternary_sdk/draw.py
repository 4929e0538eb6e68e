"""
What a draw returns: operations, the latents that decode to them, and the digest of their set.
"""

from dataclasses import dataclass
from html import escape

import numpy as np
import numpy.typing as npt

from ternary_sdk.operations import OPERATIONS, TABLES, OperationSet

_SHOWN = 10


@dataclass(frozen=True, kw_only=True, eq=False)
class Draw:
    """Drawn operations, row by row.

    Two draws hold the same set of operations exactly when their digests are equal.
    """

    index: npt.NDArray[np.int32]
    """Canonical indices, shape (n,)."""

    latents: npt.NDArray[np.float32]
    """The latent that decodes to each operation, shape (n, 16)."""

    seed: int
    """The seed that gives the same rows again."""

    path: str
    """The path they were drawn from."""

    @property
    def operations(self) -> npt.NDArray[np.int8]:
        """Truth tables, trits in {-1, 0, +1}, shape (n, 9)."""
        return TABLES[self.index]

    @property
    def set(self) -> OperationSet:
        """The different operations among the rows."""
        return OperationSet.of(self.index)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical bitmap of the set, hex; docs/formats.md, section 1."""
        return self.set.digest

    def __len__(self) -> int:
        return len(self.index)

    def __repr__(self) -> str:
        return f"<Draw of {self._caption()}>"

    def _repr_html_(self) -> str:
        """A small table for notebooks: the first rows, each with its truth table."""
        cells = "".join(
            f"<tr><td>{number}</td><td><code>{_symbols(table)}</code></td></tr>"
            for number, table in zip(self.index[:_SHOWN], self.operations[:_SHOWN], strict=True)
        )
        more = f"<p>… and {len(self) - _SHOWN:,} more</p>" if len(self) > _SHOWN else ""
        return (
            f"<p>{escape(self._caption())}</p>"
            f"<table><tr><th>index</th><th>truth table</th></tr>{cells}</table>{more}"
        )

    def _caption(self) -> str:
        different = self.set
        return (
            f"{len(self):,} rows, {len(different):,} different operations of {OPERATIONS:,}, "
            f"path {self.path}, seed {self.seed}, digest {different.digest[:12]}…"
        )


def _symbols(table: npt.NDArray[np.int8]) -> str:
    return " ".join("-0+"[trit + 1] for trit in table.tolist())
