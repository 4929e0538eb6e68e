"""Signed checkpoints of the audit log: verification begins from the newest, and from no other."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select, update

from ternary_license_server.database.schema import audit as rows
from ternary_license_server.database.schema import audit_checkpoints, audit_heads
from ternary_license_server.keys import keyring
from ternary_license_server.service import audit, auditing, checkpoints
from ternary_license_server.service.checkpoints import Checkpoint
from ternary_license_server.service.refusals import ServiceError
from ternary_sdk.errors import FormatError, SignatureError, TernaryError


@pytest.fixture
def sealed(new_shop, new_client):
    """A shop with a license, and its first checkpoint."""
    license_id, key = new_shop.sell(seats=3)
    new_shop.activate(key, new_client())
    return new_shop, license_id, checkpoints.make(new_shop.database, new_shop.ring, actor="test")


def faults(shop, token):
    with shop.database.read() as transaction:
        return list(checkpoints.faults(transaction, shop.ring.trust, token))


def refusal(shop, token):
    with pytest.raises(TernaryError) as refused:
        faults(shop, token)
    return type(refused.value), str(refused.value)


def damage(shop, statement):
    with shop.database.write() as transaction:
        transaction.execute(statement)


def test_checkpoint_states_what_the_log_held(sealed, now):
    shop, _, token = sealed
    stated = Checkpoint.read(token, shop.ring.trust)
    with shop.database.read() as transaction:
        number = transaction.execute(select(func.count()).select_from(rows)).scalar_one()
    assert (stated.vendor, stated.number, stated.at, stated.previous) == (shop.ring.vendor, 1, now, None)
    assert stated.rows == number - 1  # the row about the checkpoint itself came after it
    assert faults(shop, token) == []
    assert faults(shop, token + b"\n") == []


def test_rows_after_the_checkpoint_are_verified_and_those_before_are_not_read(sealed, new_client, now):
    shop, license_id, token = sealed
    other, key = shop.sell()
    shop.activate(key, new_client(), now)
    this = (rows.c.stream == license_id) & (rows.c.number == 1)
    damage(shop, update(rows).where(this).values(actor="nobody"))
    assert faults(shop, token) == []
    that = (rows.c.stream == other) & (rows.c.number == 2)
    damage(shop, update(rows).where(that).values(actor="nobody"))
    assert faults(shop, token) == [f"audit of {other}, row 2: edited (lease.activate by nobody)"]
    with shop.database.read() as transaction:
        assert len(list(auditing.faults(transaction))) == 2


def test_missing_row_before_the_checkpoint_is_counted(sealed):
    shop, license_id, token = sealed
    damage(shop, delete(rows).where(rows.c.stream == license_id, rows.c.number == 1))
    with shop.database.read() as transaction:
        kept = transaction.execute(select(func.count()).select_from(rows)).scalar_one()
    assert faults(shop, token) == [
        f"audit: has {kept} rows, its heads and marks say {kept + 1}; verify it without the checkpoint, "
        "which names them"
    ]


def test_next_checkpoint_names_the_one_before_and_takes_its_place(sealed):
    shop, _, first = sealed
    shop.sell()
    second = checkpoints.make(shop.database, shop.ring, actor="test")
    stated = Checkpoint.read(second, shop.ring.trust)
    with shop.database.read() as transaction:
        known = transaction.execute(
            select(audit_checkpoints.c.sha256).order_by(audit_checkpoints.c.number)
        ).scalars()
        assert (stated.number, stated.previous) == (2, next(iter(known)))
    assert faults(shop, second) == []
    assert refusal(shop, first) == (
        ServiceError,
        "checkpoint 1 of 2026-03-01 12:00:00 UTC: is not the newest, which is number 2; verify from that "
        "one, or without any",
    )


def test_checkpoint_of_another_database_is_refused(sealed, tmp_path, make_shop, database_address):
    shop, _, _ = sealed
    with database_address("sqlite", tmp_path) as url:
        other = make_shop(url)
        other.hands.moment += timedelta(days=1)
        token = checkpoints.make(other.database, other.ring, actor="test")
        other.database.close()
    assert refusal(shop, token) == (
        ServiceError,
        "checkpoint 1 of 2026-03-02 12:00:00 UTC: was not made by this database; it is another's, or newer "
        "than the backup that this one was restored from",
    )


def test_forged_and_truncated_checkpoints_are_refused(sealed, tmp_path, now):
    shop, _, token = sealed
    other = keyring.create(tmp_path / "other", shop.ring.vendor, now)
    forged = other.signer("answer").sign_token(
        Checkpoint.read(token, shop.ring.trust).claims(), typ=checkpoints.TYP
    )
    kind, why = refusal(shop, forged)
    assert kind is SignatureError
    assert why.startswith(f"key {other.signer('answer').kid} is not in the key set of {shop.ring.vendor}")
    kind, why = refusal(shop, token[:-2])
    assert (kind, why) == (FormatError, "checkpoint: signature of 63 bytes, expected 64 (r and s)")
    other_type = shop.ring.signer("answer").sign_token({}, typ="ternary-answer+jws")
    assert refusal(shop, other_type)[0] is FormatError


def test_marks_that_were_changed_are_refused(sealed):
    shop, license_id, token = sealed
    stated = Checkpoint.read(token, shop.ring.trust)
    damage(shop, update(audit_heads).where(audit_heads.c.stream == license_id).values(sealed=1))
    kind, why = refusal(shop, token)
    assert kind is ServiceError
    start = (
        f"{stated}: states {stated.rows} rows and head {stated.head[:12]}…, the marks in this database give"
    )
    assert why.startswith(f"{start} {stated.rows - 1} and ")
    assert why.endswith("…: they were changed; verify the log without the checkpoint")


def test_log_with_faults_gets_no_checkpoint(sealed):
    shop, license_id, token = sealed
    with shop.database.write() as transaction:
        audit.append(transaction, license_id, actor="test", action="test", detail={})
    damage(shop, update(rows).where(rows.c.stream == license_id, rows.c.number == 3).values(action="other"))
    with pytest.raises(ServiceError) as refused:
        checkpoints.make(shop.database, shop.ring, actor="test")
    assert str(refused.value) == (
        f"the audit log has faults, so no checkpoint is made: audit of {license_id}, row 3: edited (other by "
        "test)"
    )
    assert faults(shop, token) == [f"audit of {license_id}, row 3: edited (other by test)"]


def test_server_verifies_from_a_checkpoint(running):
    token = checkpoints.make(running.database, running.ring, actor="test").decode()
    whole = running.admin("GET", "/audit/verify").json()
    assert running.admin("GET", "/audit/verify", params={"checkpoint": token}).json() == whole
    assert whole["faults"] == []
    refused = running.admin("GET", "/audit/verify", params={"checkpoint": token[:-2]})
    assert (refused.status_code, refused.json()["detail"]) == (
        400,
        "checkpoint: signature of 63 bytes, expected 64 (r and s)",
    )
