"""Erased rows of the audit log meet checkpoints and archives: nothing is refused, and nothing is hidden."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from tests.buyers import change

from ternary_license_server.database.schema import audit as rows
from ternary_license_server.database.schema import licenses
from ternary_license_server.local import archiving
from ternary_license_server.service import archives, audit, auditing, checkpoints, customers, erasure, life
from ternary_sdk.errors import TernaryError

DAY = timedelta(days=1)


@pytest.fixture
def gone(new_shop, now):
    """A shop, and a customer of it that may be anonymised."""
    license_id, _ = new_shop.sell()
    change(new_shop, now, life.revoke, license_id)
    with new_shop.database.read() as transaction:
        query = select(licenses.c.customer).where(licenses.c.id == license_id)
        return new_shop, str(transaction.execute(query).scalar_one())


def seal(shop):
    return checkpoints.make(shop.database, shop.ring, actor="test")


def archive(shop, folder):
    """Archive all that is sealed, a day later."""
    shop.hands.moment += DAY
    made = archiving.archive(shop.database, shop.ring, folder, timedelta(0), actor="test")
    return [one.file for one in made]


def anonymise(shop, customer):
    change(shop, shop.hands.moment, customers.anonymise, customer)


def faults(shop, token=None):
    with shop.database.read() as transaction:
        if token is None:
            return list(auditing.faults(transaction))
        return list(checkpoints.faults(transaction, shop.ring.trust, token))


def test_erased_rows_are_archived_as_they_are(gone, tmp_path):
    shop, customer = gone
    anonymise(shop, customer)
    token = seal(shop)
    files = archive(shop, tmp_path)
    assert "Initech" not in files[0].read_text()
    assert f'["customer {customer}",1,' in files[0].read_text()
    assert len(list(archives.chain(files, shop.ring.trust))) == 1
    assert (faults(shop), faults(shop, token)) == ([], [])


def test_checkpoint_of_before_an_erasure_still_holds(gone, tmp_path):
    shop, customer = gone
    first = seal(shop)
    anonymise(shop, customer)
    assert (faults(shop), faults(shop, first)) == ([], [])
    files = archive(shop, tmp_path)  # the statement is not sealed yet, and stays
    assert "Initech" not in files[0].read_text()
    assert faults(shop) == []
    stream = f"customer {customer}"
    assert unstated(shop, files) == [(stream, 1)]
    second = seal(shop)
    files += archive(shop, tmp_path)
    assert [one.number for one in archives.chain(files, shop.ring.trust)] == [1, 2]
    assert unstated(shop, files) == []
    assert (faults(shop), faults(shop, second)) == ([], [])


def test_customer_whose_rows_are_archived_is_anonymised_in_the_database(gone, tmp_path):
    shop, customer = gone
    seal(shop)
    files = archive(shop, tmp_path)
    assert "Initech" in files[0].read_text()
    anonymise(shop, customer)
    with shop.database.read() as transaction:
        kept = audit.entries(transaction)
    assert not [entry for entry in kept if "Initech" in entry.detail]
    assert [entry.detail for entry in kept if entry.stream == f"customer {customer}"] == ['{"erased":{}}']
    second = seal(shop)
    assert (faults(shop), faults(shop, second)) == ([], [])
    files += archive(shop, tmp_path)
    assert [one.number for one in archives.chain(files, shop.ring.trust)] == [1, 2]
    assert faults(shop) == []


def unstated(shop, files):
    erasures = archives.Erasures()
    list(archives.chain(files, shop.ring.trust, erasures))
    return list(erasures.unstated)


def test_row_that_was_edited_after_it_was_erased_is_refused_even_under_the_vendors_seal(
    gone, tmp_path, monkeypatch
):
    shop, customer = gone
    anonymise(shop, customer)
    seal(shop)
    this = rows.c.stream == f"customer {customer}"
    with shop.database.write() as transaction:
        transaction.execute(update(rows).where(this, rows.c.number == 1).values(actor="nobody"))
    monkeypatch.setattr(archiving, "_check", lambda *_: None)  # a vendor who wants to
    files = archive(shop, tmp_path)
    with pytest.raises(TernaryError) as refused:
        unstated(shop, files)
    assert str(refused.value) == (
        f"audit-000001.jsonl, line 5: row 1 of customer {customer} was edited after it was erased"
    )


def test_row_that_nobody_states_as_erased_is_not_archived(gone, tmp_path):
    shop, customer = gone
    seal(shop)
    stream = f"customer {customer}"
    with shop.database.write() as transaction:
        transaction.execute(update(rows).where(rows.c.stream == stream).values(detail=audit.ERASED))
    with pytest.raises(TernaryError) as refused:
        archive(shop, tmp_path)
    assert str(refused.value) == (
        f"audit of {stream}, row 1: was edited, so it is not archived; run 'ternary server audit verify'"
    )
    assert list(tmp_path.glob("*.jsonl")) == []


@pytest.mark.parametrize("said", [{}, {"erased": 5}, {"erased": {"1": "0" * 64, "x": None}}])
def test_statement_that_states_nothing_about_a_row_settles_nothing(gone, said):
    shop, customer = gone
    stream = f"customer {customer}"
    with shop.database.write() as transaction:
        transaction.execute(update(rows).where(rows.c.stream == stream).values(detail=audit.ERASED))
        audit.append(transaction, stream, actor="test", action=erasure.ACTION, detail=said)
    assert faults(shop) == [f"audit of {stream}, row 1: edited (customer.add by test)"]
