"""
Erasing personal data from the audit log, so that its chains still verify.

The detail of an erased row is gone; its hash stays, so the rows beside it still follow each other. A later
row of the same stream, of the action ``customer.anonymise``, states for each erased row a hash of all that is
left of it. So nobody can edit an erased row, or erase another, without writing a row that the chain's head
shows.
"""

from typing import Final

from sqlalchemy import update

from ternary_license_server.database.schema import audit as audit_rows
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import audit
from ternary_license_server.service.audit import Entry
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk.errors import FormatError

ACTION: Final = "customer.anonymise"
"""Of rows that state which rows before them were erased."""
_PERSONAL: Final = ("customer.add", "customer.edit")
"""Actions whose detail has names."""


def erase(transaction: Transaction, stream: str) -> dict[str, Json]:
    """Erase what is personal in a stream.

    Returns:
        The detail of the row that states what was erased, which the caller appends.
    """
    erased: dict[str, Json] = {}
    for entry in audit.entries(transaction, stream):
        if entry.action in _PERSONAL:
            this = (audit_rows.c.stream == stream) & (audit_rows.c.number == entry.number)
            transaction.execute(update(audit_rows).where(this).values(detail=audit.ERASED))
            erased[str(entry.number)] = entry.remains()
    return {"erased": erased}


def stated(entry: Entry) -> dict[str, Json]:
    """What a row states as erased: by a row's number, the hash of what is left of it.

    A row that was edited, or is no statement, states nothing.
    """
    if entry.action != ACTION or entry.expected_hash() != entry.hash:
        return {}
    try:
        detail = canonical.decode(entry.detail.encode(), "audit")
    except FormatError:
        return {}
    erased = detail.get("erased") if isinstance(detail, dict) else None
    return erased if isinstance(erased, dict) else {}


def is_stated(transaction: Transaction, entry: Entry) -> bool:
    """Whether a later row of the same stream states a row as erased."""
    later = audit.ROWS.where(
        audit_rows.c.stream == entry.stream,
        audit_rows.c.number > entry.number,
        audit_rows.c.action == ACTION,
    )
    return any(
        stated(one).get(str(entry.number)) == entry.remains() for one in audit.read(transaction, later)
    )
