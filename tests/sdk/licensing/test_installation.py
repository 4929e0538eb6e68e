import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ternary_sdk._internal.licensing import installation
from ternary_sdk._internal.signing.keys import PublicKey
from ternary_sdk.errors import LedgerError, SignatureError


def made(directory: Path) -> installation.Installation:
    installation.keep(installation.draft(directory))
    kept = installation.find(directory)
    assert kept is not None
    return kept


def test_there_is_none_until_one_is_made(tmp_path: Path) -> None:
    assert installation.find(tmp_path / "state") is None
    assert not (tmp_path / "state").exists()


def test_key_is_kept_private_and_found_again(tmp_path: Path) -> None:
    first = made(tmp_path / "state")
    path = tmp_path / "state" / "installation.json"
    assert installation.find(tmp_path / "state") == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]
    assert "PrivateKey" not in repr(first)


def test_first_of_several_makers_wins(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        kids = {one.kid for one in pool.map(lambda _: made(tmp_path / "state"), range(16))}
    assert len(kids) == 1


def test_token_is_read_by_its_own_installation_alone(tmp_path: Path) -> None:
    one, other = made(tmp_path / "one"), made(tmp_path / "other")
    token = one.sign_token({"n": 1}, typ="test+jwt")
    assert one.read_token(token, typ="test+jwt", what="token") == {"n": 1}
    with pytest.raises(SignatureError) as refusal:
        other.read_token(token, typ="test+jwt", what="token")
    assert str(refusal.value) == f"token: signature: not made by key {other.kid} over these bytes"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"format": "ternary-installation/2"},
            ".format: 'ternary-installation/2', expected 'ternary-installation/1'",
        ),
        ({"key": None}, ".key: null, expected an object"),
        ({"extra": 1}, ": unknown member 'extra'"),
    ],
)
def test_file_of_another_shape_is_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    made(tmp_path)
    path = tmp_path / "installation.json"
    document = json.loads(path.read_bytes()) | change
    path.write_text(json.dumps(document, sort_keys=True, separators=(",", ":")))
    with pytest.raises(LedgerError) as refusal:
        installation.find(tmp_path)
    assert str(refusal.value) == f"{path}: damaged (installation.json{message})"


@pytest.mark.parametrize(
    ("secret", "message"),
    [
        ("A" * 43, ".key.d: no private key of P-256"),
        ("_" * 42 + "8", ".key.d: no private key of P-256"),
        ("A" * 42 + "E", ".key: d does not belong to x and y"),
    ],
)
def test_secret_that_is_not_the_public_keys_is_refused(tmp_path: Path, secret: str, message: str) -> None:
    made(tmp_path)
    path = tmp_path / "installation.json"
    document = json.loads(path.read_bytes())
    document["key"]["d"] = secret
    path.write_text(json.dumps(document, sort_keys=True, separators=(",", ":")))
    with pytest.raises(LedgerError) as refusal:
        installation.find(tmp_path)
    assert str(refusal.value) == f"{path}: damaged (installation.json{message})"


def test_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError) as refusal:
        made(tmp_path / "file")
    assert str(refusal.value) == (
        f"{tmp_path}/file: cannot be made (File exists); "
        "name another state directory with state= or '--state DIR'"
    )


def test_public_half_names_it(tmp_path: Path) -> None:
    one = made(tmp_path)
    assert isinstance(one.public, PublicKey)
    assert one.kid == one.public.kid
