"""PostgreSQL that is behind PgBouncer, silent, stopped or replaced: real servers, each for itself."""

import logging
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest
from sqlalchemy import text
from stress.clusters import bouncer, standby
from stress.sockets import wire

from ternary_license_server.database.engine import Database, DatabaseError
from ternary_license_server.database.migration import migrate
from ternary_license_server.database.waiting import Limits
from ternary_license_server.service import access

SHORT = Limits.of(2)
PORT = text("SELECT inet_server_port()")


@pytest.fixture
def opened():
    """Opens databases with short limits, and closes them."""
    made = []

    def open_at(url, **named):
        made.append(Database(url, limits=SHORT, **named))
        return made[-1]

    yield open_at
    for database in made:
        database.close()


def takes_no_changes(database):
    """Whether a server that answers is refused, because it is not the primary."""
    try:
        port_of(database)
    except DatabaseError as refusal:
        return re.search(r"takes no changes|session is read-only", str(refusal)) is not None
    return False


def port_of(database):
    """Which server answers a change."""
    with database.write() as transaction:
        return transaction.execute(PORT).scalar_one()


def test_requests_through_pgbouncer_are_all_answered_and_leave_nothing_in_its_connections(
    cluster, cluster_folder, new_database, opened
):
    with closing(Database(cluster.url(new_database))) as database:
        migrate(database)
        with database.write() as transaction:
            token = access.add_first(transaction)

    def ask(database):
        for _ in range(15):
            with database.read() as transaction:
                access.identify(transaction, token)
            with database.write() as transaction:
                transaction.mark_clock()

    with bouncer(cluster, cluster_folder, size=2) as port:
        url = cluster.url(new_database, port)
        databases = [opened(url, connections=1) for _ in range(3)]
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(ask, databases))
        with psycopg.connect(url, autocommit=True) as session:
            left = [
                session.execute(f"SHOW {name}").fetchone()[0]
                for name in ("statement_timeout", "lock_timeout", "application_name")
            ]
            prepared = session.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()[0]
    assert (left, prepared) == (["0", "0", ""], 0)


def test_silent_connection_is_refused_in_time_and_another_one_answers_later(cluster, new_database, opened):
    with wire(cluster.port) as way:
        database = opened(cluster.url(new_database, way.port))
        assert port_of(database) == cluster.port
        way.die()
        with pytest.raises(DatabaseError) as refusal, database.write():
            pass
        assert str(refusal.value) == "database: cannot be used (no answer for 2 seconds)"
        way.lead(cluster.port)
        assert port_of(database) == cluster.port


def test_connection_that_falls_silent_under_a_statement_is_refused_in_time(cluster, new_database, opened):
    with wire(cluster.port) as way:
        database = opened(cluster.url(new_database, way.port))

        def fall_silent():
            with database.write() as transaction:
                transaction.execute(PORT)
                way.die()
                transaction.execute(PORT)

        with pytest.raises(DatabaseError) as refusal:
            fall_silent()
        assert str(refusal.value) == "database: cannot be used (no answer for 2 seconds)"


def test_postgresql_that_stops_is_refused_and_used_again_once_it_is_back(cluster, new_database, opened):
    database = opened(cluster.url(new_database))

    def be_stopped():
        with database.write() as transaction:
            transaction.execute(PORT)
            cluster.stop("fast")
            transaction.execute(PORT)

    with pytest.raises(DatabaseError):
        be_stopped()
    with pytest.raises(DatabaseError), database.read():
        pass
    cluster.start()
    assert port_of(database) == cluster.port


def test_ended_connection_is_replaced_before_anything_is_done_on_it(cluster, new_database, opened):
    database = opened(cluster.url(new_database))
    port_of(database)
    cluster.execute(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{new_database}'"
    )
    assert port_of(database) == cluster.port


def test_after_a_failover_connections_to_the_old_primary_are_given_up(
    cluster, cluster_folder, new_database, opened
):
    with standby(cluster, cluster_folder / "standby") as second, wire(cluster.port) as way:
        database = opened(cluster.url(new_database, way.port))
        assert port_of(database) == cluster.port
        cluster.execute("ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
        try:
            # The old primary takes no changes from now on, and what was connected before answers still.
            while not takes_no_changes(database):
                threading.Event().wait(0.02)
            second.promote()
            way.lead(second.port)
            assert port_of(database) == second.port
            both = "&".join(f"host=127.0.0.1:{one.port}" for one in (cluster, second))
            assert port_of(opened(f"postgresql://postgres@/{new_database}?{both}")) == second.port
            with database.read() as transaction:
                assert transaction.execute(PORT).scalar_one() == second.port
        finally:
            with psycopg.connect(
                cluster.url(), autocommit=True, options="-c default_transaction_read_only=off"
            ) as session:
                session.execute("ALTER SYSTEM RESET default_transaction_read_only")
                session.execute("SELECT pg_reload_conf()")


def test_request_over_a_dead_connection_is_503_with_its_cause_in_the_log_and_readyz_says_so(
    cluster, new_database, site_at, caplog
):
    with wire(cluster.port) as way:
        site = site_at(cluster.url(new_database, way.port), SHORT)
        assert site.http("GET", "/readyz").status_code == 200
        assert site.admin("GET", "/customers").status_code == 200
        way.die()
        with caplog.at_level(logging.INFO, "ternary.server"):
            came = site.admin("GET", "/customers")
        ready = site.http("GET", "/readyz")
        way.lead(cluster.port)
        assert site.admin("GET", "/customers").status_code == 200
        assert site.http("GET", "/readyz").status_code == 200
    assert (came.status_code, came.json()["detail"], came.headers["retry-after"]) == (
        503, "the server's database does not answer; try again", "5"
    )  # fmt: skip
    line = next(record for record in caplog.records if record.getMessage() == "answered")
    assert line.levelname == "WARNING"
    assert line.facts["fault"] == "database: cannot be used (no answer for 2 seconds)"
    assert ready.status_code == 503
    assert ready.json()["faults"] == ["database: cannot be used (no answer for 2 seconds)"]


def test_address_that_begins_with_postgres_is_postgresql():
    with closing(Database("postgres://user:secret@127.0.0.1/name")) as database:
        assert str(database) == "postgresql+psycopg://user:***@127.0.0.1/name"
