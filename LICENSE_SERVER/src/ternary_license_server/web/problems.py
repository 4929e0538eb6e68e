"""
Refusals as RFC 9457 problem details: one status for each reason, one sentence, no internals.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from ternary_license_server.database.clock import ClockError
from ternary_license_server.database.engine import DatabaseError, RowConflictError
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_license_server.web.exports import NoRoomError
from ternary_sdk._internal.documents import canonical
from ternary_sdk.errors import FormatError, InputError, LicenseError, Reason, SignatureError, TernaryError

MEDIA_TYPE: Final = "application/problem+json"
TYPE: Final = "urn:ternary:problem:"


class Web(StrEnum):
    """Why HTTP itself refuses."""

    NO_SUCH_PATH = "NO_SUCH_PATH"
    WRONG_METHOD = "WRONG_METHOD"
    TOO_SLOW = "TOO_SLOW"
    TOO_LARGE = "TOO_LARGE"
    TOO_MANY_REQUESTS = "TOO_MANY_REQUESTS"
    UNAVAILABLE = "UNAVAILABLE"
    CLOCK_IN_DOUBT = "CLOCK_IN_DOUBT"
    INTERNAL = "INTERNAL"


_STATUS: Final[dict[str, int]] = {
    Reason.MALFORMED: 400,
    Reason.SIGNATURE_INVALID: 400,
    Reason.NOT_FOUND: 404,
    Reason.TOO_MANY_MACHINES: 409,
    Reason.LEASE_LOST: 409,
    Code.INVALID: 422,
    Code.UNKNOWN: 404,
    Code.CONFLICT: 409,
    Code.IDEMPOTENCY_MISMATCH: 422,
    Code.STALE_REQUEST: 400,
    Code.UNAUTHENTICATED: 401,
    Code.FORBIDDEN: 403,
    Code.LIST_FULL: 409,
    Code.SEND_ALL: 409,
    Code.TRY_LATER: 503,
    Web.NO_SUCH_PATH: 404,
    Web.WRONG_METHOD: 405,
    Web.TOO_SLOW: 408,
    Web.TOO_LARGE: 413,
    Web.TOO_MANY_REQUESTS: 429,
    Web.UNAVAILABLE: 503,
    Web.CLOCK_IN_DOUBT: 503,
    Web.INTERNAL: 500,
}


@dataclass(frozen=True, kw_only=True)
class Problem:
    """An answer that refuses."""

    code: str
    """Our reason code."""
    detail: str
    """One sentence."""
    headers: dict[str, str] = field(default_factory=dict)
    """Further headers, such as ``Retry-After``."""

    @property
    def status(self) -> int:
        """The HTTP status; 403 for every reason of a license that has none of its own."""
        return _STATUS.get(self.code, 403)

    @property
    def body(self) -> bytes:
        """The problem details."""
        detail = self.detail.encode("utf-8", "replace").decode()
        return canonical.encode(
            {
                "type": TYPE + self.code,
                "title": self.code.replace("_", " ").capitalize(),
                "status": self.status,
                "detail": detail,
                "code": self.code,
            }
        )


def of(refusal: TernaryError) -> Problem:
    """The problem that a refusal is."""
    match refusal:
        case ServiceError(code=Code.TRY_LATER):
            return Problem(code=Code.TRY_LATER, detail=str(refusal), headers={"Retry-After": "3600"})
        case LicenseError() | ServiceError():
            return Problem(code=str(refusal.code), detail=str(refusal))
        case RowConflictError():
            return Problem(
                code=Code.CONFLICT, detail="somebody else made the same thing just before; look again"
            )
        case DatabaseError():
            return unavailable("the server's database does not answer; try again")
        case NoRoomError():
            return unavailable("the server's disk has no room for the answer; try again, or ask for less")
        case ClockError():
            return Problem(
                code=Web.CLOCK_IN_DOUBT,
                detail="the server's clock has jumped; its operator must set it right or confirm it",
                headers={"Retry-After": "60"},
            )
        case SignatureError():
            return Problem(code=Reason.SIGNATURE_INVALID, detail=str(refusal))
        case FormatError():
            return Problem(code=Reason.MALFORMED, detail=str(refusal))
        case InputError():
            return Problem(code=Code.INVALID, detail=str(refusal))
        case _:
            return Problem(code=Web.INTERNAL, detail="the server failed; the vendor finds it in the log")


def unavailable(detail: str) -> Problem:
    """The refusal of what the server could not do in time; whoever asked may try again."""
    return Problem(code=Web.UNAVAILABLE, detail=detail, headers={"Retry-After": "5"})


def too_many(who: str, wait: int) -> Problem:
    """The refusal of one who asks too often, for this many seconds."""
    return Problem(
        code=Web.TOO_MANY_REQUESTS,
        detail=f"{who}: too many requests; ask again in {wait} seconds",
        headers={"Retry-After": str(wait)},
    )
