"""Archives of the audit log: rows that a checkpoint covers leave the database, and are verified alone."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from ternary_license_server.database.schema import audit as rows
from ternary_license_server.keys import keyring
from ternary_license_server.local import archiving
from ternary_license_server.service import archives, audit, auditing, checkpoints
from ternary_sdk.errors import FormatError, InputError, SignatureError, TernaryError

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def archive(shop, folder, keep=timedelta(0), **most):
    return list(archiving.archive(shop.database, shop.ring, folder, keep, actor="test", **most))


@pytest.fixture
def aged(new_shop, new_client, now):
    """A shop with renewals of two days, and a checkpoint of the second."""
    license_id, key = new_shop.sell(lease=3 * DAY)
    client = new_client()
    new_shop.activate(key, client, now)
    for n in range(1, 4):
        new_shop.renew(license_id, 1, client, now + n * MINUTE)
    new_shop.renew(license_id, 1, client, now + 2 * DAY)
    new_shop.hands.moment = now + 2 * DAY + MINUTE
    token = checkpoints.make(new_shop.database, new_shop.ring, actor="test")
    return new_shop, license_id, client, token


def log(shop):
    with shop.database.read() as transaction:
        return audit.entries(transaction), list(auditing.faults(transaction))


def test_old_rows_are_moved_and_what_is_left_is_whole(aged, tmp_path, now):
    shop, license_id, client, token = aged
    before, _ = log(shop)
    (made,) = archive(shop, tmp_path, DAY)
    after, wrong = log(shop)
    assert wrong == []
    lines = (tmp_path / "audit-000001.jsonl").read_text().splitlines()
    written = [tuple(json.loads(line)) for line in lines[1:-1]]
    old = [entry for entry in before if entry.at < (now + DAY).timestamp()]
    assert written == [tuple(vars(entry).values()) for entry in old]
    mine = [entry.number for entry in after if entry.stream == license_id]
    assert mine == [3, 6]  # the first renewal stays, as the base of the last
    assert archives.verify(made.file, shop.ring.trust) == made.seal
    with shop.database.read() as transaction:
        assert list(checkpoints.faults(transaction, shop.ring.trust, token)) == []
    shop.renew(license_id, 1, client, now + 2 * DAY + 2 * MINUTE)
    assert log(shop)[1] == []


def test_rows_that_no_checkpoint_covers_stay(aged, tmp_path, now):
    shop, _, _, _ = aged
    archive(shop, tmp_path)
    later, _ = shop.sell(now + 3 * DAY)
    shop.hands.moment = now + 9 * DAY
    archive(shop, tmp_path)
    assert later in {entry.stream for entry in log(shop)[0]}


def test_base_that_nothing_needs_any_more_goes_with_the_next_archive(aged, new_client, tmp_path, now):
    shop, license_id, client, _ = aged
    archive(shop, tmp_path, DAY)
    shop.renew(license_id, 1, client, now + 2 * DAY + 2 * MINUTE)
    shop.hands.moment = now + 3 * DAY
    checkpoints.make(shop.database, shop.ring, actor="test")
    shop.hands.moment = now + 4 * DAY
    archive(shop, tmp_path)
    with shop.database.read() as transaction:
        assert transaction.execute(select(rows.c.number).where(rows.c.stream == license_id)).all() == []
    shop.renew(license_id, 1, client, now + 4 * DAY)  # a whole row again
    assert log(shop)[1] == []
    seals = list(archives.chain(sorted(tmp_path.glob("*.jsonl")), shop.ring.trust))
    assert [seal.number for seal in seals] == [1, 2]


def test_many_rows_make_several_files_that_follow_each_other(aged, tmp_path):
    shop, _, _, _ = aged
    made = archive(shop, tmp_path, most=3)
    assert len(made) > 2
    assert {one.seal.rows for one in made[:-1]} == {3}
    assert [seal.number for seal in archives.chain([one.file for one in made], shop.ring.trust)] == list(
        range(1, len(made) + 1)
    )
    assert log(shop)[1] == []


def test_file_that_the_database_has_not_written_is_never_replaced(aged, tmp_path):
    shop, _, _, _ = aged
    there = tmp_path / "audit-000001.jsonl"
    there.write_text("other")
    before = log(shop)
    with pytest.raises(InputError) as refused:
        archive(shop, tmp_path)
    assert str(refused.value) == f"{there}: is there, and this database has not written it; move it away"
    assert (log(shop), there.read_text(), len(list(tmp_path.glob("*.json*")))) == (before, "other", 1)


def test_edited_row_is_not_archived(aged, tmp_path):
    shop, license_id, _, _ = aged
    with shop.database.write() as transaction:
        transaction.execute(rows.update().where(rows.c.stream == license_id, rows.c.number == 1).values(at=0))
    with pytest.raises(
        TernaryError, match=f"audit of {license_id}, row 1: was edited, so it is not archived"
    ):
        archive(shop, tmp_path)
    assert list(tmp_path.glob("*.jsonl")) == []


@pytest.fixture(scope="module")
def files(shop, new_client, tmp_path_factory):
    """Two archives of one database, and its vendor's trust file."""
    folder = tmp_path_factory.mktemp("archives")
    shop.sell()
    checkpoints.make(shop.database, shop.ring, actor="test")
    shop.hands.moment += DAY
    archive(shop, folder)
    shop.sell(shop.hands.moment)
    checkpoints.make(shop.database, shop.ring, actor="test")
    shop.hands.moment += DAY
    archive(shop, folder)
    return sorted(folder.glob("*.jsonl")), shop.ring.trust


