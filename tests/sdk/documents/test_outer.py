"""Every document that travels as a file of its own, touched on the way in every way that is known."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ternary_cli.admin import Admin
from ternary_cli.documents import read_license, read_trust
from ternary_license_server.keys import content_key, keyring, rotation
from ternary_license_server.keys.issue import issue
from ternary_license_server.keys.keyring import KeyRing, file_name
from ternary_sdk._internal.documents import canonical, outer
from ternary_sdk._internal.identity import PackageIdentity
from ternary_sdk._internal.licensing import installation, usage
from ternary_sdk._internal.licensing.counted import Counted
from ternary_sdk._internal.licensing.license import License
from ternary_sdk._internal.licensing.usage import Usage
from ternary_sdk._internal.online import request as requests
from ternary_sdk._internal.online import state as online_state
from ternary_sdk._internal.online.request import Request
from ternary_sdk._internal.signing.keys import PublicKey
from ternary_sdk._internal.trust.trust import Role, Trust
from ternary_sdk.errors import TernaryError
from ternary_sdk.operations import OperationSet

COUNTED = Counted(
    lease="S-1", owner="Initech", history="A" * 22, sequence=3, operations=OperationSet.of([1, 2, 3])
)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PACKAGE = PackageIdentity(name="acme", version=(1, 0, 0), digest="ab" * 32)
MARK = b"\xef\xbb\xbf"
FOLDED = "the file was folded, as mail does: send it as an attachment"
LAID_OUT = "the file was laid out anew, as editors and formatters do: take it as it was sent"
ALTERED = "it was altered on the way: take it as it was sent"


@dataclass(frozen=True)
class Kind:
    """One kind of document."""

    good: bytes
    """As it was written."""
    what: str
    """How its refusals begin."""
    read: Callable[[bytes], Any]
    """Reads it from bytes, or from a file with these bytes; gives what identifies it."""


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Kind]:
    folder = tmp_path_factory.mktemp("touched")
    ring = keyring.create(folder / "keys", "Acme", NOW)
    ring = rotation.revoke_license(ring, "L-1", NOW)
    held = installation.draft(folder)
    installation.keep(held)
    bound = _issue(ring, bound_to=held.public)
    response: dict[str, canonical.Json] = {
        "id": "L-17", "installation": held.kid, "generation": 1, "ends": int(NOW.timestamp()),
        "renew_after": None, "offline": True, "license": bound.decode(),
    }  # fmt: skip
    file = folder / "file"

    def from_file(read: Callable[[Path], Any]) -> Callable[[bytes], Any]:
        def reading(data: bytes) -> Any:
            file.write_bytes(data)
            file.chmod(0o600)
            return read(file)

        return reading

    vendor, good_trust = ring.trust.root.kid, ring.trust.data
    asked = requests.release("L-17", "S-17", 1, vendor=vendor, held=held, now=NOW)
    reported = usage.report("L-17", COUNTED, held, NOW)
    token = _issue(ring)
    secret = f"{'0f' * 32}  acme-1.0.0".encode()
    signer = ring.directory / file_name(Role.LICENSE)

    def accepted(data: bytes) -> Any:
        return online_state.accept(data, ring.trust, held, server=None)

    def of_keys(data: bytes) -> Any:
        """The vendor's key directory with another trust file."""
        place = ring.directory / keyring.TRUST_FILE
        place.write_bytes(data)
        try:
            return keyring.load(ring.directory).trust.data
        finally:
            place.write_bytes(good_trust)

    def signing_key(data: bytes) -> Any:
        before = signer.read_bytes()
        signer.write_bytes(data)
        try:
            return keyring.load(ring.directory).signer(Role.LICENSE).kid
        finally:
            signer.write_bytes(before)

    def of_request(data: bytes) -> Any:
        return Request.read(data, vendor)

    return {
        "license": Kind(token, "license", lambda data: License.read(data, ring.trust)),
        "license file": Kind(
            token, "license", from_file(lambda path: License.read(read_license(path), ring.trust))
        ),
        "trust file": Kind(good_trust, "trust file", lambda data: Trust.read(data).data),
        "named trust file": Kind(
            good_trust, f"{file}: trust file", from_file(lambda path: read_trust(path).data)
        ),
        "vendor's trust file": Kind(good_trust, "trust file", of_keys),
        "request": Kind(asked, "request", of_request),
        "response": Kind(canonical.encode(response), "server's answer", accepted),
        "usage report": Kind(reported, "usage report", Usage.read),
        "content key": Kind(secret, str(file), from_file(lambda path: content_key.load(path, "acme-1.0.0"))),
        "admin token": Kind(
            b"ternary_abc", str(file), from_file(lambda path: Admin("http://127.0.0.1", path)._token)
        ),
        "public key": Kind(held.public.to_pem(), "key.pem", lambda data: PublicKey.from_pem(data, "key.pem")),
        "private key": Kind(signer.read_bytes(), str(signer), signing_key),
    }


