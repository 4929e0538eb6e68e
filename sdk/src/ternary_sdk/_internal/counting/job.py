"""
What a count is of, and the names of its files.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from ternary_sdk._internal.certificates.merkle import BLOCK_ROWS
from ternary_sdk._internal.counting.plan import Plan
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.release import computed_with
from ternary_sdk._internal.streams.stream import CURRENT, PRIOR
from ternary_sdk.signature import Signature

_LAYOUT: Final = 2
"""Of the files. They never outlive a count, so a release reads only its own."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One count: rows 0 to draws - 1 of domain 0."""

    decoder: str
    """SHA-256 of the decoder's ONNX bytes, hex."""

    signature: Signature
    """What the decoder is of."""

    seed: int
    """Of the stream, in [0, 2^64)."""

    draws: int
    """How many rows, at least 1."""

    positions: bool = False
    """Whether the result says where the near ties are; the files of tasks do in any case."""

    @property
    def plan(self) -> Plan:
        """Its tasks and partitions."""
        return Plan(self.signature.space, self.draws)

    @property
    def digest(self) -> str:
        """What a task's result depends on beside its place, hex: results of another count have another."""
        described: dict[str, Json] = {
            "computed_with": dict(computed_with()),
            "decoder": self.decoder,
            "domain": PRIOR,
            "latent_size": self.signature.latent_size,
            "layout": _LAYOUT,
            "partitions": self.plan.partitions,
            "seed": f"{self.seed:016x}",
            "space": self.signature.space.to_json(),
            "stream": CURRENT.version,
        }
        return hashlib.sha256(canonical.encode(described)).hexdigest()

    def file_of(self, task: int) -> str:
        """The name of a task's result: its first block, its rows, and the digest."""
        first = self.plan.start_of(task) // BLOCK_ROWS
        return f"draws-{first:010d}-{self.plan.rows_of(task)}-{self.digest[:32]}"

    def task_of(self, name: str) -> int | None:
        """The task whose result has this name; nothing if it is another file's."""
        parts = name.split("-")
        if parts[0] != "draws" or len(parts) != 4 or not parts[1].isdecimal():
            return None
        task = int(parts[1]) * BLOCK_ROWS // self.plan.rows
        return task if task < self.plan.tasks and name == self.file_of(task) else None

    @property
    def result(self) -> str:
        """The name of the result of the whole count."""
        return f"count-{self.draws}-{self.digest[:32]}{'-positions' if self.positions else ''}"
