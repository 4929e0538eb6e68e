"""The key that seals the secrets of webhooks."""

import pytest

from ternary_license_server.keys import webhook_key
from ternary_sdk.errors import InputError


def test_what_was_sealed_is_opened_and_every_sealing_is_another_text(tmp_path):
    key = webhook_key.create(tmp_path)
    sealed = {key.seal(b"secret"), key.seal(b"secret")}
    assert len(sealed) == 2
    assert {webhook_key.load(tmp_path).unseal(one) for one in sealed} == {b"secret"}
    assert (tmp_path / "webhook.pem").stat().st_mode & 0o777 == 0o600


def test_a_key_is_never_replaced(tmp_path):
    webhook_key.create(tmp_path)
    before = (tmp_path / "webhook.pem").read_bytes()
    with pytest.raises(InputError) as refusal:
        webhook_key.create(tmp_path)
    path = tmp_path / "webhook.pem"
    assert str(refusal.value) == (f"{path}: exists already; without it no secret of a webhook can be read")
    assert path.read_bytes() == before


def test_a_missing_key_says_how_to_make_one(tmp_path):
    with pytest.raises(InputError) as refusal:
        webhook_key.load(tmp_path)
    assert str(refusal.value) == (
        f"{tmp_path / 'webhook.pem'}: no such file; run 'ternary keys webhook DIR', and copy the file to "
        "every server of this database"
    )


@pytest.mark.parametrize("data", [b"", b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"])
def test_a_damaged_key_is_refused(tmp_path, data):
    path = tmp_path / "webhook.pem"
    path.write_bytes(data)
    path.chmod(0o600)
    with pytest.raises(InputError) as refusal:
        webhook_key.load(tmp_path)
    assert str(refusal.value) == (
        f"{path}: not an unencrypted PEM private key on P-256; restore it from a backup"
    )


def test_a_secret_of_another_key_or_altered_is_refused(tmp_path):
    (other := tmp_path / "other").mkdir()
    key, sealed = webhook_key.create(tmp_path), webhook_key.create(other).seal(b"secret")
    head, tail = key.seal(b"secret").rsplit(".", 1)
    altered = f"{head}.{'B' if tail[0] == 'A' else 'A'}{tail[1:]}"
    for wrong in (sealed, altered, "nothing"):
        with pytest.raises(InputError) as refusal:
            key.unseal(wrong)
        assert str(refusal.value) == (
            f"{tmp_path / 'webhook.pem'}: does not open the webhook's secret, which another key sealed; "
            "restore that file, or remove the webhook and add it anew"
        )
