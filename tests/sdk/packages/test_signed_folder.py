import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ternary_license_server.keys import keyring, rotation
from ternary_license_server.keys.keyring import KeyRing
from ternary_license_server.keys.signing import SigningKey
from ternary_sdk._internal.packages import archive, oms, signed_folder
from ternary_sdk._internal.packages.signed_folder import SignedFolder
from ternary_sdk._internal.signing import dsse
from ternary_sdk._internal.signing.dsse import Envelope
from ternary_sdk._internal.signing.keys import PublicKey
from ternary_sdk._internal.trust.trust import Role, Trust
from ternary_sdk.errors import FormatError, SignatureError, TernaryError

KEY = SigningKey.generate()
NOW = datetime(2026, 6, 1, tzinfo=UTC)
FILES = {
    "a.txt": b"hello\n",
    "sub.txt": b"sorts before the files of sub\n",
    "sub/.gitignore": b"only the folder's own git files are ignored\n",
    "sub/deep/weights.onnx": bytes(3_000_000),
    "sub/empty": b"",
    "ünicode name": b"x",
}
SIZE = sum(map(len, FILES.values()))


def put(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def stock(action: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Model Signing's own command line tool."""
    tool = Path(sys.executable).with_name("model_signing")
    arguments = [str(tool), action, "key", str(folder), "--signature", str(folder / "model.sig"), *options]
    return subprocess.run(arguments, capture_output=True, text=True, check=False)


def stock_sign(folder: Path, key: SigningKey, *options: str) -> None:
    file = folder.parent / "private.pem"
    file.write_bytes(key.to_pem())
    signed = stock("sign", folder, "--private_key", str(file), *options)
    assert signed.returncode == 0, signed.stderr


def stock_verify(folder: Path) -> tuple[int, str]:
    file = folder.parent / "public.pem"
    file.write_bytes(KEY.public.to_pem())
    verified = stock("verify", folder, "--public_key", str(file))
    return verified.returncode, verified.stdout


def sign(folder: Path, change: Callable[[dict[str, Any]], object] = lambda serialization: None) -> None:
    """Sign as packages are, with ``serialization`` changed."""
    digests = {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file()
    }
    statement = json.loads(oms.statement("model", digests))
    change(statement["predicate"]["serialization"])
    payload = json.dumps(statement).encode()
    signature = dsse.one_form(KEY.sign(dsse.pae(payload)), "test")
    envelope = Envelope(payload=payload, keyid=KEY.kid, signature=signature)
    (folder / "model.sig").write_bytes(oms.write(envelope, KEY.public))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tree that is not signed yet."""
    folder = tmp_path / "model"
    put(folder, FILES)
    (folder / "no file below").mkdir()
    return folder


def refusal(folder: Path, key: SigningKey = KEY) -> str:
    with pytest.raises(TernaryError) as found:
        signed_folder.verify_with(folder, key.public)
    return str(found.value)


def test_a_tree_that_the_stock_tool_signed_is_accepted(folder: Path) -> None:
    stock_sign(folder, KEY)
    assert signed_folder.verify_with(folder, KEY.public) == SignedFolder(
        model="model", signed_by=KEY.kid, files=len(FILES), size=SIZE, ignored=()
    )


def test_what_the_stock_tool_ignores_is_named(folder: Path) -> None:
    put(folder, {".git/objects/ab": b"x", ".gitattributes": b"x", "notes/draft": b"x"})
    stock_sign(folder, KEY, "--ignore-paths", str(folder / "notes"))
    os.mkfifo(folder / "notes" / "fifo")
    found = signed_folder.verify_with(folder, KEY.public)
    assert found.ignored == (".git", ".gitattributes", "notes")
    assert found.files == len(FILES)


def test_links_to_files_that_the_stock_tool_signed_are_followed(folder: Path) -> None:
    put(folder.parent, {"cache/blob": b"elsewhere"})
    (folder / "link").symlink_to("../cache/blob")
    stock_sign(folder, KEY, "--allow_symlinks")
    assert signed_folder.verify_with(folder, KEY.public).files == len(FILES) + 1
    (folder.parent / "cache" / "blob").write_bytes(b"otherwise")
    assert refusal(folder).startswith("'link': sha256 is ")


def test_the_stock_tool_accepts_what_we_sign(folder: Path) -> None:
    sign(folder)
    assert signed_folder.verify_with(folder, KEY.public).files == len(FILES)
    assert stock_verify(folder) == (0, "Verification succeeded\n")


def altered(folder: Path) -> None:
    (folder / "a.txt").write_bytes(b"hullo\n")


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


TRICKS: dict[str, tuple[Callable[[Path], object], str]] = {
    "an altered file": (
        altered,
        f"'a.txt': sha256 is {digest(b'hullo' + bytes([10]))}, "
        f"the signature says {digest(b'hello' + bytes([10]))}",
    ),
    "an extra file": (
        lambda folder: put(folder, {"sub/deep/more": b""}),
        "model.sig: does not cover 'sub/deep/more'",
    ),
    "an extra file of git's, below": (
        lambda folder: put(folder, {"sub/.git/config": b""}),
        "model.sig: does not cover 'sub/.git/config'",
    ),
    "a name that is no text": (
        lambda folder: Path(os.fsdecode(bytes(folder) + b"/\xff\x1b")).touch(),
        r"model.sig: does not cover '\udcff\x1b'",
    ),
    "a missing file": (
        lambda folder: (folder / "sub" / "empty").unlink(),
        "model.sig: covers 'sub/empty', which is not there",
    ),
    "a folder in place of a file": (
        lambda folder: ((folder / "a.txt").unlink(), (folder / "a.txt").mkdir()),
        "model.sig: covers 'a.txt', which is not there",
    ),
    "a link in place of a file": (
        lambda folder: (
            (folder / "a.txt").rename(folder.parent / "a.txt"),
            (folder / "a.txt").symlink_to("../a.txt"),
        ),
        "'a.txt': a symbolic link, which the signature does not allow",
    ),
    "a link in place of a folder": (
        lambda folder: (
            (folder / "sub").rename(folder.parent / "sub"),
            (folder / "sub").symlink_to("../sub"),
        ),
        "'sub': a symbolic link, which the signature does not allow",
    ),
    "a pipe in place of a file": (
        lambda folder: ((folder / "a.txt").unlink(), os.mkfifo(folder / "a.txt")),
        "'a.txt': not a regular file",
    ),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_a_tree_that_is_not_what_the_stock_tool_signed_is_refused(trick: str, folder: Path) -> None:
    change, sentence = TRICKS[trick]
    stock_sign(folder, KEY)
    change(folder)
    assert refusal(folder) == sentence


@pytest.mark.parametrize("trick", TRICKS)
def test_the_stock_tool_refuses_them_too(trick: str, folder: Path) -> None:
    change, _ = TRICKS[trick]
    stock_sign(folder, KEY)
    change(folder)
    assert stock_verify(folder)[0] == 1


def allow(serialization: dict[str, Any]) -> None:
    serialization["allow_symlinks"] = True


def test_a_link_to_a_folder_is_never_followed(folder: Path) -> None:
    sign(folder, allow)
    (folder / "more").symlink_to("sub")
    assert refusal(folder) == "'more': not a regular file"


def test_a_link_to_itself_is_refused(folder: Path) -> None:
    sign(folder, allow)
    (folder / "loop").symlink_to("loop")
    assert refusal(folder) == "'loop': cannot be read (Too many levels of symbolic links)"


def test_a_name_that_no_system_takes_is_refused(folder: Path) -> None:
    assert refusal(folder / ("x" * 300)) == f"{folder / ('x' * 300)}: cannot be read (File name too long)"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs a file that says it is empty")
def test_no_more_of_a_file_is_read_than_it_had(folder: Path) -> None:
    (folder / "link").touch()
    sign(folder, allow)
    (folder / "link").unlink()
    (folder / "link").symlink_to("/proc/self/status")
    assert refusal(folder) == f"{folder / 'link'}: grows while it is read"


def test_a_file_too_large_to_be_read_is_refused(folder: Path) -> None:
    sign(folder)
    os.truncate(folder / "a.txt", 64 << 30)  # a hole: it takes no room
    assert refusal(folder) == f"{folder}: {(64 << 30) + SIZE - 6:,} bytes, expected at most 68,719,476,736"


def test_more_files_than_are_looked_at_are_refused(folder: Path) -> None:
    sign(folder)
    for number in range(20_000):
        (folder / "no file below" / str(number)).mkdir()
    assert refusal(folder) == f"{folder}: more than 20,000 files and folders"


def test_a_file_that_cannot_be_read_is_refused(folder: Path) -> None:
    assert refusal(folder) == f"{folder / 'model.sig'}: cannot be read (No such file or directory)"
    assert refusal(folder / "a.txt") == f"{folder / 'a.txt'}: not a folder"


def test_another_key_is_refused(folder: Path) -> None:
    other = SigningKey.generate()
    stock_sign(folder, KEY)
    assert refusal(folder, other) == (
        f"model.sig: names the key '{oms.hint_of(KEY.public)}', expected {oms.hint_of(other.public)}"
    )


def test_an_unpacked_package_is_accepted_by_its_trust_file(
    shipped: bytes, vendor: KeyRing, tmp_path: Path
) -> None:
    members = archive.decode(shipped)
    put(tmp_path / "acme", members)
    size = sum(map(len, members.values())) - len(members["model.sig"])
    assert signed_folder.verify(tmp_path / "acme", vendor.trust, NOW) == SignedFolder(
        model="acme-1.0.0",
        signed_by=vendor.signer(Role.PACKAGE).kid,
        files=len(members) - 1,
        size=size,
        ignored=(),
    )
    put(tmp_path / "acme", {".gitattributes": b"what the stock tool ignores of itself"})
    with pytest.raises(SignatureError, match=r"^model\.sig: does not cover '\.gitattributes'$"):
        signed_folder.verify(tmp_path / "acme", vendor.trust, NOW)


def trust_refusal(folder: Path, trust: Trust, now: datetime = NOW) -> str:
    with pytest.raises(SignatureError) as found:
        signed_folder.verify(folder, trust, now)
    return str(found.value)


def test_a_key_that_the_trust_file_lacks_is_refused(folder: Path, vendor: KeyRing) -> None:
    stock_sign(folder, KEY)
    assert trust_refusal(folder, vendor.trust) == (
        f"model.sig: names the key '{oms.hint_of(KEY.public)}', which is not in the key set of Acme Logic "
        "(version 1); if Acme Logic has changed its keys, get its newest trust file and run "
        "'ternary trust update FILE'"
    )


def test_a_key_of_another_role_is_refused(folder: Path, vendor: KeyRing) -> None:
    key = vendor.signer(Role.LICENSE)
    stock_sign(folder, key)
    assert trust_refusal(folder, vendor.trust) == f"key {key.kid} has role license, expected package"


def test_a_key_set_vouches_for_what_has_no_date_until_its_end(folder: Path, tmp_path: Path) -> None:
    ring = keyring.create(tmp_path / "keys", "Acme Logic", NOW, expires=datetime(2026, 7, 1, tzinfo=UTC))
    stock_sign(folder, ring.signer(Role.PACKAGE))
    assert signed_folder.verify(folder, ring.trust, datetime(2026, 7, 1, tzinfo=UTC)).files == len(FILES)
    assert trust_refusal(folder, ring.trust, datetime(2026, 7, 1, 0, 0, 1, tzinfo=UTC)) == (
        "model.sig: has no date, and the key set of Acme Logic ended on 2026-07-01; "
        "get the vendor's newer trust file and run 'ternary trust update FILE'"
    )


def test_what_a_revoked_key_signed_is_refused(folder: Path, tmp_path: Path) -> None:
    ring = keyring.create(tmp_path / "keys", "Acme Logic", NOW)
    key = ring.signer(Role.PACKAGE)
    stock_sign(folder, key)
    ring = rotation.revoke_key(rotation.rotate(ring, Role.PACKAGE, NOW), key.kid, NOW)
    assert trust_refusal(folder, ring.trust) == (
        f"key {key.kid} was revoked by Acme Logic on 2026-06-01; nothing it signed is valid; "
        "get it again from "
        "Acme Logic, signed by another key"
    )


BUNDLES = Path(__file__).parents[2] / "vectors" / "model-signing"
"""By the releases of model-signing that they are named after: of ``OLD_FILES``, and of ``a.txt`` alone."""
OLD_FILES = {"a.txt": b"hello\n", "sub/b.txt": b"deep\n", "ünicode": "ü\n".encode()}
RELEASES = ("0.3.1", "1.0.0", "1.0.1", "1.1.0")


def of_release(release: str, kind: str, tmp_path: Path) -> tuple[Path, PublicKey]:
    folder = tmp_path / "tree"
    put(folder, {**OLD_FILES, "model.sig": (BUNDLES / f"{release}-{kind}.sig").read_bytes()})
    return folder, PublicKey.from_pem((BUNDLES / "public.pem").read_bytes(), "public.pem")


@pytest.mark.parametrize("release", RELEASES)
def test_a_tree_that_an_older_release_of_the_stock_tool_signed_is_accepted(
    release: str, tmp_path: Path
) -> None:
    folder, key = of_release(release, "folder", tmp_path)
    size = sum(map(len, OLD_FILES.values()))
    assert signed_folder.verify_with(folder, key) == SignedFolder(
        model="tree", signed_by=key.kid, files=3, size=size, ignored=()
    )
    other = SigningKey.generate()
    assert refusal(folder, other) == (
        f"model.sig: names the key '{oms.hint_of(key)}', expected {oms.hint_of(other.public)}"
    )
    altered(folder)
    with pytest.raises(SignatureError, match=r"^'a\.txt': sha256 is "):
        signed_folder.verify_with(folder, key)


@pytest.mark.parametrize("release", RELEASES)
def test_the_signature_of_a_single_file_is_refused(release: str, tmp_path: Path) -> None:
    folder, key = of_release(release, "file", tmp_path)
    with pytest.raises(FormatError) as found:
        signed_folder.verify_with(folder, key)
    assert str(found.value) == "model.sig: signs the single file 'a.txt', expected a folder's files"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda public: public.update(keyDetails="PKIX_ECDSA_P384_SHA_384"),
            ".keyDetails: 'PKIX_ECDSA_P384_SHA_384', expected 'PKIX_ECDSA_P256_SHA_256'",
        ),
        (lambda public: public.pop("keyDetails"), ": member 'keyDetails' is missing"),
        (lambda public: public.update(hint="x"), ": unknown member 'hint'"),
        (
            lambda public: public.update(rawBytes="A"),
            ".rawBytes: 'A', expected canonical base64 of at most 1024 bytes",
        ),
    ],
)
def test_a_key_written_out_in_another_way_is_refused(
    change: Callable[[dict[str, Any]], object], sentence: str, tmp_path: Path
) -> None:
    folder, key = of_release("1.0.1", "folder", tmp_path)
    bundle = json.loads((folder / "model.sig").read_bytes())
    change(bundle["verificationMaterial"]["publicKey"])
    (folder / "model.sig").write_text(json.dumps(bundle))
    with pytest.raises(FormatError) as found:
        signed_folder.verify_with(folder, key)
    assert str(found.value).endswith(f"model.sig.verificationMaterial.publicKey{sentence}")


@pytest.mark.parametrize(
    ("signed", "held", "forms"),
    [
        ("caf\u00e9", "cafe\u0301", (r"'caf\xe9' (NFC)", r"'cafe\u0301' (NFD)")),
        ("cafe\u0301", "caf\u00e9", (r"'cafe\u0301' (NFD)", r"'caf\xe9' (NFC)")),
        ("e\u0301\u00e9", "\u00e9\u00e9", (r"'e\u0301\xe9' (a mixed form)", r"'\xe9\xe9' (NFC)")),
    ],
)
def test_a_name_that_was_written_in_another_form_is_told_as_such(
    signed: str, held: str, forms: tuple[str, str], folder: Path
) -> None:
    put(folder, {signed: b"x"})
    sign(folder)
    (folder / signed).rename(folder / held)
    assert refusal(folder) == (
        f"model.sig: covers {forms[0]}, the folder holds the same letters as {forms[1]}; "
        "copy it again in a way that keeps names, such as a tar archive"
    )
