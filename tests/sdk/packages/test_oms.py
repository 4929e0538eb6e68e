import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

import pytest

from ternary_license_server.keys.signing import SigningKey
from ternary_sdk._internal.packages import oms
from ternary_sdk._internal.signing import dsse
from ternary_sdk._internal.signing.dsse import Envelope
from ternary_sdk.errors import FormatError, TernaryError

KEY = SigningKey.generate()
OTHER = SigningKey.generate()
FILES = {"a.txt": b"hello\n", "weights.onnx": bytes(1000)}
DIGESTS = {name: hashlib.sha256(data).hexdigest() for name, data in FILES.items()}


def own(payload: bytes | None = None) -> bytes:
    """A bundle as packages carry it."""
    payload = oms.statement("model", DIGESTS) if payload is None else payload
    signature = dsse.one_form(KEY.sign(dsse.pae(payload)), "test")
    return oms.write(Envelope(payload=payload, keyid=KEY.kid, signature=signature), KEY.public)


def bent(change: Callable[[dict[str, Any]], object]) -> bytes:
    """A properly signed bundle whose Statement has been changed."""
    statement = json.loads(oms.statement("model", DIGESTS))
    change(statement)
    return own(json.dumps(statement).encode())


def read(data: bytes) -> oms.Listing:
    return oms.listing(oms.Bundle.read(data), KEY.public)


def test_our_own_bundle_verifies_both_ways() -> None:
    assert read(own()) == oms.Listing(
        model="model", digests=DIGESTS, ignored=frozenset({"model.sig"}), symlinks=False
    )
    assert oms.open_own(own(), lambda kid: KEY.public).payload == oms.statement("model", DIGESTS)


def resources(statement: dict[str, Any]) -> list[Any]:
    found: list[Any] = statement["predicate"]["resources"]
    return found


STATEMENTS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "ignoring everything": (
        lambda s: s["predicate"]["serialization"].update(ignore_paths=["."]),
        "model.sig.predicate.serialization.ignore_paths: '.' is no path below the folder",
    ),
    "ignoring what is elsewhere": (
        lambda s: s["predicate"]["serialization"].update(ignore_paths=["a/../../b"]),
        "model.sig.predicate.serialization.ignore_paths: 'a/../../b' is no path below the folder",
    ),
    "ignoring an absolute path": (
        lambda s: s["predicate"]["serialization"].update(ignore_paths=["/b"]),
        "model.sig.predicate.serialization.ignore_paths: '/b' is no path below the folder",
    ),
    "hashing in shards": (
        lambda s: s["predicate"]["serialization"].update(method="shards"),
        "model.sig.predicate.serialization.method: 'shards', expected 'files'",
    ),
    "another hash": (
        lambda s: s["predicate"]["serialization"].update(hash_type="blake2"),
        "model.sig.predicate.serialization.hash_type: 'blake2', expected 'sha256'",
    ),
    "no file at all": (
        lambda s: resources(s).clear(),
        "model.sig.predicate.resources: 0 entries, expected 1 to 10000",
    ),
    "a file twice": (
        lambda s: (resources(s).append(resources(s)[0]), s["subject"][0]["digest"].update(sha256=root(s))),
        "model.sig: lists a file twice",
    ),
    "a subject of other files": (
        lambda s: s["subject"][0]["digest"].update(sha256="00" * 32),
        "model.sig: its subject is not the digest of the files it lists",
    ),
    "two subjects": (
        lambda s: s["subject"].append(s["subject"][0]),
        "model.sig.subject: 2 entries, expected 1 to 1",
    ),
    "another predicate": (
        lambda s: s.update(predicateType="urn:ternary:coverage:1"),
        "model.sig.predicateType: 'urn:ternary:coverage:1', expected 'https://model_signing/signature/v1.0'",
    ),
    "a predicate with more in it": (
        lambda s: s["predicate"].update(extra=1),
        "model.sig.predicate: unknown member 'extra'",
    ),
}