LINES = ("license", "license file", "trust file", "named trust file", "vendor's trust file", "request",
         "response", "usage report", "content key", "admin token")  # fmt: skip
PEMS = ("public key", "private key")
TOUCHES: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda data: data,
    "a final line feed": lambda data: data + b"\n",
    "no final line feed": lambda data: data.rstrip(b"\n"),
    "CRLF": lambda data: data.replace(b"\n", b"\r\n") + b"\r\n",
    "a byte order mark": lambda data: MARK + data,
    "a byte order mark and CRLF": lambda data: MARK + data.replace(b"\n", b"\r\n") + b"\r\n",
    "blank lines": lambda data: b"\n\n" + data + b"\n\n\n",
    "spaces and tabs": lambda data: b" \t " + data + b"\t \t",
}


@pytest.mark.parametrize("kind", LINES + PEMS)
@pytest.mark.parametrize("touch", TOUCHES)
def test_what_stands_around_a_document_does_not_count(kinds: dict[str, Kind], kind: str, touch: str) -> None:
    one = kinds[kind]
    assert one.read(TOUCHES[touch](one.good)) == one.read(one.good)


@pytest.mark.parametrize("kind", LINES + PEMS)
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_refused_by_its_name(kinds: dict[str, Kind], kind: str, encoding: str) -> None:
    one = kinds[kind]
    assert refusal_of(one, one.good.decode().encode(encoding)) == (
        f"{one.what}: UTF-16 text, as PowerShell's '>' writes it, expected UTF-8"
    )


INSIDE = {
    "a line feed": b"\n",
    "a carriage return": b"\r\n",
    "a tab": b"\t",
    "a space": b" ",
}


@pytest.mark.parametrize(
    ("kind", "added"),
    [(kind, added) for kind in LINES for added in INSIDE if (kind, added) != ("content key", "a space")],
)
def test_a_fold_is_refused_by_the_name_of_what_was_added(
    kinds: dict[str, Kind], kind: str, added: str
) -> None:
    """Folded within the signed text, where every document has a token or a key."""
    one = kinds[kind]
    at = _within(one.good)
    told = refusal_of(one, one.good[:at] + INSIDE[added] + one.good[at:])
    assert added in told
    assert FOLDED in told
    in_a_member = added == "a space" and one.good.startswith(b"{")
    assert in_a_member or told == f"{one.what}: {added} at byte {at}; {FOLDED}"


def test_a_fold_of_quoted_printable_mail_is_refused_by_its_name(kinds: dict[str, Kind]) -> None:
    one = kinds["license"]
    assert refusal_of(one, one.good[:75] + b"=\r\n" + one.good[75:]) == f"license: '=' at byte 75; {FOLDED}"


