"""Nobody is locked out of the admin interface: the last token's end is announced, and another can be made."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from ternary_license_server.database.engine import Database, DatabaseError
from ternary_license_server.database.migration import migrate
from ternary_license_server.local import remedies
from ternary_license_server.service import access, audit
from ternary_license_server.service.access import Scope
from ternary_license_server.service.refusals import ServiceError

DAY = timedelta(days=1)


def readiness(site):
    told = site.http("GET", "/readyz").json()
    return [warning for warning in told["warnings"] if warning.startswith("admin tokens")]


def make(database, days=90, scope=Scope.ADMIN):
    with database.write() as transaction:
        return access.add(transaction, "x", scope, expires=transaction.now + days * DAY, actor="test")


def first_of(site):
    return site.admin("GET", "/tokens").json()[0]["id"]


def test_last_usable_token_cannot_end_itself_unasked(kind, make_site, vendor_keys, now):
    site = make_site(kind, vendor_keys)
    mine, path = first_of(site), f"/tokens/{first_of(site)}/revoke"
    make(site.database, scope=Scope.ISSUER)  # reaches no token
    came = site.admin("POST", path)
    assert (came.status_code, came.json()["code"], came.json()["detail"]) == (
        409,
        "CONFLICT",
        f"token {mine}: the last usable one of scope admin; make another first, or say that it is the last: "
        "{\"last\": true}, 'ternary server revoke-token --last'",
    )
    assert site.admin("POST", path, json={"last": False}).status_code == 409
    assert site.admin("POST", path, json={"sure": True}).status_code == 400
    assert site.admin("POST", path, json={"last": True}).status_code == 200
    assert site.admin("GET", "/tokens").status_code == 401


def test_token_that_has_ended_or_was_revoked_is_not_another_one(make_site, vendor_keys, now):
    site = make_site("sqlite", vendor_keys)
    ended, revoked = make(site.database, days=1), make(site.database)
    assert site.admin("POST", f"/tokens/{revoked['id']}/revoke").status_code == 200
    site.moment = now + 2 * DAY
    mine = next(token["id"] for token in site.admin("GET", "/tokens").json() if token["name"] == "first")
    assert site.admin("POST", f"/tokens/{mine}/revoke").status_code == 409
    assert site.admin("POST", f"/tokens/{ended['id']}/revoke").status_code == 200
    make(site.database)
    assert site.admin("POST", f"/tokens/{mine}/revoke").status_code == 200


def test_two_tokens_that_revoke_each_other_leave_one(kind, tmp_path, open_database, now):
    with open_database(kind, tmp_path) as database:
        for _ in range(5):
            pair = [str(make(database)["id"]) for _ in range(2)]

            def end(token_id, database=database):
                with database.write() as transaction:
                    try:
                        access.revoke(transaction, token_id, actor="test")
                    except ServiceError:
                        return False
                return True

            with ThreadPoolExecutor(2) as threads:
                assert sorted(threads.map(end, pair)) == [False, True]
            with database.write() as transaction:
                (left,) = access._usable(transaction)
                access.revoke(transaction, left, actor="test", last=True)


@pytest.mark.parametrize(("before", "warned"), [(timedelta(days=14, seconds=1), False), (14 * DAY, True)])
def test_end_of_the_last_token_is_announced_for_two_weeks(make_site, vendor_keys, now, before, warned):
    site = make_site("sqlite", vendor_keys)
    mine, end = first_of(site), now + access.FIRST_LIFETIME
    make(site.database, days=300, scope=Scope.AUDITOR)
    site.moment = end - before
    expected = (
        f"admin tokens: the last usable one, {mine}, ends on 2026-03-31 12:00:00 UTC; make another with "
        "'ternary server token', or run 'ternary serve --new-token' on the server's machine"
    )
    assert readiness(site) == ([expected] if warned else [])
    make(site.database, days=200)
    assert readiness(site) == []


def test_server_without_a_usable_token_says_how_to_get_one_and_goes_on(make_site, vendor_keys, now):
    site = make_site("sqlite", vendor_keys)
    site.moment = now + access.FIRST_LIFETIME
    came = site.http("GET", "/readyz")
    assert (came.status_code, came.json()["warnings"]) == (
        200,
        ["admin tokens: none is usable; run 'ternary serve --new-token' on the server's machine"],
    )


def test_rights_on_the_database_make_a_token_while_the_server_runs(kind, make_site, vendor_keys, now):
    site = make_site(kind, vendor_keys)
    site.moment = now + access.FIRST_LIFETIME
    assert site.admin("GET", "/tokens").status_code == 401
    made = remedies.new_token(site.database)
    site.token = str(made["secret"])
    assert site.admin("GET", "/tokens").status_code == 200
    assert readiness(site) == []
    with site.database.read() as transaction:
        (row,) = audit.entries(transaction, f"token {made['id']}")
    assert (row.actor, row.action) == ("local", "token.add")
    assert str(made["secret"]) not in row.detail


def test_no_token_is_made_where_no_server_keeps_its_database(tmp_path, now):
    database = Database(f"sqlite:///{tmp_path / 'none.sqlite3'}")
    with pytest.raises(DatabaseError) as refusal:
        remedies.new_token(database)
    assert str(refusal.value) == (
        f"database sqlite+pysqlite:///{tmp_path}/none.sqlite3: no such file; name the server's "
        "with --database "
        "or TERNARY_SERVER_DATABASE"
    )
    assert list(tmp_path.iterdir()) == []


def test_no_token_is_made_in_the_tables_of_another_release(tmp_path, now):
    database = Database(f"sqlite:///{tmp_path / 'old.sqlite3'}")
    migrate(database, to="0003")
    with pytest.raises(DatabaseError) as refusal:
        remedies.new_token(database)
    assert str(refusal.value) == (
        f"database {database}: its tables are of an earlier release (0003, this one needs 0020); start "
        "'ternary serve' of this release once"
    )
    database.close()


def test_command_prints_the_token_once_without_keys_or_a_server(tmp_path):
    url = f"sqlite:///{tmp_path / 'server.sqlite3'}"
    database = Database(url)
    migrate(database)
    command = [sys.executable, "-c", "from ternary_cli.main import main; main()", "serve", "--new-token"]
    environment = dict(os.environ) | {"TERNARY_SERVER_DATABASE": url}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    facts = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert (facts["name"], facts["scope"], done.stderr) == ("local", "admin", "")
    with database.read() as transaction:
        assert [row.actor for row in audit.entries(transaction)] == ["local"]
    database.close()
