"""
Refusals that are the service's own; those that a license explains itself are ``LicenseError``.
"""

from enum import StrEnum

from ternary_sdk.errors import CodedError


class Code(StrEnum):
    """Why the service refuses, beside the reason codes of licenses."""

    INVALID = "INVALID"
    """A value is out of range, or values contradict each other."""
    UNKNOWN = "UNKNOWN"
    """No customer, product, policy or token of that name."""
    CONFLICT = "CONFLICT"
    """It exists already, or is in a state that rules the change out."""
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"
    """The idempotency key was used for another request."""
    STALE_REQUEST = "STALE_REQUEST"
    """The request's date is too far from the server's clock."""
    UNAUTHENTICATED = "UNAUTHENTICATED"
    """No token, or one that is unknown, expired or revoked."""
    FORBIDDEN = "FORBIDDEN"
    """The token's scope does not reach that far."""
    LIST_FULL = "LIST_FULL"
    """The revocation list has as many names as clients read."""
    SEND_ALL = "SEND_ALL"
    """A usage report starts from a set that is not the one that the server has: the whole set is wanted."""
    TRY_LATER = "TRY_LATER"
    """The server was restored from a backup and cannot know whether a denial would be true."""


class ServiceError(CodedError):
    """A refusal of the service.

    Attributes:
        code: Why.
    """

    code: Code

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(code, message)
