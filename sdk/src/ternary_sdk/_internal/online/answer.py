"""
What a server's answer is signed over, and whether an answer is the one to the question just asked.

The signature is a detached JWS (RFC 7515, appendix F): its payload is not sent, both sides write it from
what they hold. So it can only verify for the client's own nonce, method, path and body, and an answer
that was captured yesterday, or given to somebody else, or for another question, verifies for nobody.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from ternary_sdk._internal.clocks import lies_ahead
from ternary_sdk._internal.documents import base64url, canonical
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.signing import jws
from ternary_sdk._internal.signing.keys import PublicKey
from ternary_sdk._internal.trust.trust import Role, Trust
from ternary_sdk.errors import FormatError, SignatureError

TYP: Final = "ternary-answer+jws"
NONCE_HEADER: Final = "Ternary-Nonce"
TIME_HEADER: Final = "Ternary-Time"
ANSWER_HEADER: Final = "Ternary-Answer"
UNREAD: Final = (408, 413)
"""Statuses of answers to a body that was not read to its end, late or too large: its digest is not signed."""

_NONCE_BYTES: Final = 16
_MAX_HEADER: Final = 2048


@dataclass(frozen=True, kw_only=True)
class Question:
    """What was asked, as far as the answer's signature repeats it."""

    nonce: str
    """Random text that was never used before."""
    method: str
    """The HTTP method, in capitals."""
    path: str
    """The path of the address, without its query."""
    body: bytes
    """The request's body."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    """The HTTP status."""
    body: bytes
    """The answer's body."""
    time: str
    """The header ``Ternary-Time``: the server's clock, whole seconds since 1970-01-01 UTC."""
    signature: str
    """The header ``Ternary-Answer``: the detached JWS."""


def new_nonce() -> str:
    """128 random bits, base64url."""
    return base64url.encode(secrets.token_bytes(_NONCE_BYTES))


def payload(question: Question, *, vendor: str, status: int, sha256: str, time: int) -> dict[str, Json]:
    """What an answer's signature is over.

    Args:
        question: What was asked.
        vendor: Whose server answers.
        status: The HTTP status.
        sha256: Of the answer's body, in hex.
        time: When, in seconds since 1970-01-01 UTC.
    """
    unread = status in UNREAD
    return {
        "iss": vendor,
        "nonce": question.nonce,
        "method": question.method,
        "path": question.path,
        "request": None if unread else hashlib.sha256(question.body).hexdigest(),
        "status": status,
        "answer": sha256,
        "iat": time,
    }


def detach(token: bytes) -> str:
    """A compact JWS without its payload: what the header carries."""
    header, _, signature = token.decode("ascii").split(".")
    return f"{header}..{signature}"


def verify(question: Question, answer: Answer, trust: Trust, now: datetime) -> datetime:
    """Demand that this is the vendor's answer to this question, given now.

    1. the server's time is there, and within five minutes of this machine's clock, either way;
    2. the signature is by a key of role ``answer`` that is trusted for that time;
    3. it is over this nonce, method, path and request body, and over this status and answer body.

    Args:
        question: What was asked.
        answer: What came back.
        trust: Whom to believe.
        now: The present moment, timezone-aware.
    Returns:
        The server's time.
    Raises:
        SignatureError: If any of it does not hold; nothing of the answer may be used then.
    """
    time = _time(answer.time)
    if lies_ahead(time, of=now) or lies_ahead(now, of=time):
        raise SignatureError(
            f"server's answer: dated {time:%Y-%m-%d %H:%M:%S} UTC, this machine's clock says "
            f"{now:%Y-%m-%d %H:%M:%S} UTC; one of the two clocks is wrong, or the answer is an old one"
        )
    parts = answer.signature.split(".")
    if len(answer.signature) > _MAX_HEADER or len(parts) != 3 or parts[1]:
        raise SignatureError("server's answer: not signed; is this the license server's own address?")
    expected = payload(
        question,
        vendor=trust.vendor,
        status=answer.status,
        sha256=hashlib.sha256(answer.body).hexdigest(),
        time=int(time.timestamp()),
    )
    token = f"{parts[0]}.{base64url.encode(canonical.encode(expected))}.{parts[2]}".encode("ascii", "replace")

    def trusted(kid: str) -> PublicKey:
        if kid not in trust.keys:
            raise SignatureError(
                f"key {kid} is not in the key set of {trust.vendor} (version {trust.version}); "
                "if this is the vendor's server, run 'ternary trust update --server URL' with its address"
            )
        return trust.key(kid, Role.ANSWER, time)

    try:
        jws.read(token, typ=TYP, what="server's answer", key_for=trusted)
    except (FormatError, SignatureError) as refusal:
        raise SignatureError(_sentence(refusal)) from None
    return time


def _time(text: str) -> datetime:
    if not text.isascii() or not text.isdigit() or len(text) > 11:
        raise SignatureError("server's answer: not dated; is this the license server's own address?")
    return datetime.fromtimestamp(int(text), UTC)


def _sentence(refusal: Exception) -> str:
    text = str(refusal)
    return text if text.startswith("server's answer") else f"server's answer: {text}"
