"""License keys as people type them, and requests as installations sign them."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.licensing import installation
from ternary_sdk._internal.online import key as online_key
from ternary_sdk._internal.online import request as online_request
from ternary_sdk._internal.online.request import Action, Request
from ternary_sdk.errors import FormatError, InputError, SignatureError

MACHINE = "m-" + "17" * 16

VENDOR = "V" * 43


@pytest.fixture(scope="module")
def held():
    return installation.draft(Path("unused"))


def test_key_is_read_however_it_is_typed():
    key = online_key.generate()
    assert len(key) == 29
    typed = key.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert online_key.parse(typed) == key
    assert online_key.digest(typed) == online_key.digest(key)


def test_every_single_mistyped_character_is_noticed():
    plain = online_key.generate().replace("-", "")
    for place in range(len(plain)):
        for other in set(online_key.ALPHABET) - {plain[place]}:
            with pytest.raises(InputError) as refusal:
                online_key.parse(plain[:place] + other + plain[place + 1 :])
            assert str(refusal.value) == (
                "license key: a character is mistyped or two are swapped; compare it again"
            )


@pytest.mark.parametrize("text", ["", "AAAAA", "U" * 25, "é" * 25, "0" * 26])
def test_what_is_no_key_is_refused(text):
    with pytest.raises(InputError) as refusal:
        online_key.parse(text)
    assert str(refusal.value) == (
        "license key: not 25 letters and digits such as 77777-77777-77777-77777-77777"
    )


def test_requests_say_what_was_asked(held, now: datetime):
    key = online_key.generate()
    asked = online_request.activate(key, vendor=VENDOR, held=held, now=now, machine=MACHINE, offline=True)
    read = Request.read(asked, VENDOR)
    assert (read.action, read.key_digest, read.machine, read.offline) == (
        Action.ACTIVATE, online_key.digest(key), MACHINE, True
    )  # fmt: skip
    assert read.installation == held.public
    assert read.number == online_request.number(asked)
    for action in (Action.RENEW, Action.RELEASE, Action.STANDING):
        make = getattr(online_request, action)
        read = Request.read(make("L-1", "S-1", 3, vendor=VENDOR, held=held, now=now), VENDOR)
        assert (read.action, read.license_id, read.generation, read.issued) == (action, "L-1", 3, now)
        assert read.lease == "S-1"


def test_two_requests_never_have_one_number(held, now):
    one, two = (online_request.renew("L-1", "S-1", 1, vendor=VENDOR, held=held, now=now) for _ in "ab")
    assert online_request.number(one) != online_request.number(two)


def test_request_for_another_vendor_is_refused(held, now):
    asked = online_request.renew("L-1", "S-1", 1, vendor=VENDOR, held=held, now=now)
    with pytest.raises(FormatError) as refusal:
        Request.read(asked, "W" * 43)
    assert str(refusal.value).startswith("request.aud: ")


def test_request_with_another_installations_key_is_refused(held, now):
    other = installation.draft(Path("unused"))
    asked = online_request.renew("L-1", "S-1", 1, vendor=VENDOR, held=held, now=now)
    fields = canonical.decode(asked, "request")
    with pytest.raises(SignatureError) as refusal:
        Request.read(canonical.encode(fields | {"key": other.public.jwk}), VENDOR)
    assert str(refusal.value) == f"request: signed by key {held.kid}, it names {other.kid}"


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({"action": "steal"}, "request.action: 'steal', expected activate, renew, release or standing"),
        ({"generation": 0}, "request.generation: 0, expected an integer from 1 to 2147483647"),
        ({"jti": "AAAA"}, "request.jti: expected 16 bytes in base64url"),
        ({"offline": True}, "request: unknown member 'offline'"),
        ({"license": "../x"}, None),
    ],
)
def test_claims_that_make_no_sense_are_refused(held, now, claims, message):
    good = {
        "action": "renew", "aud": VENDOR, "iat": int(now.timestamp()), "jti": "A" * 22, "license": "L-1",
        "lease": "S-1", "generation": 1,
    }  # fmt: skip

    def signed(claims):
        token = held.sign_token(claims, typ=online_request.TYP).decode()
        return canonical.encode({"format": online_request.FORMAT, "key": held.public.jwk, "request": token})

    assert Request.read(signed(good), VENDOR).generation == 1
    with pytest.raises(FormatError) as refusal:
        Request.read(signed(good | claims), VENDOR)
    assert message is None or str(refusal.value) == message


def test_every_altered_byte_is_refused(held, now):
    asked = online_request.renew("L-1", "S-1", 1, vendor=VENDOR, held=held, now=now + timedelta(days=1))
    for place in range(0, len(asked), 7):
        altered = asked[:place] + bytes([asked[place] ^ 1]) + asked[place + 1 :]
        with pytest.raises((FormatError, SignatureError)):
            Request.read(altered, VENDOR)
