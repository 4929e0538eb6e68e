import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ternary_export.build import Build
from ternary_license_server.keys.keyring import KeyRing
from ternary_license_server.keys.signing import SigningKey
from ternary_sdk._internal.certificates.certificate import Certificate
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.packages import archive, oms
from ternary_sdk._internal.packages.manifest import Manifest
from ternary_sdk._internal.packages.package import Package
from ternary_sdk._internal.packages.validation import CheckResult, Ending, Validation
from ternary_sdk._internal.signing import dsse
from ternary_sdk._internal.signing.dsse import Envelope
from ternary_sdk._internal.trust.trust import Role, Trust
from ternary_sdk.errors import FormatError, InputError, SignatureError, TernaryError

Members = dict[str, bytes]
GRAPHS = ["decoder_A.onnx", "decoder_B.onnx", "encoder_A.onnx", "encoder_B.onnx"]


@pytest.fixture(scope="module")
def members(shipped: bytes) -> Members:
    return archive.decode(shipped)


@pytest.fixture(scope="module")
def key(vendor: KeyRing) -> SigningKey:
    return vendor.signer(Role.PACKAGE)


def sealed(payload: bytes, key: SigningKey) -> Envelope:
    signature = dsse.one_form(key.sign(dsse.pae(payload)), "test")
    return Envelope(payload=payload, keyid=key.kid, signature=signature)


def signed(members: Members, key: SigningKey, model: str = "acme-1.0.0") -> bytes:
    """The members as a package, with a proper signature over whatever they are."""
    digests = {n: hashlib.sha256(data).hexdigest() for n, data in members.items() if n != "model.sig"}
    bundle = oms.write(sealed(oms.statement(model, digests), key), key.public)
    names = ["manifest.json", *sorted(digests.keys() - {"manifest.json"})]
    return archive.encode([*((name, members[name]) for name in names), ("model.sig", bundle)])


def remade(members: Members, key: SigningKey, **changed: bytes) -> bytes:
    """The package with members changed and everything around them done properly again."""
    changed = {name.replace("__", "."): data for name, data in changed.items()}
    members = {**members, **changed}
    manifest = json.loads(members["manifest.json"])
    for entry in manifest["members"]:
        data = members[entry["name"]]
        entry.update(sha256=hashlib.sha256(data).hexdigest(), size=len(data))
    return signed({**members, "manifest.json": canonical.encode(manifest)}, key)


def refusal(data: bytes, trust: Trust) -> TernaryError:
    with pytest.raises(TernaryError) as found:
        Package.read(data, trust)
    return found.value


def test_a_package_is_read(shipped: bytes, members: Members, vendor: KeyRing) -> None:
    read = Package.read(shipped, vendor.trust)
    digest = hashlib.sha256(members["manifest.json"]).hexdigest()
    assert str(read.identity) == f"acme 1.0.0 (sha256 {digest[:12]}…)"
    assert read.signed_by == vendor.signer(Role.PACKAGE).kid
    assert dict(read.members) == members
    assert list(members) == [
        "manifest.json", "bom.json", "card.md", "coverage.json", *GRAPHS, "terms.md", "model.sig",
    ]  # fmt: skip


def test_a_properly_remade_package_is_read(members: Members, vendor: KeyRing, key: SigningKey) -> None:
    assert Package.read(remade(members, key, terms__md=b"other terms"), vendor.trust)


def test_members_cannot_be_exchanged_after_reading(shipped: bytes, vendor: KeyRing) -> None:
    with pytest.raises(TypeError):
        Package.read(shipped, vendor.trust).members["card.md"] = b""  # type: ignore[index]


def test_the_manifest_says_what_the_certificate_says(shipped: bytes, vendor: KeyRing) -> None:
    read = Package.read(shipped, vendor.trust)
    assert read.coverage("B").decoder == "decoder_B.onnx"
    assert read.manifest.default_path == read.certificate.best_path.path
    with pytest.raises(InputError, match=r"acme-1\.0\.0: has no path 'C'"):
        read.coverage("C")


def without(members: Members, *names: str) -> list[tuple[str, bytes]]:
    return [(name, data) for name, data in members.items() if name not in names]