def root(statement: dict[str, Any]) -> str:
    return hashlib.sha256(b"".join(bytes.fromhex(r["digest"]) for r in resources(statement))).hexdigest()


@pytest.mark.parametrize("trick", STATEMENTS)
def test_a_properly_signed_statement_that_says_less_is_refused(trick: str) -> None:
    change, sentence = STATEMENTS[trick]
    with pytest.raises(FormatError) as refusal:
        read(bent(change))
    assert str(refusal.value) == sentence


def test_a_statement_with_a_member_twice_is_refused() -> None:
    payload = oms.statement("model", DIGESTS).replace(b'{"_type"', b'{"_type":"x","_type"', 1)
    with pytest.raises(FormatError) as refusal:
        read(own(payload))
    assert str(refusal.value) == "model.sig: member '_type' appears twice"


def rewrapped(change: Callable[[dict[str, Any]], object]) -> bytes:
    """A bundle whose unsigned parts have been changed."""
    bundle = json.loads(own())
    change(bundle)
    return json.dumps(bundle, sort_keys=True, separators=(",", ":")).encode()


UNSIGNED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another key's hint": (
        lambda b: b["verificationMaterial"]["publicKey"].update(hint=oms.hint_of(OTHER.public)),
        f"model.sig: names the key '{oms.hint_of(OTHER.public)}', expected {oms.hint_of(KEY.public)}",
    ),
    "no hint": (
        lambda b: b["verificationMaterial"]["publicKey"].clear(),
        f"model.sig: names the key '', expected {oms.hint_of(KEY.public)}",
    ),
    "another key's name": (
        lambda b: b["dsseEnvelope"]["signatures"][0].update(keyid=OTHER.kid),
        f"model.sig: names the key '{oms.hint_of(KEY.public)}', expected {oms.hint_of(OTHER.public)}",
    ),
    "log entries": (
        lambda b: b["verificationMaterial"].update(tlogEntries=[{}]),
        "model.sig.verificationMaterial.tlogEntries: holds log entries, expected none",
    ),
    "no list of log entries": (
        lambda b: b["verificationMaterial"].pop("tlogEntries"),
        "model.sig: not in canonical form",
    ),
    "another media type": (
        lambda b: b.update(mediaType="application/json"),
        "model.sig.mediaType: 'application/json', expected 'application/vnd.dev.sigstore.bundle.v0.3+json'",
    ),
    "a certificate beside the key": (
        lambda b: b["verificationMaterial"].update(certificate={}),
        "model.sig.verificationMaterial: unknown member 'certificate'",
    ),
    "an altered payload": (
        lambda b: b["dsseEnvelope"].update(
            payload=b64encode(b64decode(b["dsseEnvelope"]["payload"]) + b" ").decode()
        ),
        f"model.sig: not made by key {KEY.kid} over these bytes",
    ),
}


@pytest.mark.parametrize("trick", UNSIGNED)
def test_a_package_signature_with_other_unsigned_parts_is_refused(trick: str) -> None:
    change, sentence = UNSIGNED[trick]
    keys = {key.kid: key.public for key in (KEY, OTHER)}
    with pytest.raises(TernaryError) as refusal:
        oms.open_own(rewrapped(change), keys.__getitem__)
    assert str(refusal.value) == sentence


def test_a_package_signature_in_another_layout_is_refused() -> None:
    with pytest.raises(FormatError) as refusal:
        oms.open_own(own().replace(b":{", b": {", 1), lambda kid: KEY.public)
    assert str(refusal.value) == "model.sig: not in canonical form"


def test_a_bundle_too_large_to_be_one_is_refused() -> None:
    with pytest.raises(FormatError) as refusal:
        read(b" " * 1_048_577)
    assert str(refusal.value) == "model.sig: 1048577 bytes, expected at most 1048576"
