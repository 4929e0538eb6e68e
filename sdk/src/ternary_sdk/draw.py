"""
What a draw returns: operations, the latents that decode to them, and the digest of their set.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.logic.codes import to_code
from ternary_sdk._internal.logic.square_pictures import inline
from ternary_sdk._internal.optional import library
from ternary_sdk.errors import InputError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2, Indices, Space, Tables

if TYPE_CHECKING:
    import pandas
    import pyarrow

__all__ = ["Draw"]

_SHOWN: Final = 10


@dataclass(frozen=True, kw_only=True, eq=False)
class Draw:
    """Drawn operations, row by row.

    Two draws hold the same set of operations exactly when their digests are equal. Its arrays are read-only,
    since its digest and Arrow tables made of it speak of them; take a ``copy()`` of one to write to.
    """

    index: Indices
    """Canonical indices, shape (n,), read-only."""

    latents: npt.NDArray[np.float32]
    """The latent that decodes to each operation, shape (n, latent_size), read-only."""

    seed: int
    """The seed that gives the same rows again; on another machine but for near ties, see ``Model.sample``."""

    path: str
    """The path they were drawn from."""

    space: Space = TERNARY_2
    """What they are operations of."""

    def __post_init__(self) -> None:
        for name, held in (("index", self.index), ("latents", self.latents)):
            view = held.view()
            view.flags.writeable = False
            object.__setattr__(self, name, view)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__post_init__()  # a pickled array forgets that it was read-only

    @property
    def operations(self) -> Tables:
        """Truth tables, values of the space, shape (n, cells), looked up anew each time.

        The last input varies fastest: for (3, 2), column 3·(a + 1) + (b + 1) holds f(a, b).
        """
        return self.space.from_index(self.index)

    @property
    def set(self) -> OperationSet:
        """The different operations among the rows."""
        return OperationSet.of(self.index, self.space)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical bitmap of the set, hex; docs/formats.md, section 1."""
        return self.set.digest

    def to_pandas(self) -> "pandas.DataFrame":
        """A data frame of the truth tables: columns t0, t1, …, one row per operation, labelled by index.

        The last input varies fastest: for (3, 2), column t[3·(a + 1) + (b + 1)] holds f(a, b).

        Raises:
            InputError: If pandas is not installed.
        """
        frame = library("pandas")
        columns = [f"t{cell}" for cell in range(self.space.cells)]
        labels = frame.Index(self.index, name="index")
        return frame.DataFrame(self.operations, columns=columns, index=labels, copy=False)

    def to_arrow(self) -> "pyarrow.Table":
        """An Arrow table of ``index``, ``operation`` (lists of int8) and ``latent`` (lists of float32).

        ``index`` and ``latent`` share this draw's memory.

        Raises:
            InputError: If pyarrow is not installed.
        """
        arrow = library("pyarrow")

        def rows(values: npt.NDArray[Any], size: int) -> "pyarrow.Array":
            return arrow.FixedSizeListArray.from_arrays(arrow.array(values.reshape(-1)), size)

        return arrow.table(
            {
                "index": arrow.array(self.index),
                "operation": rows(self.operations, self.space.cells),
                "latent": rows(self.latents, self.latents.shape[1]),
            }
        )

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        """The truth tables, for ``numpy.asarray``; looked up by index, so they share no memory.

        Raises:
            InputError: If they must not be copied.
        """
        if copy is False:
            raise InputError("copy: False, expected None or True: a draw keeps indices, not truth tables")
        return self.operations if dtype is None else self.operations.astype(dtype)

    def __len__(self) -> int:
        return len(self.index)

    def __repr__(self) -> str:
        return f"<Draw of {self._caption()}>"

    def _repr_html_(self) -> str:
        """A small table for notebooks: the first rows, each with its code and its square."""
        shown = self.index[:_SHOWN]
        rows = "".join(
            f"<tr><td>{number}</td><td><code>{to_code(number, self.space)}</code></td>"
            f"<td>{inline(table, self.space, title=f'operation {number}')}</td></tr>"
            for number, table in zip(shown.tolist(), self.space.from_index(shown), strict=True)
        )
        heads = "<tr><th>index</th><th>code</th><th>operation</th></tr>"
        more = f"<p>… and {len(self) - _SHOWN:,} more</p>" if len(self) > _SHOWN else ""
        return f"<p>{self._caption()}</p><table>{heads}{rows}</table>{more}"

    def _caption(self) -> str:
        different = self.set
        return (
            f"{len(self):,} rows, {len(different):,} different operations of {self.space.size:,}, "
            f"path {self.path}, seed {self.seed}, digest {different.digest[:12]}…"
        )
