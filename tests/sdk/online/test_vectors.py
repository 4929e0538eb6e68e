"""
Golden vectors of what travels between a client and a license server; a change that breaks one breaks both.

Each signature is also verified as docs/formats.md tells another language to: with a stock JOSE library,
this module's own JSON and hashes, and none of the SDK.
"""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jws as jose
from joserfc.errors import BadSignatureError
from joserfc.jwk import ECKey

from ternary_license_server.keys.signing import SigningKey
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.licensing.installation import Installation
from ternary_sdk._internal.online import answer as online_answer
from ternary_sdk._internal.online import key as online_key
from ternary_sdk._internal.online import request as online_request
from ternary_sdk._internal.online.answer import Answer, Question
from ternary_sdk._internal.online.request import Action, Request
from ternary_sdk._internal.signing.keys import PublicKey
from ternary_sdk._internal.trust.trust import Role, Trust
from ternary_sdk.errors import SignatureError

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "online.json").read_text("utf-8"))
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANSWER_KEY, INSTALLATION_KEY = 4, 5
named = {"ids": lambda vector: vector["name"]}


def private(scalar: int) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(scalar, ec.SECP256R1())


def stock_key(scalar: int) -> ECKey:
    pem = private(scalar).public_key()
    return ECKey.import_key(
        pem.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def plain(value: Any) -> bytes:
    """Canonical JSON as the page describes it, by the standard library alone."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def trust() -> Trust:
    return Trust.read(VECTORS["trust_file"].encode())


@pytest.fixture
def held() -> Installation:
    key = private(INSTALLATION_KEY)
    return Installation(directory=Path(), public=PublicKey.of(key.public_key()), private=key)


def test_license_key_has_this_digest() -> None:
    digest = sha256("ternary-license-key-v1" + VECTORS["license_key"])
    assert digest == VECTORS["license_key_sha256"]
    assert online_key.digest(VECTORS["license_key"].lower().replace("-", " ")) == digest


@pytest.mark.parametrize("vector", VECTORS["requests"], **named)
def test_request_is_verified_by_a_stock_library(vector: dict[str, Any]) -> None:
    document = json.loads(vector["document"])
    assert plain(document) == vector["document"].encode()
    assert sorted(document) == ["format", "key", "request"]
    token = jose.deserialize_compact(document["request"], ECKey.import_key(document["key"]), ["ES256"])
    assert token.headers() == {
        "alg": "ES256", "kid": ECKey.import_key(document["key"]).thumbprint(), "typ": "ternary-request+jwt"
    }  # fmt: skip
    assert json.loads(token.payload or b"") == vector["claims"]


@pytest.mark.parametrize("vector", VECTORS["requests"], **named)
def test_request_is_read_as_this_and_written_as_these_bytes(
    vector: dict[str, Any], trust: Trust, held: Installation
) -> None:
    asked = Request.read(vector["document"].encode(), trust.root.kid)
    claims = vector["claims"]
    assert (asked.action, asked.number, asked.issued) == (claims["action"], claims["jti"], NOW)
    assert (asked.installation, asked.vendor) == (held.public, claims["aud"])
    optional = ("key_sha256", "machine", "license", "lease", "generation")
    found = (asked.key_digest, asked.machine, asked.license_id, asked.lease, asked.generation)
    assert found == tuple(claims.get(name) for name in optional)
    assert asked.offline == claims.get("offline", False)
    token = held.sign_token(claims, typ=online_request.TYP).decode()
    format = json.loads(vector["document"])["format"]
    written = {"format": format, "key": held.public.jwk, "request": token}
    assert canonical.encode(written).decode() == vector["document"]


def test_there_is_a_vector_of_every_action_in_every_version() -> None:
    found = {
        (json.loads(vector["document"])["format"], vector["claims"]["action"])
        for vector in VECTORS["requests"]
    }
    versions = (online_request.WITHOUT_LEASE, online_request.FORMAT)
    assert found == {(version, str(action)) for version in versions for action in Action}


@pytest.mark.parametrize("vector", VECTORS["answers"], **named)
def test_answer_is_verified_by_a_stock_library(vector: dict[str, Any]) -> None:
    payload = plain(
        {
            "iss": "Acme Logic",
            "nonce": vector["nonce"],
            "method": vector["method"],
            "path": vector["path"],
            "request": None if vector["status"] in (408, 413) else sha256(vector["request"]),
            "status": vector["status"],
            "answer": sha256(vector["answer"]),
            "iat": int(vector["time"]),
        }
    )
    assert payload.decode() == vector["payload"]
    key = stock_key(ANSWER_KEY)
    token = jose.deserialize_compact(vector["signature"], key, ["ES256"], payload=payload)
    assert token.headers() == {"alg": "ES256", "kid": key.thumbprint(), "typ": "ternary-answer+jws"}
    with pytest.raises(BadSignatureError):
        jose.deserialize_compact(vector["signature"], key, ["ES256"], payload=payload + b" ")


def question(vector: dict[str, Any], **changes: str) -> Question:
    parts = {name: vector[name] for name in ("nonce", "method", "path")} | changes
    return Question(**parts, body=vector["request"].encode())


def answer(vector: dict[str, Any]) -> Answer:
    return Answer(
        status=vector["status"],
        body=vector["answer"].encode(),
        time=vector["time"],
        signature=vector["signature"],
    )


@pytest.mark.parametrize("vector", VECTORS["answers"], **named)
def test_answer_is_believed_and_signed_as_these_bytes(vector: dict[str, Any], trust: Trust) -> None:
    time = online_answer.verify(question(vector), answer(vector), trust, NOW)
    assert time.timestamp() == int(vector["time"])
    with pytest.raises(SignatureError) as refusal:
        online_answer.verify(question(vector, nonce="another"), answer(vector), trust, NOW)
    kid = next(kid for kid, (role, _) in trust.keys.items() if role is Role.ANSWER)
    assert str(refusal.value) == (f"server's answer: signature: not made by key {kid} over these bytes")
    pem = private(ANSWER_KEY).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    signed = SigningKey.from_pem(pem, "vector").sign_token(
        json.loads(vector["payload"]), typ=online_answer.TYP
    )
    assert online_answer.detach(signed) == vector["signature"]


@pytest.mark.parametrize("vector", VECTORS["answers"], **named)
@pytest.mark.parametrize("late", [timedelta(minutes=6), -timedelta(minutes=6)])
def test_answer_of_another_time_is_refused(vector: dict[str, Any], trust: Trust, late: timedelta) -> None:
    with pytest.raises(SignatureError) as refusal:
        online_answer.verify(question(vector), answer(vector), trust, NOW + late)
    assert str(refusal.value).startswith("server's answer: dated 2026-03-01 12:00:0")