def test_members_in_another_order_are_refused(members: Members, vendor: KeyRing) -> None:
    found = refusal(archive.encode(sorted(members.items())), vendor.trust)
    assert isinstance(found, FormatError)
    assert str(found).startswith("package: holds ['bom.json', 'card.md', ")


@pytest.mark.parametrize("name", ["manifest.json", "model.sig"])
def test_a_package_without_its_frame_is_refused(members: Members, vendor: KeyRing, name: str) -> None:
    assert "package: holds" in str(refusal(archive.encode(without(members, name)), vendor.trust))


@pytest.mark.parametrize("name", ["coverage.json", "card.md", "encoder_B.onnx"])
def test_a_package_that_lost_a_member_is_refused(members: Members, vendor: KeyRing, name: str) -> None:
    found = refusal(archive.encode(without(members, name)), vendor.trust)
    assert isinstance(found, SignatureError)
    assert str(found) == "model.sig: signs other members than those of acme-1.0.0 stored here"


def test_a_package_with_an_extra_file_is_refused(members: Members, vendor: KeyRing) -> None:
    extra = [*without(members, "model.sig"), ("zzz.txt", b"hello"), ("model.sig", members["model.sig"])]
    assert str(refusal(archive.encode(extra), vendor.trust)) == (
        "model.sig: signs other members than those of acme-1.0.0 stored here"
    )


def test_an_extra_file_is_refused_even_when_signed(
    members: Members, vendor: KeyRing, key: SigningKey
) -> None:
    found = str(refusal(signed({**members, "zzz.txt": b"hello"}, key), vendor.trust))
    assert found.startswith("manifest.json: lists ['bom.json', ")


def test_a_member_too_large_for_its_kind_is_refused_before_it_is_parsed(
    members: Members, vendor: KeyRing
) -> None:
    large = [(name, b"{" * 65_537 if name == "manifest.json" else data) for name, data in members.items()]
    assert str(refusal(archive.encode(large), vendor.trust)) == (
        "manifest.json: 65537 bytes, expected at most 65536"
    )


@pytest.mark.parametrize("name", ["card.md", "terms.md", "bom.json", "decoder_A.onnx", "coverage.json"])
def test_an_altered_member_is_refused_by_the_signature(members: Members, vendor: KeyRing, name: str) -> None:
    altered = {**members, name: members[name] + b" "}
    assert isinstance(refusal(archive.encode(list(altered.items())), vendor.trust), SignatureError)


def test_a_manifest_that_lies_about_a_digest_is_refused(
    members: Members, vendor: KeyRing, key: SigningKey
) -> None:
    found = refusal(signed({**members, "terms.md": b"other"}, key), vendor.trust)
    assert str(found) == "terms.md: 5 bytes, the manifest says 1393"
    same_length = bytes(len(members["terms.md"]))
    found = refusal(signed({**members, "terms.md": same_length}, key), vendor.trust)
    assert str(found).startswith(f"terms.md: sha256 is {hashlib.sha256(same_length).hexdigest()}, the man")


def test_a_signature_for_another_name_is_refused(members: Members, vendor: KeyRing, key: SigningKey) -> None:
    assert str(refusal(signed(members, key, model="other-1.0.0"), vendor.trust)) == (
        "model.sig: signs other members than those of acme-1.0.0 stored here"
    )


def test_a_package_signed_by_a_stranger_is_refused(members: Members, vendor: KeyRing) -> None:
    stranger = SigningKey.generate()
    found = refusal(signed(members, stranger), vendor.trust)
    assert isinstance(found, SignatureError)
    assert str(found) == (
        f"key {stranger.kid} is not in the key set of Acme Logic (version 1); if Acme Logic has changed its "
        "keys, get its newest trust file and run 'ternary trust update FILE'"
    )


def test_a_package_signed_by_the_license_key_is_refused(members: Members, vendor: KeyRing) -> None:
    licensing = vendor.signer(Role.LICENSE)
    found = refusal(signed(members, licensing), vendor.trust)
    assert str(found) == f"key {licensing.kid} has role license, expected package"


