import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from ternary_license_server.keys.signing import SigningKey
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.signing import dsse
from ternary_sdk._internal.signing.dsse import Envelope
from ternary_sdk._internal.signing.keys import PublicKey
from ternary_sdk.errors import FormatError, SignatureError

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
KEY = SigningKey.generate()
OTHER = SigningKey.generate()
PAYLOAD = '{"ключ":1}'.encode()


def signed(payload: bytes = PAYLOAD) -> Envelope:
    signature = dsse.one_form(KEY.sign(dsse.pae(payload)), "test")
    return Envelope(payload=payload, keyid=KEY.kid, signature=signature)


def key_for(kid: str) -> PublicKey:
    found = {key.kid: key.public for key in (KEY, OTHER)}
    if kid not in found:
        raise SignatureError(f"key {kid} is unknown")
    return found[kid]


def bent(change: Callable[[dict[str, Any]], object]) -> bytes:
    document = json.loads(signed().to_bytes())
    change(document)
    return canonical.encode(document)


def other_s(signature: bytes) -> bytes:
    r, s = decode_dss_signature(signature)
    return encode_dss_signature(r, ORDER - s)


def test_lengths_are_counted_in_bytes() -> None:
    assert dsse.pae(b"hello world") == b"DSSEv1 28 application/vnd.in-toto+json 11 hello world"
    assert dsse.pae(PAYLOAD) == b"DSSEv1 28 application/vnd.in-toto+json 14 " + PAYLOAD


def test_an_envelope_of_ours_opens() -> None:
    opened = Envelope.open(signed().to_bytes(), "test", key_for)
    assert (opened.payload, opened.keyid) == (PAYLOAD, KEY.kid)


def test_the_second_form_of_a_signature_verifies_but_is_not_ours() -> None:
    envelope = Envelope(payload=PAYLOAD, keyid=KEY.kid, signature=other_s(signed().signature))
    read = Envelope.from_fields(Fields(envelope.to_json(), "test"))
    assert read.verify(KEY.public, "test") == PAYLOAD
    with pytest.raises(FormatError) as refusal:
        Envelope.open(envelope.to_bytes(), "test", key_for)
    assert str(refusal.value) == "test: its signature is not in canonical form (DER, smaller s)"


def test_both_forms_of_a_signature_become_the_same() -> None:
    signature = signed().signature
    assert dsse.one_form(other_s(signature), "test") == signature


def long_form(signature: bytes) -> str:
    """The same two numbers in BER: the outer length takes two bytes where one is enough."""
    return b64encode(signature[:1] + b"\x81" + signature[1:]).decode()


REFUSED = {
    "another key's name": (
        bent(lambda d: d["signatures"][0].update(keyid=OTHER.kid)),
        SignatureError,
        f"test: not made by key {OTHER.kid} over these bytes",
    ),
    "an unknown key's name": (
        bent(lambda d: d["signatures"][0].update(keyid="x")),
        SignatureError,
        "key x is unknown",
    ),
    "no key's name": (
        bent(lambda d: d["signatures"][0].pop("keyid")),
        FormatError,
        "test: not in canonical form",
    ),
    "another payload": (
        bent(lambda d: d.update(payload=b64encode(b"{}").decode())),
        SignatureError,
        f"test: not made by key {KEY.kid} over these bytes",
    ),
    "another type": (
        bent(lambda d: d.update(payloadType="text/plain")),
        FormatError,
        "test.payloadType: 'text/plain', expected 'application/vnd.in-toto+json'",
    ),
    "two signatures": (
        bent(lambda d: d["signatures"].append(d["signatures"][0])),
        FormatError,
        "test.signatures: 2 entries, expected 1 to 1",
    ),
    "no signature": (
        bent(lambda d: d["signatures"].clear()),
        FormatError,
        "test.signatures: 0 entries, expected 1 to 1",
    ),
    "an unknown member": (
        bent(lambda d: d.update(x=1)),
        FormatError,
        "test: unknown member 'x'",
    ),
    "white space": (
        signed().to_bytes() + b"\n",
        FormatError,
        "test: not in canonical form",
    ),
    "a signature in BER": (
        bent(lambda d: d["signatures"][0].update(sig=long_form(signed().signature))),
        FormatError,
        "test: its signature is not DER",
    ),
    "zeros for r and s": (
        bent(lambda d: d["signatures"][0].update(sig=b64encode(encode_dss_signature(0, 0)).decode())),
        FormatError,
        "test: its signature has r or s out of range",
    ),
}


@pytest.mark.parametrize("trick", REFUSED)
def test_an_envelope_that_is_not_ours_is_refused(trick: str) -> None:
    data, kind, sentence = REFUSED[trick]
    with pytest.raises(kind) as refusal:
        Envelope.open(data, "test", key_for)
    assert str(refusal.value) == sentence


def test_a_key_name_that_would_write_to_a_terminal_is_refused() -> None:
    with pytest.raises(FormatError) as refusal:
        Envelope.open(bent(lambda d: d["signatures"][0].update(keyid="\x1b[2J")), "test", key_for)
    assert str(refusal.value) == (
        r"test.signatures[0].keyid: '\x1b[2J', expected text of the form [!-~]{0,128}"
    )
