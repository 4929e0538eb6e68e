"""
The audit log: read and verified.
"""

from contextlib import closing
from itertools import islice
from typing import Annotated, Final

from fastapi import Query, Response
from pydantic import Field

from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import audit, auditing, checkpoints
from ternary_license_server.web.admin.gate import Limit, Look, resource
from ternary_license_server.web.bodies import Given
from ternary_sdk._internal.documents.canonical import Json

router = resource()
MOST: Final = 1000
"""Most faults that one answer names."""
Token = Annotated[
    str | None,
    Query(max_length=4096, pattern=r"^[A-Za-z0-9_.-]+$", description="A signed checkpoint of this database."),
]
Stream = Annotated[str | None, Query(max_length=200, pattern="^[A-Za-z0-9 ._-]+$")]
AfterRow = Annotated[
    str | None,
    Query(
        max_length=210,
        pattern="^[A-Za-z0-9 ._-]+ [0-9]{1,9}$",
        description="Begin after this row: its stream, a blank and its number.",
    ),
]


class AuditEntry(Given):
    """One row of the audit log."""

    stream: str
    number: int
    at: int
    actor: str
    action: str
    detail: str
    previous: str
    hash: str


class AuditVerdict(Given):
    """Whether the audit log is whole."""

    entries: int
    head: Annotated[str, Field(description="One hash over all chains; keep it elsewhere and compare.")]
    faults: list[str]


@router.get("/audit", response_model=list[AuditEntry])
def entries(asked: Look, stream: Stream = None, after: AfterRow = None, limit: Limit = 100) -> Response:
    """Rows of the audit log, by stream and number: of one license or other matter, or of all."""
    place = None
    if after is not None:
        before, _, number = after.rpartition(" ")
        place = before, int(number)
    return asked.look(lambda t: [vars(entry) for entry in audit.entries(t, stream, limit, after=place)])


@router.get("/audit/verify", response_model=AuditVerdict)
def verify(asked: Look, checkpoint: Token = None) -> Response:
    """Check every chain of the audit log, or what came after its newest checkpoint; name each wrong row."""
    ring = asked.server.vendor.ring

    def work(transaction: Transaction) -> Json:
        number, head = auditing.summary(transaction)
        wrong = auditing.faults(transaction)
        if checkpoint is not None:
            wrong = checkpoints.faults(transaction, ring.trust, checkpoint.encode())
        with closing(wrong):
            return {"entries": number, "head": head, "faults": list(islice(wrong, MOST))}

    return asked.look(work)
