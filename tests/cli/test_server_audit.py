"""``ternary server audit`` on a database: verified, sealed, archived, and what is typed wrong."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from ternary_license_server.database.engine import Database, parse_url
from ternary_license_server.database.migration import migrate
from ternary_license_server.database.schema import audit as rows
from ternary_license_server.keys import keyring
from ternary_license_server.service import catalog


@pytest.fixture
def there(tmp_path, monkeypatch):
    """The options that name a vendor's keys and a database with one customer, and that database."""
    keys = keyring.create(tmp_path / "keys", "Acme Logic", datetime.now(UTC) - timedelta(minutes=1))
    url = f"sqlite:///{tmp_path / 'server.sqlite3'}"
    database = Database(parse_url(url))
    migrate(database)
    with database.write() as transaction:
        catalog.add_customer(transaction, "Initech", actor="test")
    yield ["--keys", keys.directory, "--database", url], database, keys
    database.close()


def test_log_is_verified_and_sealed_and_young_rows_stay(ternary, there, tmp_path):
    options, _, keys = there
    checkpoint, folder = tmp_path / "one.checkpoint", tmp_path / "archives"
    folder.mkdir()
    made = ternary("server", "audit", "checkpoint", checkpoint, *options, "--json")
    assert (made.status, json.loads(made.text)["rows"]) == (0, 1)
    for from_there in ([], ["--checkpoint", checkpoint]):
        done = ternary("server", "audit", "verify", *from_there, *options, "--json")
        assert (done.status, json.loads(done.text)["faults"]) == (0, 0)
    moved = ternary("server", "audit", "archive", "--out", folder, "--keep-days", "31", *options, "--json")
    assert (moved.status, json.loads(moved.text)) == (0, {"archives": [], "rows": 0})
    trust = keys.directory / "vendor.trust"
    nothing = tmp_path / "none.jsonl"
    refused = ternary("server", "audit", "check", nothing, "--trust", trust)
    assert (refused.status, refused.err) == (
        1,
        f"error: {nothing}: cannot be read (No such file or directory)\n",
    )


def test_checkpoint_is_never_written_over_a_file(ternary, there, tmp_path):
    options, _, _ = there
    file = tmp_path / "one.checkpoint"
    file.write_text("mine")
    done = ternary("server", "audit", "checkpoint", file, *options)
    assert (done.status, done.err) == (1, f"error: {file}: exists already; name another file\n")
    assert file.read_text() == "mine"


def test_edited_row_is_named_and_gets_no_checkpoint(ternary, there, tmp_path):
    options, database, _ = there
    with database.write() as transaction:
        transaction.execute(update(rows).values(actor="nobody"))
        stream = transaction.execute(rows.select()).first().stream
    wrong = f"audit of {stream}, row 1: edited (customer.add by nobody)"
    done = ternary("server", "audit", "verify", *options)
    assert (done.status, done.err) == (1, f"error: {wrong}\n")
    sealed = ternary("server", "audit", "checkpoint", tmp_path / "c", *options)
    assert (sealed.status, sealed.err) == (
        1,
        f"error: the audit log has faults, so no checkpoint is made: {wrong}\n",
    )
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ([], "error: audit archive: no folder; give --out or set TERNARY_SERVER_AUDIT_ARCHIVE\n"),
        (
            ["--out", "."],
            "error: audit archive: all rows are kept; give --keep-days or set TERNARY_SERVER_AUDIT_KEEP\n",
        ),
        (
            ["--out", ".", "--keep-days", "3"],
            "error: TERNARY_SERVER_AUDIT_KEEP: '3', expected a number from 31 to 36500\n",
        ),
        (["--out", "nowhere"], "error: TERNARY_SERVER_AUDIT_ARCHIVE: 'nowhere' is no directory\n"),
    ],
)
def test_archiving_says_what_it_needs(ternary, there, given, sentence):
    options, _, _ = there
    done = ternary("server", "audit", "archive", *given, *options)
    assert (done.status, done.text, done.err) == (1, "", sentence)
