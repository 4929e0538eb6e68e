"""
The entries of a meter: what was added to it or taken back from it, with the date. They are never changed.

What was added is kept alone, as the gaps of its numbers or as a bitmap of its space, whichever is shorter.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select

from ternary_license_server.database.schema import meter_entries
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service.records import seconds
from ternary_license_server.service.segments import LARGEST
from ternary_sdk._internal.documents import gaps
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Space


@dataclass(frozen=True, kw_only=True)
class Account:
    """Whose meter an entry is of, and on whose report."""

    license: str
    customer: str
    lease: str | None
    """The lease's number; None where it is not known."""


def enter(
    transaction: Transaction,
    account: Account,
    operations: OperationSet,
    now: datetime,
    *,
    late: bool = False,
    taken_back: bool = False,
) -> None:
    """Write what was added to a meter, or taken back from it; nothing if that is nothing.

    Args:
        transaction: With the license's row locked.
        account: Whose meter.
        operations: What changed.
        now: When.
        late: Whether the lease that reported it was not held any more.
        taken_back: Whether it was taken back.
    """
    last = select(func.max(meter_entries.c.number)).where(meter_entries.c.license == account.license)
    number = transaction.execute(last).scalar_one() or 0
    common = {**vars(account), "received": seconds(now), "late": late, "space": str(operations.space)}
    numbers = operations.indices
    for start in range(0, len(numbers), LARGEST):
        part, number = numbers[start : start + LARGEST], number + 1
        count = {"number": number, "operations": -len(part) if taken_back else len(part)}
        transaction.execute(insert(meter_entries), common | count | written(part, operations.space))


def read(row: Any, space: Space) -> OperationSet:
    """The operations of an entry, from its ``bitmap`` and ``gaps``."""
    if row.gaps is None:
        return OperationSet.from_bytes(bytes(row.bitmap), space)
    what = f"entry of {abs(row.operations)} operations"
    numbers = gaps.decode(bytes(row.gaps), below=space.size, most=abs(row.operations), what=what)
    return OperationSet.of(numbers, space)


def written(numbers: gaps.Numbers, space: Space) -> dict[str, bytes | None]:
    """Some operations as a row has them: ``bitmap`` and ``gaps``. Inverse of ``read``."""
    data = gaps.encode(numbers.astype("int64", copy=False))
    if space.listed and space.bitmap_bytes <= len(data):
        return {"bitmap": OperationSet.of(numbers, space).to_bytes(), "gaps": None}
    return {"bitmap": b"", "gaps": data}
