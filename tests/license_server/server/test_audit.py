"""The audit log: whole, or the row that is not is named."""

import pytest
from sqlalchemy import delete, event, insert, select, text, update

from ternary_license_server.database.schema import audit as rows
from ternary_license_server.database.schema import audit_heads
from ternary_license_server.service import audit, auditing


def faults(shop):
    with shop.database.read() as transaction:
        return list(auditing.faults(transaction))


@pytest.fixture
def sold(new_shop, new_client):
    license_id, key = new_shop.sell(seats=3)
    for _ in range(3):
        new_shop.activate(key, new_client())
    assert faults(new_shop) == []
    return new_shop, license_id


def damage(shop, statement):
    with shop.database.write() as transaction:
        transaction.execute(statement)


def row(license_id, number):
    return (rows.c.stream == license_id) & (rows.c.number == number)


def test_edited_row_is_named(sold):
    shop, license_id = sold
    damage(shop, update(rows).where(row(license_id, 2)).values(actor="nobody"))
    assert faults(shop) == [f"audit of {license_id}, row 2: edited (lease.activate by nobody)"]


def test_edited_row_whose_hash_was_made_again_is_found_by_its_follower(sold):
    shop, license_id = sold
    with shop.database.write() as transaction:
        second = list(audit.entries(transaction, license_id))[1]
        forged = audit.Entry(**{**vars(second), "actor": "nobody"}).expected_hash()
        transaction.execute(update(rows).where(row(license_id, 2)).values(actor="nobody", hash=forged))
    assert faults(shop) == [
        f"audit of {license_id}, row 3: does not follow the row before it; one of the two was edited or "
        "inserted"
    ]


def test_deleted_row_is_named(sold):
    shop, license_id = sold
    damage(shop, delete(rows).where(row(license_id, 2)))
    assert faults(shop) == [f"audit of {license_id}: row 2 deleted"]


def test_deleted_end_is_named(sold):
    shop, license_id = sold
    damage(shop, delete(rows).where(rows.c.stream == license_id, rows.c.number > 2))
    assert faults(shop) == [f"audit of {license_id}: rows 3 to 4 deleted"]


def test_deleted_stream_and_deleted_head_are_named(sold):
    shop, license_id = sold
    damage(shop, delete(audit_heads).where(audit_heads.c.stream == license_id))
    assert faults(shop) == [
        f"audit of {license_id}: rows 1 to 4 without a head; the head was deleted or the rows inserted"
    ]
    damage(shop, insert(audit_heads).values(stream=license_id, number=4, hash="x"))
    damage(shop, delete(rows).where(rows.c.stream == license_id))
    assert faults(shop) == [f"audit of {license_id}: all 4 rows were deleted"]


def forge(entry, **changes):
    """A row like another, with the hash that it must have."""
    values = {**vars(entry), **changes}
    return audit.Entry(**(values | {"hash": audit.Entry(**values).expected_hash()}))


def replace(shop, license_id, entries):
    """Make these the rows of a stream, as somebody does who can write to the table."""
    with shop.database.write() as transaction:
        transaction.execute(delete(rows).where(rows.c.stream == license_id))
        transaction.execute(insert(rows), [vars(entry) for entry in entries])


def written(shop, license_id):
    with shop.database.read() as transaction:
        return audit.entries(transaction, license_id)


def test_row_inserted_after_the_last_is_named(sold):
    shop, license_id = sold
    known = written(shop, license_id)
    fifth = forge(known[-1], number=5, previous=known[-1].hash)
    replace(shop, license_id, [*known, fifth])
    assert faults(shop) == [f"audit of {license_id}, row 5: inserted after the last"]
    replace(shop, license_id, [*known, fifth, forge(fifth, number=6, previous=fifth.hash)])
    assert faults(shop) == [f"audit of {license_id}, rows 5 to 6: inserted after the last"]


def test_row_inserted_between_two_is_found_by_its_follower(sold):
    shop, license_id = sold
    one, two, three, four = written(shop, license_id)
    between = forge(two, number=3, previous=two.hash)
    moved = [audit.Entry(**(vars(row) | {"number": row.number + 1})) for row in (three, four)]
    replace(shop, license_id, [one, two, between, *moved])
    assert faults(shop) == [
        f"audit of {license_id}, row 4: does not follow the row before it; one of the two was edited or "
        "inserted",
        f"audit of {license_id}, row 4: edited ({three.action} by {three.actor})",
        f"audit of {license_id}, row 5: edited ({four.action} by {four.actor})",
        f"audit of {license_id}: rows up to 5, its head was written for 4; some were inserted",
    ]


