"""``ternary server backup``, ``restore`` and ``merge-list`` as an operator types them, on SQLite."""

import json
import shutil
from datetime import UTC, datetime, timedelta

import pytest

from ternary_license_server.database.engine import Database, parse_url
from ternary_license_server.database.migration import migrate
from ternary_license_server.keys import keyring


@pytest.fixture
def own(tmp_path):
    """A vendor of this test's own, whose keys it may change."""
    return keyring.create(tmp_path / "keys", "Acme Logic", datetime.now(UTC) - timedelta(minutes=1))


@pytest.fixture
def there(own, tmp_path):
    """The options that name the keys and a database with this release's tables."""
    url = f"sqlite:///{tmp_path / 'server.sqlite3'}"
    database = Database(parse_url(url))
    migrate(database)
    database.close()
    return ["--keys", own.directory, "--database", url]


NEEDED = (
    "error: restore: needs --trust with the newest trust file that was published, or --no-newer-trust: then "
    "what was revoked since the backup holds again, until you revoke it once more\n"
)


@pytest.mark.parametrize("both", [False, True], ids=["neither", "both"])
def test_a_restoration_asks_for_the_newest_trust_file(ternary, own, there, both):
    given = ["--trust", own.directory / "vendor.trust", "--no-newer-trust"] if both else []
    done = ternary("server", "restore", *given, *there)
    assert (done.status, done.text, done.err) == (1, "", NEEDED)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["--longest-days", "0"], "error: --longest-days: 0, expected 1 to 36600\n"),
        (["--today", "yesterday"], "error: date: 'yesterday', expected one such as 2026-12-31\n"),
    ],
)
def test_what_is_typed_wrong_restores_nothing(ternary, there, tmp_path, given, sentence):
    backup = tmp_path / "backup.sqlite3"
    assert ternary("server", "backup", backup, *there[2:]).status == 0
    (tmp_path / "server.sqlite3").unlink()
    done = ternary("server", "restore", backup, "--no-newer-trust", *given, *there)
    assert done.err == sentence
    assert not (tmp_path / "server.sqlite3").exists()


def test_a_backup_is_restored_with_what_the_vendor_says(ternary, there, tmp_path):
    backup = tmp_path / "backup.sqlite3"
    assert ternary("server", "backup", backup, *there[2:]).status == 0
    (tmp_path / "server.sqlite3").unlink()
    today = datetime.now(UTC).date().isoformat()
    begun = datetime.now(UTC)
    options = ["--no-newer-trust", "--accept-oversell", "--longest-days", "40", "--today", today]
    done = ternary("server", "restore", backup, *options, *there, "--json")
    assert (done.status, done.err) == (0, "")
    facts = json.loads(done.text)
    assert (facts["oversell"], facts["audit_faults"], facts["list"]) == (True, 0, None)
    assert timedelta(days=40) <= datetime.fromtimestamp(facts["until"], UTC) - begun < timedelta(days=41)


def test_names_of_a_published_list_are_merged_by_command(ternary, own, there, tmp_path):
    """The keys that the server has are older than the list, as after a restoration of both."""
    published = tmp_path / "published"
    shutil.copytree(own.directory, published)
    assert ternary("license", "revoke", "L-17", "--keys", published).status == 0
    first, again = (
        ternary("server", "merge-list", published / "vendor.trust", *there, "--json") for _ in range(2)
    )
    assert (first.status, first.err, again.status) == (0, "", 0)
    assert [json.loads(done.text)["kept_names"] for done in (first, again)] == [1, 0]