def envelope(document: bytes, change: Callable[[dict[str, Any]], object], key: SigningKey) -> bytes:
    """A certificate changed and signed again."""
    statement = json.loads(Envelope.from_fields(_fields(document)).payload)
    change(statement)
    return sealed(canonical.encode(statement), key).to_bytes()


def _fields(document: bytes) -> Any:
    from ternary_sdk._internal.documents.fields import Fields

    return Fields(json.loads(document), "coverage.json")


def test_a_certificate_signed_by_another_role_is_refused(
    members: Members, vendor: KeyRing, key: SigningKey
) -> None:
    answering = vendor.signer(Role.ANSWER)
    coverage = envelope(members["coverage.json"], lambda s: None, answering)
    found = refusal(remade(members, key, coverage__json=coverage), vendor.trust)
    assert str(found) == f"key {answering.kid} has role answer, expected package"


def test_the_signature_of_the_package_is_no_certificate(
    members: Members, vendor: KeyRing, key: SigningKey
) -> None:
    """Both are made with the same key: the predicate type tells them apart."""
    bundle = json.loads(members["model.sig"])
    coverage = canonical.encode(bundle["dsseEnvelope"])
    found = refusal(remade(members, key, coverage__json=coverage), vendor.trust)
    assert str(found) == (
        "coverage.json.predicateType: 'https://model_signing/signature/v1.0', "
        "expected 'urn:ternary:coverage:1' or 'urn:ternary:coverage:2' or 'urn:ternary:coverage:3'"
    )


def test_a_certificate_of_another_build_is_refused(
    members: Members, vendor: KeyRing, key: SigningKey
) -> None:
    later = envelope(members["coverage.json"], lambda s: s["predicate"].update(released=1770091447), key)
    found = refusal(remade(members, key, coverage__json=later), vendor.trust)
    assert str(found) == (
        "coverage.json: made for the build of 2026-02-03 04:04:07, the manifest says 2026-02-03 04:05:06"
    )


def test_a_certificate_of_other_graphs_is_refused(members: Members, vendor: KeyRing, key: SigningKey) -> None:
    found = refusal(remade(members, key, encoder_A__onnx=members["encoder_B.onnx"]), vendor.trust)
    assert str(found).startswith("coverage.json: certifies another encoder_A.onnx, sha256 ")


def test_a_certificate_of_one_path_only_is_refused(
    members: Members, vendor: KeyRing, key: SigningKey
) -> None:
    def drop(statement: dict[str, Any]) -> None:
        del statement["predicate"]["paths"][1]
        statement["subject"] = [s for s in statement["subject"] if "A" in s["name"]]

    found = refusal(
        remade(members, key, coverage__json=envelope(members["coverage.json"], drop, key)), vendor.trust
    )
    assert str(found).startswith("coverage.json: certifies the graphs [('A', ")


def changed_manifest(members: Members, key: SigningKey, change: Callable[[dict[str, Any]], object]) -> bytes:
    manifest = json.loads(members["manifest.json"])
    change(manifest)
    return signed({**members, "manifest.json": canonical.encode(manifest)}, key)


def test_a_default_path_that_is_not_the_best_is_refused(
    members: Members, vendor: KeyRing, key: SigningKey
) -> None:
    best = json.loads(members["manifest.json"])["default_path"]
    other = "B" if best == "A" else "A"
    found = refusal(changed_manifest(members, key, lambda m: m.update(default_path=other)), vendor.trust)
    assert str(found) == (
        f"manifest.json: default_path is {other}, the certificate gives path {best} the higher coverage"
    )


def test_a_wrong_parameter_count_is_refused(members: Members, vendor: KeyRing, key: SigningKey) -> None:
    found = refusal(
        changed_manifest(members, key, lambda m: m["paths"][0]["decoder"].update(parameters=4412)),
        vendor.trust,
    )
    assert str(found) == "decoder_A.onnx: holds 4411 parameters, the manifest says 4412"