def refused(file, trust, before=None):
    with pytest.raises(TernaryError) as refusal:
        archives.verify(file, trust, before)
    return type(refusal.value), str(refusal.value)


def changed(tmp_path, file, change):
    lines = file.read_bytes().splitlines(keepends=True)
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(b"".join(change(lines)))
    return copy


def test_archive_that_was_cut_off_is_refused(files, tmp_path):
    (first, _), trust = files
    number = len(first.read_bytes().splitlines()) - 2
    cut = changed(tmp_path, first, lambda lines: lines[:-1])
    assert refused(cut, trust) == (
        FormatError, f"copy.jsonl: ends without a seal, after {number} rows: it was cut off"
    )  # fmt: skip
    within = changed(tmp_path, first, lambda lines: [*lines[:-1], lines[-1][:-9]])
    why = f"copy.jsonl, line {number + 2}: has no end: it was cut off"
    assert refused(within, trust) == (FormatError, why)
    assert refused(changed(tmp_path, first, lambda _: []), trust)[0] is FormatError


def test_archive_whose_rows_were_changed_is_refused(files, tmp_path):
    (first, second), trust = files
    without = changed(tmp_path, first, lambda lines: [*lines[:1], *lines[2:]])
    kind, why = refused(without, trust)
    assert kind is FormatError
    assert "does not follow" in why or why.endswith("it was changed")
    edited = changed(
        tmp_path, first, lambda lines: [*lines[:1], lines[1].replace(b'"test"', b'"best"'), *lines[2:]]
    )
    assert refused(edited, trust)[1].startswith("copy.jsonl, line 2: row 1 of ")
    assert refused(edited, trust)[1].endswith(" was edited")
    its = second.read_bytes().splitlines(keepends=True)[-1]
    other_seal = changed(tmp_path, first, lambda lines: [*lines[:-1], its])
    assert refused(other_seal, trust)[1].startswith("copy.jsonl: its seal is of archive 2, ")
    more = changed(tmp_path, first, lambda lines: [*lines, lines[-1]])
    assert refused(more, trust) == (FormatError, "copy.jsonl: goes on after its seal")


def test_archive_of_another_vendor_is_refused(files, tmp_path, now):
    (first, _), _ = files
    other = keyring.create(tmp_path / "keys", "Acme Logic", now)
    assert refused(first, other.trust)[0] is SignatureError


def test_archives_that_do_not_follow_each_other_are_refused(files):
    (first, second), trust = files
    seal = archives.verify(second, trust)
    assert refused(first, trust, seal) == (
        FormatError,
        "audit-000001.jsonl: archive 1 does not follow archive 2; one between is missing, or one of the two "
        "is of another database",
    )
    assert [one.number for one in archives.chain([first, second], trust)] == [1, 2]
