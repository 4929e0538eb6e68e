"""Replicas of two releases over one database: who changes its tables, who waits, and who stays ready."""

import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from sqlalchemy import text

from ternary_license_server.database import migration
from ternary_license_server.database.engine import Database, DatabaseError
from ternary_license_server.database.migration import SCRIPTS, migrate, oldest_compatible
from ternary_license_server.database.waiting import Limits

STEP = '''
"""A step of a later release."""

import time

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{after}"
compatible_from = "{since}"


def upgrade():
    {work}
'''
HEAD = migration._known(SCRIPTS)[-1]
ADD = 'op.add_column("customers", sa.Column("note", sa.Text(), nullable=True))'


@pytest.fixture
def later_release(tmp_path):
    """Makes the revisions of a later release, one step after what there is."""

    def make(revision, after, since, work):
        folder = tmp_path / f"release-{revision}"
        before = tmp_path / f"release-{after}"
        shutil.copytree(
            before if before.exists() else SCRIPTS, folder, ignore=shutil.ignore_patterns("__pycache__")
        )
        step = STEP.format(revision=revision, after=after, since=since, work=work)
        (folder / "versions" / f"{revision}_step.py").write_text(step)
        return folder

    return make


def test_every_revision_says_which_servers_work_on_its_tables():
    said = migration._compatible_from(SCRIPTS)
    late = {revision: since for revision, since in said.items() if revision >= "0018"}
    assert late
    for revision in late:
        source = next((SCRIPTS / "versions").glob(f"{revision}_*.py")).read_text()
        assert re.search(r'^compatible_from = "\d{4}"$', source, re.M), revision
        assert oldest_compatible(revision) <= revision


def test_old_replica_stays_ready_while_tables_only_grow_and_not_once_what_it_uses_goes(
    kind, make_site, vendor_keys, later_release
):
    site, told = make_site(kind, vendor_keys), []
    grown = later_release("9001", HEAD, HEAD, ADD)
    shrunk = later_release("9002", "9001", "9001", 'op.drop_column("policies", "prices")')
    migrate(site.database, scripts=grown)
    assert site.http("GET", "/readyz").status_code == 200
    migrate(site.database, tell=told.append)
    assert told == [
        f"database {site.database}: has the tables of a newer release (9001), which suit this one"
    ]
    migrate(site.database, scripts=shrunk)
    why = (
        f"its tables are of a newer release (9002, for servers from 9001 on); this server knows those up to "
        f"{HEAD}, so install the newer release here"
    )
    ready = site.http("GET", "/readyz")
    assert (ready.status_code, ready.json()["faults"]) == (503, [f"database: {why}"])
    with pytest.raises(DatabaseError) as refusal:
        migrate(site.database)
    assert str(refusal.value) == f"database {site.database}: {why}"


def test_replica_that_starts_while_another_changes_the_tables_waits_and_says_for_whom(
    kind, tmp_path, open_database, later_release
):
    work = 'op.execute("SELECT pg_sleep(1.5)")' if kind == "postgresql" else "time.sleep(1.5)"
    scripts, told = later_release("9001", HEAD, HEAD, f"{ADD}; {work}"), []
    with open_database(kind, tmp_path) as database, ThreadPoolExecutor(2) as pool:
        url = database.url.render_as_string(hide_password=False)
        # What these may wait as requests is over long before the step is done.
        with (
            closing(Database(url, limits=Limits.of(1))) as one,
            closing(Database(url, limits=Limits.of(1))) as two,
        ):
            both = [pool.submit(migrate, each, scripts=scripts, tell=told.append) for each in (one, two)]
            for waiting in both:
                waiting.result(60)
        with database.read() as transaction:
            assert transaction.execute(text("SELECT note FROM customers")).all() == []
    whom = {
        "sqlite": r"another process, which writes to it",
        "postgresql": r"ternary on \S+, process \d+, which changes its tables since \d\d:\d\d:\d\d",
    }[kind]
    assert len(told) == 1
    assert re.fullmatch(rf"database {re.escape(str(database))}: waiting for {whom}", told[0]), told