def test_a_graph_the_firewall_refuses_is_refused_although_signed_and_certified(
    build: Build, vendor: KeyRing, forge: Callable[[Build], bytes]
) -> None:
    bent = build.graphs["encoder_B.onnx"] + b"\x72\x00"  # an empty entry of metadata
    digest = hashlib.sha256(bent).hexdigest()
    subjects = {**build.certificate.subjects, "encoder_B.onnx": digest}
    rebuilt = replace(
        build,
        graphs={**build.graphs, "encoder_B.onnx": bent},
        certificate=replace(build.certificate, subjects=subjects),
    )
    assert str(refusal(forge(rebuilt), vendor.trust)) == "encoder_B.onnx: holds metadata, expected none"


def test_a_key_that_was_not_trusted_any_more_at_the_build_is_refused(shipped: bytes, vendor: KeyRing) -> None:
    ended = replace(vendor.trust, expires=datetime(2026, 2, 1, tzinfo=UTC))
    found = refusal(shipped, ended)
    assert str(found).startswith("issued on 2026-02-03, after the key set of Acme Logic ended on 2026-02-01")


def test_a_revoked_key_is_refused(shipped: bytes, vendor: KeyRing, key: SigningKey) -> None:
    revoked = replace(vendor.trust, revoked_keys={key.kid: datetime(2026, 3, 1, tzinfo=UTC)})
    found = refusal(shipped, revoked)
    assert str(found).startswith(f"key {key.kid} was revoked by Acme Logic on 2026-03-01")


def flips(length: int, step: int) -> Sequence[int]:
    return range(0, length, step)


