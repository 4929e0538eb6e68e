"""
Signatures of the Standard Webhooks specification, version 1.0.0, "Signature scheme": symmetric, ``v1``.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac


def headers(secret: bytes, event: str, at: int, payload: bytes) -> dict[str, str]:
    """The three headers that let a receiver check who sent an event, and when.

    Args:
        secret: The webhook's, 24 to 64 bytes; ``whsec_`` and base64 of them is what the receiver has.
        event: The event's id; the same in each attempt.
        at: Moment of this attempt, in seconds since 1970-01-01 UTC.
        payload: The request's body.
    """
    signed = f"{event}.{at}.".encode() + payload
    signature = base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
    return {"webhook-id": event, "webhook-timestamp": str(at), "webhook-signature": f"v1,{signature}"}