def test_row_inserted_between_two_whose_followers_were_written_anew_is_found_by_the_head(sold):
    shop, license_id = sold
    known = written(shop, license_id)
    chain = known[:2]
    for entry in known[1:]:
        chain.append(forge(entry, number=len(chain) + 1, previous=chain[-1].hash))
    replace(shop, license_id, chain)
    assert faults(shop) == [
        f"audit of {license_id}: rows up to 5, its head was written for 4; some were inserted"
    ]


def test_row_inserted_before_the_first_is_named(sold):
    shop, license_id = sold
    known = written(shop, license_id)
    replace(shop, license_id, [forge(known[0], number=0), *known])
    assert faults(shop) == [f"audit of {license_id}, row 0: inserted before the first"]
    replace(shop, license_id, [forge(known[0], number=0)])
    assert faults(shop) == [
        f"audit of {license_id}, row 0: inserted before the first",
        f"audit of {license_id}: rows 1 to 4 deleted",
    ]


def test_row_forged_in_a_stream_of_its_own_is_found_by_the_head_it_lacks(sold):
    shop, license_id = sold
    replace(shop, "L-forged", [forge(written(shop, license_id)[0], stream="L-forged")])
    assert faults(shop) == [
        "audit of L-forged: row 1 without a head; the head was deleted or the rows inserted"
    ]
    damage(shop, insert(audit_heads).values(stream="L-forged", number=0, hash=audit.GENESIS))
    assert faults(shop) == ["audit of L-forged, row 1: inserted after the last"]


def test_row_that_is_appended_while_the_log_is_checked_is_no_fault(sold, now):
    shop, license_id = sold

    def write_on(*_):
        with shop.database.write() as other:
            audit.append(other, license_id, actor="test", action="test", detail={})

    with shop.database.read() as transaction:
        event.listen(transaction.connection, "after_cursor_execute", write_on, once=True)
        assert list(auditing.faults(transaction)) == []
        assert len(audit.entries(transaction, license_id)) == 4
    assert faults(shop) == []
    with shop.database.read() as transaction:
        assert len(audit.entries(transaction, license_id)) == 5


def test_head_changes_with_every_row(sold, new_client, now):
    shop, _ = sold
    with shop.database.read() as transaction:
        before = auditing.summary(transaction)
    shop.sell()
    with shop.database.read() as transaction:
        after = auditing.summary(transaction)
    assert after[0] > before[0]
    assert after[1] != before[1]


def test_head_is_the_same_whatever_the_database_sorts_by(new_shop):
    """A dump that is restored where text is sorted in another order must not look like an edited log."""
    new_shop.sell()
    streams = ("license b", "License a", "licenseA", "license-b", "licénse a")
    with new_shop.database.write() as transaction:
        for stream in streams:
            audit.append(transaction, stream, actor="test", action="test", detail={})
        before = auditing.summary(transaction)
        resort(new_shop, transaction)
        names = transaction.execute(select(audit_heads.c.stream).order_by(audit_heads.c.stream)).scalars()
        assert (found := list(names)) != sorted(found)
        assert auditing.summary(transaction) == before
        assert list(auditing.faults(transaction)) == []


def resort(shop, transaction):
    """Let the database sort the log as people do: capital letters among small ones."""
    if not shop.database.sqlite:
        for table in ("audit", "audit_heads"):
            change = f'ALTER TABLE {table} ALTER COLUMN stream TYPE text COLLATE "en-x-icu"'
            transaction.execute(text(change))
        return
    columns = "number, hash, sealed, sealed_hash, archived, archived_hash"
    transaction.execute(text(f"CREATE TABLE resorted (stream TEXT COLLATE NOCASE, {columns})"))
    transaction.execute(text(f"INSERT INTO resorted SELECT stream, {columns} FROM audit_heads"))
    transaction.execute(text("DROP TABLE audit_heads"))
    transaction.execute(text("ALTER TABLE resorted RENAME TO audit_heads"))


def test_log_is_read_page_by_page_without_a_gap(site):
    sold = [site.sell()[0] for _ in range(3)]
    rows, after = [], None
    while page := site.admin(
        "GET", "/audit", params={"limit": 2} | ({"after": after} if after else {})
    ).json():
        rows += page
        after = f"{page[-1]['stream']} {page[-1]['number']}"
    with site.database.read() as transaction:
        assert rows == [vars(entry) for entry in audit.entries(transaction)]
    assert set(sold) < {row["stream"] for row in rows}
    for odd in ("x", "L-1", "L-1 x", "L-1 -1", "L-1 1234567890", "\u2028 1"):
        refused = site.admin("GET", "/audit", params={"after": odd})
        assert (refused.status_code, refused.json()["code"]) == (400, "MALFORMED")


def test_log_holds_no_secret(sold):
    shop, _ = sold
    _, key = shop.sell()
    with shop.database.read() as transaction:
        written = " ".join(entry.detail for entry in audit.entries(transaction))
    assert key not in written
