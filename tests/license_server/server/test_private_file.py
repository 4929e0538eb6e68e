"""The database file and its logs are their owner's alone, whatever the umask and whatever was before."""

import os
import stat

import pytest

from ternary_license_server.database.engine import Database, DatabaseError
from ternary_license_server.database.migration import migrate
from ternary_sdk.errors import InputError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="only POSIX systems have these modes")


@pytest.fixture
def careless():
    """A process that lets everybody read and write what it makes."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder):
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


def write_in(database):
    with database.write() as transaction:
        transaction.connection.exec_driver_sql("UPDATE alembic_version SET version_num = version_num")


def test_new_database_and_its_logs_are_private_whatever_the_umask(tmp_path, careless):
    database = Database(f"sqlite:///{tmp_path / 's'}")
    migrate(database)
    write_in(database)
    assert modes(tmp_path) == {"s": 0o600, "s-wal": 0o600, "s-shm": 0o600}
    database.close()


def test_database_that_others_could_read_is_closed_with_all_beside_it(tmp_path, careless):
    first, second = (Database(f"sqlite:///{tmp_path / 's'}") for _ in range(2))
    migrate(first)
    write_in(first)
    for path in tmp_path.iterdir():
        path.chmod(0o664)
    (tmp_path / "s-journal").touch()
    migrate(second)
    assert set(modes(tmp_path).values()) == {0o600}
    first.close()
    second.close()


def test_database_behind_a_link_is_closed(tmp_path):
    target = tmp_path / "there"
    target.touch(0o644)
    (tmp_path / "s").symlink_to(target)
    database = Database(f"sqlite:///{tmp_path / 's'}")
    migrate(database)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    database.close()


def folder(path):
    path.mkdir()


def pipe(path):
    os.mkfifo(path)


def link_to_nothing(path):
    path.symlink_to(path.with_name("nothing"))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (folder, "not a file"),
        (pipe, "not a file"),
        (link_to_nothing, "cannot be opened (No such file or directory)"),
    ],
)
def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path, make, sentence):
    make(tmp_path / "s")
    with pytest.raises(DatabaseError) as refusal:
        migrate(Database(f"sqlite:///{tmp_path / 's'}"))
    assert str(refusal.value) == f"database {tmp_path}/s: {sentence}"


def test_folder_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(DatabaseError) as refusal:
        migrate(Database(f"sqlite:///{tmp_path / 'none' / 's'}"))
    assert str(refusal.value) == f"database {tmp_path}/none/s: cannot be made (No such file or directory)"


@pytest.mark.parametrize(
    "url", ["sqlite:///file:s?uri=true", "sqlite:///s?mode=memory", "sqlite:///s?cache=x"]
)
def test_options_of_sqlite_are_no_part_of_an_address(url):
    with pytest.raises(InputError):
        Database(url)