def test_a_content_key_holds_no_other_spaces_than_its_own(kinds: dict[str, Kind]) -> None:
    one = kinds["content key"]
    assert refusal_of(one, one.good[:9] + b" " + one.good[9:]) == (
        f"{one.what}: not a content key, expected one line of 64 hex digits, two spaces and NAME-VERSION"
    )


def test_the_place_of_an_addition_counts_what_stands_before_the_document(kinds: dict[str, Kind]) -> None:
    one = kinds["license"]
    data = MARK + b"\r\n" + one.good[:76] + b"\n" + one.good[76:]
    assert refusal_of(one, data) == f"license: a line feed at byte {76 + 5}; {FOLDED}"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("\u00a0", "no-break space"),
        ("\u200b", "zero width space"),
        ("\ufeff", "zero width no-break space"),
        ("\u00ad", "soft hyphen"),
        ("=", "'='"),
        (">", "'>'"),
        ("\x01", "U+0001"),
    ],
)
@pytest.mark.parametrize("at", [0, 60])
def test_a_character_that_no_token_holds_is_refused_by_its_name(
    kinds: dict[str, Kind], text: str, name: str, at: int
) -> None:
    one = kinds["license"]
    if (text, at) == ("\ufeff", 0):
        return  # a byte order mark, which does not count
    data = one.good[:at] + text.encode() + one.good[at:]
    assert refusal_of(one, data) == f"license: {name} at byte {at}; {ALTERED}"


def test_a_byte_that_is_not_utf8_is_refused_by_its_number(kinds: dict[str, Kind]) -> None:
    one = kinds["license"]
    assert refusal_of(one, one.good[:9] + b"\xa0" + one.good[9:]) == (
        f"license: the byte 0xa0, which is not UTF-8, at byte 9; {ALTERED}"
    )


@pytest.mark.parametrize("kind", ["trust file", "request", "response", "usage report"])
def test_a_document_that_was_laid_out_anew_is_refused(kinds: dict[str, Kind], kind: str) -> None:
    one = kinds[kind]
    assert (
        refusal_of(one, one.good.replace(b'{"', b'{\n  "', 1))
        == f"{one.what}: a line feed at byte 1; {LAID_OUT}"
    )
    assert refusal_of(one, one.good.replace(b'":', b'": ', 1)) == (
        f"{one.what}: not in canonical form: a space at byte {one.good.index(b':') + 1}; {LAID_OUT}"
    )


@pytest.mark.parametrize("kind", PEMS)
def test_a_key_that_mail_quoted_is_refused_by_the_name_of_what_was_added(
    kinds: dict[str, Kind], kind: str
) -> None:
    one = kinds[kind]
    expected = "a PEM public key" if kind == "public key" else "an unencrypted PEM private key"
    assert refusal_of(one, b"> " + one.good.replace(b"\n", b"\n> ")) == (
        f"{one.what}: not {expected}: '>' at byte 0; {ALTERED}"
    )
    assert refusal_of(one, b"nothing") == f"{one.what}: not {expected}"


@pytest.mark.parametrize("data", [b"", b"\n", MARK, MARK + b" \r\n"])
def test_nothing_at_all_stays_nothing(data: bytes) -> None:
    assert outer.bare(data, "doc") == b""


def test_a_trust_file_is_kept_without_what_stood_around_it(kinds: dict[str, Kind]) -> None:
    one = kinds["trust file"]
    assert Trust.read(MARK + one.good + b"\r\n").data == one.good


def _within(data: bytes) -> int:
    """A place between two characters of a token or a key."""
    return data.rindex(b".") + 7 if b"." in data[:-12] else 9


def _issue(ring: KeyRing, **more: Any) -> bytes:
    return issue(
        ring, package=PACKAGE, customer="Initech", now=NOW, expires=NOW + timedelta(days=30),
        license_id="L-17", **more,
    )  # fmt: skip


def refusal_of(kind: Kind, data: bytes) -> str:
    with pytest.raises(TernaryError) as refusal:
        kind.read(data)
    return str(refusal.value)