@pytest.mark.parametrize("name", ["manifest.json", "coverage.json", "model.sig"])
def test_a_flipped_byte_of_a_signed_document_is_refused(members: Members, vendor: KeyRing, name: str) -> None:
    """A sample, in an archive that is whole again; the sweep over all bits is ``make stress``."""
    document = members[name]
    for position in flips(len(document), max(7, len(document) // 200)):
        altered = bytearray(document)
        altered[position] ^= 1 << position % 8
        data = archive.encode([*{**members, name: bytes(altered)}.items()])
        refusal(data, vendor.trust)


def test_a_flipped_byte_anywhere_in_the_file_is_refused(shipped: bytes, vendor: KeyRing) -> None:
    for position in flips(len(shipped), 1499):
        altered = bytearray(shipped)
        altered[position] ^= 1 << position % 8
        refusal(bytes(altered), vendor.trust)


def test_a_truncated_package_is_refused(shipped: bytes, vendor: KeyRing) -> None:
    for length in (0, 1, 29, 1000, len(shipped) // 2, len(shipped) - 1):
        refusal(shipped[:length], vendor.trust)


def test_the_certificate_stands_alone(members: Members, vendor: KeyRing) -> None:
    certificate = Certificate.read(members["coverage.json"], vendor.trust)
    assert (
        Manifest.read(members["manifest.json"]).plaintext_digest("decoder_A.onnx")
        == (certificate.subjects["decoder_A.onnx"])
    )


def test_the_stock_tool_verifies_an_unpacked_copy(members: Members, key: SigningKey, tmp_path: Path) -> None:
    folder = tmp_path / "acme-1.0.0"
    folder.mkdir()
    for name, data in members.items():
        (folder / name).write_bytes(data)
    (tmp_path / "key.pem").write_bytes(key.public.to_pem())
    tool = Path(sys.executable).with_name("model_signing")
    command = [tool, "verify", "key", folder, "--signature", folder / "model.sig"]
    done = subprocess.run(
        [*command, "--public_key", tmp_path / "key.pem"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "Verification succeeded\n"), done.stderr


ATTACHMENTS = {
    "a bill of materials that is no JSON": (
        {"bom__json": b'{"bomFormat":"CycloneDX"\xff'},
        "bom.json: not JSON (byte 24 is not UTF-8)",
    ),
    "a bill of materials that says a thing twice": (
        {"bom__json": b'{"bomFormat":"CycloneDX","bomFormat":"x"}'},
        "bom.json: member 'bomFormat' appears twice",
    ),
    "a bill of materials in another layout": (
        {"bom__json": b'{"bomFormat": "CycloneDX","specVersion":"1.6"}'},
        "bom.json: not in canonical form: a space at byte 13; the file was laid out anew, as editors and "
        "formatters do: take it as it was sent",
    ),
    "a bill of materials of another version": (
        {"bom__json": b'{"bomFormat":"CycloneDX","specVersion":"1.5"}'},
        "bom.json.specVersion: '1.5', expected '1.6'",
    ),
    "a bill of materials that is a list": (
        {"bom__json": b"[]"},
        "bom.json: a list, expected an object",
    ),
    "a card that writes to the terminal": (
        {"card__md": b"# acme\n\tproved\n\x1b[2Jnot\n"},
        "card.md: line 3 holds the hidden character U+001B, expected visible text, tabs and line feeds",
    ),
    "a card that is no text": ({"card__md": b"# acm\xe9\n"}, "card.md: not UTF-8 text (byte 5)"),
    "terms that overwrite a line": (
        {"terms__md": b"You may not.\rYou may."},
        "terms.md: line 1 holds the hidden character U+000D, expected visible text, tabs and line feeds",
    ),
    "terms that run the other way": (
        {"terms__md": "free of \u202edecrahc\u202c charge".encode()},
        "terms.md: line 1 holds the hidden character U+202E, expected visible text, tabs and line feeds",
    ),
    "a card with a byte order mark": (
        {"card__md": b"\xef\xbb\xbf# acme\n"},
        "card.md: line 1 holds the hidden character U+FEFF, expected visible text, tabs and line feeds",
    ),
    "terms with words that only a machine reads": (
        {"terms__md": ("You may not.\nYou may.\n" + "".join(chr(0xE0000 + ord(c)) for c in "all")).encode()},
        "terms.md: line 3 holds the hidden character U+E0061, expected visible text, tabs and line feeds",
    ),
    "a bill of materials with a name that is two": (
        {
            "bom__json": canonical.encode(
                {"bomFormat": "CycloneDX", "components": [{"name": "num\u200bpy"}], "specVersion": "1.6"}
            )
        },
        r"bom.json: 'num\u200bpy' holds the hidden character U+200B, "
        "expected visible text, tabs and line feeds",
    ),
    "terms with a control character of eight bits": (
        {"terms__md": "\u009b2J".encode()},
        "terms.md: line 1 holds the hidden character U+009B, expected visible text, tabs and line feeds",
    ),
}


@pytest.mark.parametrize("document", ATTACHMENTS)
def test_a_document_that_is_not_of_its_form_is_refused_although_signed(
    members: Members, vendor: KeyRing, key: SigningKey, document: str
) -> None:
    changed, sentence = ATTACHMENTS[document]
    found = refusal(remade(members, key, **changed), vendor.trust)
    assert (type(found), str(found)) == (FormatError, sentence)


def with_validation(members: Members, key: SigningKey, data: bytes) -> bytes:
    manifest = json.loads(members["manifest.json"])
    manifest["members"].append({"name": "validation.json"})
    return remade({**members, "manifest.json": canonical.encode(manifest)}, key, validation__json=data)


def test_a_validation_is_read_with_the_package(members: Members, vendor: KeyRing, key: SigningKey) -> None:
    validation = Validation(
        kind="package",
        digest="ab" * 32,
        made=datetime(2026, 3, 1, tzinfo=UTC),
        changed={},
        report=None,
        checks=(CheckResult(name="annealing", ending=Ending.NOT_RUN, reason="no history", figures=()),),
    )
    data = validation.to_bytes()
    assert Package.read(with_validation(members, key, data), vendor.trust).validation == validation
    assert Package.read(remade(members, key), vendor.trust).validation is None
    found = refusal(
        with_validation(members, key, data.replace(b"no history", b"no \\u001bhistory")), vendor.trust
    )
    assert str(found) == (
        r"validation.json.checks[0].reason: 'no \x1bhistory', expected 1 to 4096 printable characters"
    )


def test_a_validation_that_is_none_is_refused(members: Members, vendor: KeyRing, key: SigningKey) -> None:
    found = refusal(with_validation(members, key, b"garbage, no JSON"), vendor.trust)
    assert str(found) == "validation.json: not JSON at byte 0"
