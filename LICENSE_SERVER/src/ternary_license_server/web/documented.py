"""
What OpenAPI says of many paths alike: the headers they take and how they refuse.
"""

from typing import Annotated, Any, Final

from fastapi import Header

from ternary_license_server.web.bodies import Given


class Documented(Given):
    """Problem details (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str


REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": Documented, "description": text, "content": {"application/problem+json": {}}}
    for status, text in (
        (400, "Malformed, wrongly signed or wrongly dated."),
        (403, "The license does not allow it; `code` says why."),
        (404, "Nothing of this name."),
        (408, "The body did not arrive in time."),
        (409, "Every seat is taken, the lease is lost, the whole set is wanted, or something is in the way."),
        (413, "The body is too large."),
        (422, "Well-formed, and senseless."),
        (429, "Too many requests."),
        (500, "The server failed."),
        (503, "The server cannot answer now; `code` says why."),
    )
}
UNAUTHENTICATED: Final[dict[int | str, dict[str, Any]]] = {
    401: {
        "model": Documented,
        "description": "No token, or one that is unknown, expired or revoked.",
        "content": {"application/problem+json": {}},
    }
}
KEY_FORM: Final = "[A-Za-z0-9._-]{8,80}"
"""Of an idempotency key."""
Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=80,
        pattern="^[A-Za-z0-9._-]+$",
        description="The same for every repetition of one request; forgotten after 31 days or more.",
    ),
]
NONCE: Final[dict[str, Any]] = {
    "name": "Ternary-Nonce",
    "in": "header",
    "description": "Random text that the answer's signature repeats.",
    "schema": {"type": "string", "maxLength": 64},
}
