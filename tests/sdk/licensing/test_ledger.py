import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any, ClassVar

import pytest

from ternary_sdk._internal.licensing.counted import Acknowledged, Counted
from ternary_sdk._internal.licensing.ledger import Ledger
from ternary_sdk._internal.licensing.ledger_file import location
from ternary_sdk.errors import LedgerError, LicenseError, Reason
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2, Space

AsUser = Callable[[Callable[[], Any]], Any]

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "state" / "ledger.sqlite3")


def some(*indices: int) -> OperationSet:
    return OperationSet.of(list(indices))


def test_nothing_is_made_before_the_first_call(ledger: Ledger) -> None:
    assert ledger.drawn("L-1") == some()
    assert not ledger.path.parent.exists()


def test_operation_counts_once_however_often_it_is_drawn(ledger: Ledger) -> None:
    for _ in range(3):
        ledger.record("L-1", 3, some(1, 2, 3))
    assert ledger.drawn("L-1") == some(1, 2, 3)


def test_licenses_are_metered_apart(ledger: Ledger) -> None:
    ledger.record("L-1", 1, some(1))
    ledger.record("L-2", 1, some(2))
    assert (ledger.drawn("L-1"), ledger.drawn("L-2")) == (some(1), some(2))


def test_quota_is_reached_exactly_and_exceeded_never(ledger: Ledger) -> None:
    ledger.record("L-1", 3, some(1, 2))
    ledger.record("L-1", 3, some(2, 3))
    with pytest.raises(LicenseError) as refusal:
        ledger.record("L-1", 3, some(3, 4, 5))
    assert refusal.value.code is Reason.QUOTA_EXHAUSTED
    assert str(refusal.value) == (
        "license L-1 allows 3 different operations; 3 are drawn and this call would draw 2 more; "
        "ask for fewer, or ask the vendor for a larger quota"
    )


def test_refused_call_counts_nothing(ledger: Ledger) -> None:
    with pytest.raises(LicenseError):
        ledger.record("L-1", 2, some(1, 2, 3))
    assert ledger.drawn("L-1") == some()


def test_what_was_drawn_stays_free_under_a_smaller_quota(ledger: Ledger) -> None:
    ledger.record("L-1", 3, some(1, 2, 3))
    ledger.record("L-1", 1, some(2, 3))


def test_file_is_private(ledger: Ledger) -> None:
    ledger.record("L-1", 1, some(1))
    assert stat.S_IMODE(ledger.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(ledger.path.parent.stat().st_mode) == 0o700
    assert list(ledger.path.parent.iterdir()) == [ledger.path]


def test_file_that_is_no_database_is_refused(ledger: Ledger) -> None:
    ledger.path.parent.mkdir()
    ledger.path.write_bytes(b"not a database" * 100)
    for call in (lambda: ledger.record("L-1", 1, some(1)), lambda: ledger.drawn("L-1")):
        with pytest.raises(LedgerError) as refusal:
            call()
        assert str(refusal.value) == f"{ledger.path}: the meter cannot be used (file is not a database)"


def test_database_of_something_else_is_refused(ledger: Ledger) -> None:
    ledger.path.parent.mkdir()
    connection = sqlite3.connect(ledger.path)
    connection.execute("PRAGMA user_version = 7")
    connection.close()
    with pytest.raises(LedgerError) as refusal:
        ledger.record("L-1", 1, some(1))
    assert str(refusal.value) == (
        f"{ledger.path}: damaged (application 0x0, version 7; expected 0x7e52a417, version 4)"
    )


def test_bitmap_with_a_padding_bit_is_refused(ledger: Ledger) -> None:
    ledger.record("L-1", 1, some(1))
    connection = sqlite3.connect(ledger.path)
    connection.execute("UPDATE counted SET bitmap = ?", (b"\xff" * 2461,))
    connection.commit()
    connection.close()
    with pytest.raises(LedgerError) as refusal:
        ledger.drawn("L-1")
    assert str(refusal.value) == (
        f"{ledger.path}: damaged (bitmap: a padding bit after operation 19682 is set, expected zeros)"
    )


def test_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError) as refusal:
        Ledger(tmp_path / "file" / "ledger.sqlite3").record("L-1", 1, some(1))
    assert str(refusal.value) == (
        f"{tmp_path}/file: cannot be made (File exists); "
        "name another state directory with state= or '--state DIR'"
    )


def refusal_of(call: Callable[[], object]) -> str:
    with pytest.raises(LedgerError) as refusal:
        call()
    return str(refusal.value)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_meter_in_a_directory_closed_to_this_user_is_refused(place: Path, as_user: AsUser) -> None:
    ledger = Ledger(place / "state" / "ledger.sqlite3")
    ledger.record("L-1", 1, some(1))
    ledger.path.parent.chmod(0)
    sentence = f"{ledger.path}: cannot be read (Permission denied)"
    assert as_user(lambda: refusal_of(lambda: ledger.record("L-1", 1, some(1)))) == sentence
    assert as_user(lambda: refusal_of(lambda: ledger.drawn("L-1"))) == sentence


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_read_only_meter_is_read_and_counts_nothing_more(place: Path, as_user: AsUser) -> None:
    ledger = Ledger(place / "state?" / "ledger.sqlite3")
    ledger.record("L-1", 2, some(1))
    ledger.path.chmod(0o400)
    ledger.path.parent.chmod(0o500)
    assert as_user(lambda: ledger.drawn("L-1")) == some(1)
    assert as_user(lambda: refusal_of(lambda: ledger.record("L-1", 2, some(2)))) == (
        f"{ledger.path}: the meter cannot be used (attempt to write a readonly database)"
    )
    assert list(ledger.path.parent.iterdir()) == [ledger.path]


def test_threads_share_one_ledger(ledger: Ledger) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: ledger.record("L-1", 40, some(i, i + 1)), range(39)))
    assert ledger.drawn("L-1") == some(*range(40))


def test_threads_at_the_quota_never_exceed_it(ledger: Ledger) -> None:
    def attempt(index: int) -> bool:
        try:
            ledger.record("L-1", 10, some(index))
        except LicenseError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        granted = list(pool.map(attempt, range(40)))
    assert sum(granted) == 10
    assert ledger.drawn("L-1") == some(*(i for i, ok in enumerate(granted) if ok))


@posix
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_ledger_used_before_fork_works_in_parent_and_child(ledger: Ledger) -> None:
    ledger.record("L-1", 3, some(1))
    child = os.fork()
    if child == 0:
        try:
            ledger.record("L-1", 3, some(2))
            os._exit(0)
        finally:
            os._exit(1)
    ledger.record("L-1", 3, some(3))
    assert os.waitpid(child, 0)[1] == 0
    assert ledger.drawn("L-1") == some(1, 2, 3)


def endings(*children: int) -> list[int]:
    """The exit statuses of forked children; one that hangs is ended after a minute."""
    deadline, found = time.monotonic() + 60, dict[int, int]()
    while len(found) < len(children):
        for child in set(children) - found.keys():
            if time.monotonic() > deadline:
                os.kill(child, signal.SIGKILL)
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                found[child] = os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    return [found[child] for child in children]


def in_child(call: Callable[[], object]) -> int:
    """Fork, make a call in the child, and return the child's number; it ends with 0 if the call returns."""
    child = os.fork()
    if child:
        return child
    try:
        call()
        os._exit(0)
    finally:
        os._exit(1)


@posix
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_children_forked_beside_counting_threads_count_too(ledger: Ledger) -> None:
    done = threading.Event()

    def count(first: int) -> int:
        index = first
        while not done.is_set():
            ledger.record("L-1", 19_683, some(index))
            index += 1
        return index

    with ThreadPoolExecutor(2) as pool:
        counting = [pool.submit(count, first) for first in (0, 9000)]
        children = [in_child(lambda i=i: ledger.record("L-1", 19_683, some(18_000 + i))) for i in range(20)]
        found = endings(*children)
        done.set()
        counted = [range(first, run.result()) for first, run in zip((0, 9000), counting, strict=True)]
    assert found == [0] * 20
    assert all(map(len, counted))
    assert ledger.drawn("L-1") == some(*counted[0], *counted[1], *range(18_000, 18_020))


@posix
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_threads_may_fork_side_by_side_while_others_count(ledger: Ledger) -> None:
    def fork_often(first: int) -> list[int]:
        return endings(*(in_child(lambda i=i: ledger.record("L-1", 99, some(first + i))) for i in range(5)))

    def count(first: int) -> None:
        for index in range(first, first + 10):
            ledger.record("L-1", 99, some(index))

    with ThreadPoolExecutor(4) as pool:
        counting = [pool.submit(count, first) for first in (0, 10)]
        found = [ended for run in pool.map(fork_often, (20, 25)) for ended in run]
        for run in counting:
            run.result()
    assert found == [0] * 10
    assert ledger.drawn("L-1") == some(*range(30))


class ForkedWhileCounted(OperationSet):
    """Forks in the middle of the transaction that counts it, as a signal handler of the host might."""

    children: ClassVar[list[int]] = []

    def __sub__(self, other: OperationSet) -> OperationSet:
        self.children.append(os.fork())
        return super().__sub__(other)


@posix
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_call_that_is_forked_by_its_own_thread_counts_once_and_both_processes_go_on(ledger: Ledger) -> None:
    ledger.record("L-1", 9, some(1))
    try:
        ledger.record("L-1", 9, ForkedWhileCounted(some(2).mask))
        sentence = ""
    except LedgerError as refusal:
        sentence = str(refusal)
    if ForkedWhileCounted.children[-1] == 0:
        try:
            ledger.record("L-1", 9, some(3))
            told = sentence == (
                f"{ledger.path}: this process was forked in the middle of a call, which counts nothing here; "
                "call again"
            )
            os._exit(0 if told else 2)
        finally:
            os._exit(1)
    assert endings(ForkedWhileCounted.children[-1]) == [0]
    assert sentence == ""
    ledger.record("L-1", 9, some(4))
    assert ledger.drawn("L-1") == some(1, 2, 3, 4)


class CountsInTheChild(ForkedWhileCounted):
    """The child does not return to the call that was interrupted, and begins another."""

    ledger: ClassVar[Ledger]

    def __sub__(self, other: OperationSet) -> OperationSet:
        missing = super().__sub__(other)
        if self.children[-1] == 0:
            started, told = time.monotonic(), []
            for call in (lambda: self.ledger.record("L-1", 9, some(3)), lambda: self.ledger.drawn("L-1")):
                try:
                    call()
                except LedgerError as refusal:
                    told.append(str(refusal))
            sentence = (
                f"{self.ledger.path}: this process was forked in the middle of a call, which counts nothing "
                "here; call again"
            )
            os._exit(0 if told == [sentence] * 2 and time.monotonic() - started < 5 else 2)
        return missing


@posix
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_call_in_a_child_that_was_forked_in_the_middle_of_another_is_refused_at_once(ledger: Ledger) -> None:
    ledger.record("L-1", 9, some(1))
    CountsInTheChild.ledger = ledger
    ledger.record("L-1", 9, CountsInTheChild(some(2).mask))
    assert endings(CountsInTheChild.children[-1]) == [0]
    assert ledger.drawn("L-1") == some(1, 2)


BITMAPS = {"text": "x" * 2461, "integer": 7, "real": 0.5, "null": None}


@pytest.mark.parametrize("kind", BITMAPS)
def test_bitmap_of_another_type_is_refused(kind: str, ledger: Ledger) -> None:
    ledger.record("L-1", 1, some(1))
    connection = sqlite3.connect(ledger.path)
    connection.execute("DROP TABLE counted")
    names = "license, space, lease, owner, history, sequence, bitmap, acknowledged, acknowledged_operations"
    connection.execute(f"CREATE TABLE counted ({names})")
    connection.execute(
        "INSERT INTO counted VALUES ('L-1', '3,2', '', '', 'x', 1, ?, NULL, NULL)", (BITMAPS[kind],)
    )
    connection.commit()
    connection.close()
    for call in (lambda: ledger.record("L-1", 9, some(2)), lambda: ledger.drawn("L-1")):
        assert (
            refusal_of(call) == f"{ledger.path}: damaged (bitmap: its SQLite type is {kind}, expected blob)"
        )


DRAW = """
import sys
from pathlib import Path
from ternary_sdk._internal.licensing.ledger import Ledger
from ternary_sdk.operations import OperationSet
ledger, first, last = Ledger(Path(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3])
for index in range(first, last):
    ledger.record("L-1", 19683, OperationSet.of([index, 5000]))
    print(index, flush=True)
"""


def draw(ledger: Ledger, first: int, last: int) -> "subprocess.Popen[str]":
    """A process that draws operation 5000 and each index in turn, and prints the index afterwards."""
    command = [sys.executable, "-c", DRAW, str(ledger.path), str(first), str(last)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_processes_share_one_ledger_from_its_creation_on(ledger: Ledger) -> None:
    workers = [draw(ledger, 100 * i, 100 * i + 20) for i in range(4)]
    for worker in workers:
        worker.communicate()
    assert [worker.returncode for worker in workers] == [0] * 4
    assert ledger.drawn("L-1") == some(5000, *(100 * i + k for i in range(4) for k in range(20)))


@posix
def test_kill_at_any_moment_loses_nothing_that_was_returned(ledger: Ledger) -> None:
    for round_number in range(5):
        first = 1000 * round_number
        worker = draw(ledger, first, first + 1000)
        assert worker.stdout is not None
        seen = [int(worker.stdout.readline()) for _ in range(3 * round_number + 1)]
        worker.send_signal(signal.SIGKILL)
        seen += [int(line) for line in worker.communicate()[0].splitlines()]
        drawn = [i for i in ledger.drawn("L-1") if first <= i < first + 1000 and i != 5000]
        # at most the one call that was cut off may be counted without having been seen
        assert drawn in (seen, [*seen, seen[-1] + 1])


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        (PureWindowsPath(r"\\server\share\a b\ledger.sqlite3"), "file:////server/share/a%20b/ledger.sqlite3"),
        (PureWindowsPath(r"C:\Users\Zoë\50%.sqlite3"), "file:///C:/Users/Zo%C3%AB/50%25.sqlite3"),
        (PurePosixPath("/a?b#c/ledger.sqlite3"), "file:///a%3Fb%23c/ledger.sqlite3"),
        (PurePosixPath("//two/slashes"), "file:////two/slashes"),
    ],
)
def test_path_is_spelled_as_sqlite_reads_it(path: PurePath, uri: str) -> None:
    assert location(path) == uri


def test_spelling_of_a_share_names_no_host_to_sqlite(tmp_path: Path) -> None:
    ledger = Ledger(Path(f"/{tmp_path}/state/ledger.sqlite3"))  # //tmp/…, which POSIX reads as /tmp/…
    ledger.record("L-1", 1, some(1))
    assert Ledger(tmp_path / "state" / "ledger.sqlite3").drawn("L-1") == some(1)
    with pytest.raises(sqlite3.OperationalError, match="invalid uri authority: server"):
        sqlite3.connect("file://server/share", uri=True)


@pytest.mark.parametrize("name", ["a b", "50%25", "q?mode=ro", "#", "Zoë ℤ₃", "a'b\"c", "new\nline", "é"])
def test_folder_of_any_name_holds_a_meter(tmp_path: Path, name: str) -> None:
    ledger = Ledger(tmp_path / name / "ledger.sqlite3")
    ledger.record("L-1", 1, some(1))
    assert ledger.drawn("L-1") == some(1)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def quota_refusal(call: Callable[[], object]) -> str:
    with pytest.raises(LicenseError) as refusal:
        call()
    assert refusal.value.code is Reason.QUOTA_EXHAUSTED
    return str(refusal.value)


def old_meter(ledger: Ledger, sets: dict[str, OperationSet]) -> None:
    """Put a meter of version 1 in its place, as an older SDK made it."""
    ledger.path.parent.mkdir(mode=0o700)
    connection = sqlite3.connect(ledger.path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(
        "CREATE TABLE drawn (license TEXT PRIMARY KEY NOT NULL, "
        "bitmap BLOB NOT NULL CHECK (length(bitmap) = 2461)) STRICT, WITHOUT ROWID"
    )
    connection.executemany("INSERT INTO drawn VALUES (?, ?)", [(k, s.to_bytes()) for k, s in sets.items()])
    connection.execute(f"PRAGMA application_id = {0x7E52_A417}")
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()


def test_owners_are_metered_apart(ledger: Ledger) -> None:
    ledger.record("L-1", 2, some(1, 2), lease="S-1", owner="Initech")
    ledger.record("L-1", 2, some(2, 3), lease="S-2", owner="Hooli")
    assert quota_refusal(lambda: ledger.record("L-1", 2, some(4), lease="S-2", owner="Hooli")) == (
        "license L-1 allows 2 different operations; 2 are drawn and this call would draw 1 more; "
        "ask for fewer, or ask the vendor for a larger quota"
    )
    assert ledger.drawn("L-1", owner="Initech") == some(1, 2)
    assert ledger.drawn("L-1", owner="Hooli") == some(2, 3)
    assert ledger.drawn("L-1") == some(1, 2, 3)


def test_leases_of_one_owner_share_the_quota_and_keep_their_own_sets(ledger: Ledger) -> None:
    ledger.record("L-1", 3, some(1, 2), lease="S-1", owner="Initech")
    ledger.record("L-1", 3, some(2, 3), lease="S-2", owner="Initech")
    assert "would draw 1 more" in quota_refusal(
        lambda: ledger.record("L-1", 3, some(4), lease="S-2", owner="Initech")
    )
    sets = {one.lease: one.operations for one in ledger.sets("L-1")}
    assert sets == {"S-1": some(1, 2), "S-2": some(2, 3)}


def test_sequence_rises_when_the_set_grows_and_the_history_stays(ledger: Ledger) -> None:
    def now() -> tuple[int, str | None]:
        counted = ledger.counted("L-1", lease="S-1", owner="Initech")
        return counted.sequence, counted.history

    assert now() == (0, None)
    ledger.record("L-1", 9, some(1), lease="S-1", owner="Initech")
    _, history = now()
    for operations in (some(1), some(2), some(1, 2), some(3)):
        ledger.record("L-1", 9, operations, lease="S-1", owner="Initech")
    assert now() == (3, history)
    ledger.path.unlink()
    ledger.record("L-1", 9, some(1), lease="S-1", owner="Initech")
    sequence, another = now()
    assert (sequence, another == history) == (1, False)


def acknowledge(ledger: Ledger, reported: Counted) -> None:
    """Keep that the server has acknowledged all of a set that was reported."""
    after = Acknowledged.of(reported.operations)
    ledger.acknowledge("L-1", reported, reported.unconfirmed, after)


def test_confirmed_set_is_settled_until_it_grows(ledger: Ledger) -> None:
    ledger.record("L-1", 9, some(1), lease="S-1", owner="Initech")
    (reported,) = ledger.sets("L-1")
    ledger.record("L-1", 9, some(2), lease="S-1", owner="Initech")
    acknowledge(ledger, reported)
    (counted,) = ledger.sets("L-1")
    assert counted.acknowledged is not None
    assert (counted.operations, counted.settled, counted.acknowledged.operations) == (some(1, 2), False, 1)
    acknowledge(ledger, counted)
    assert [one.settled for one in ledger.sets("L-1")] == [True]


def test_meter_of_an_older_sdk_is_read_and_upgraded_by_the_next_count(ledger: Ledger) -> None:
    old_meter(ledger, {"L-1": some(1, 2), "L-2": some(5)})
    before = ledger.sets("L-1")
    assert [(one.lease, one.owner, one.sequence, one.operations) for one in before] == [
        (None, None, 1, some(1, 2))
    ]
    ledger.record("L-1", 3, some(3), lease="S-1", owner="Initech")
    assert "would draw 1 more" in quota_refusal(
        lambda: ledger.record("L-1", 3, some(4), lease="S-1", owner="Initech")
    )
    assert ledger.sets("L-1")[:1] == before
    assert {one.lease: one.operations for one in ledger.sets("L-1")} == {None: some(1, 2), "S-1": some(3)}
    assert ledger.drawn("L-2") == some(5)
    connection = sqlite3.connect(ledger.path)
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master")]
    connection.close()
    assert "drawn" not in tables


def test_old_set_of_a_license_without_a_lease_goes_on(ledger: Ledger) -> None:
    old_meter(ledger, {"L-1": some(1, 2)})
    assert ledger.counted("L-1", lease=None, owner="Initech").operations == some(1, 2)
    ledger.record("L-1", 3, some(3), owner="Initech")
    (counted,) = ledger.sets("L-1")
    assert (counted.owner, counted.sequence, counted.operations) == ("Initech", 2, some(1, 2, 3))


def test_old_meter_is_upgraded_once_by_many_at_once(ledger: Ledger) -> None:
    old_meter(ledger, {"L-1": some(0)})
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(lambda n: ledger.record("L-1", 99, some(n), lease="S-1", owner="Initech"), range(1, 17))
        )
    assert ledger.drawn("L-1") == some(*range(17))


def meter_of_version_2(ledger: Ledger, *rows: tuple[object, ...]) -> None:
    """Put a meter of version 2 in its place, as the SDK before spaces made it."""
    ledger.path.parent.mkdir(mode=0o700)
    connection = sqlite3.connect(ledger.path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(
        "CREATE TABLE counted (license TEXT NOT NULL, lease TEXT NOT NULL, owner TEXT NOT NULL, "
        "history TEXT NOT NULL, sequence INTEGER NOT NULL CHECK (sequence > 0), "
        "bitmap BLOB NOT NULL CHECK (length(bitmap) = 2461), acknowledged TEXT, "
        "acknowledged_operations INTEGER, PRIMARY KEY (license, lease, owner)) STRICT, WITHOUT ROWID"
    )
    connection.executemany("INSERT INTO counted VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    connection.execute(f"PRAGMA application_id = {0x7E52_A417}")
    connection.execute("PRAGMA user_version = 2")
    connection.commit()
    connection.close()


def test_meter_of_version_2_is_read_and_upgraded_by_the_next_count(ledger: Ledger) -> None:
    history = "AAECAwQFBgcICQoLDA0ODw"
    meter_of_version_2(
        ledger,
        ("L-1", "S-1", "Initech", history, 4, some(1, 2).to_bytes(), some(1).digest, 1),
        ("L-2", "", "", history, 1, some(5).to_bytes(), None, None),
    )
    before = ledger.sets("L-1")
    assert [(one.space, one.lease, one.owner, one.history, one.sequence) for one in before] == [
        (TERNARY_2, "S-1", "Initech", history, 4)
    ]
    assert before[0].acknowledged == Acknowledged(operations=1, sha256=some(1).digest)
    ledger.record("L-2", 9, some(6), lease="S-9", owner="Hooli")
    assert ledger.sets("L-1") == before
    assert [one.operations for one in ledger.sets("L-2")] == [some(5), some(6)]
    connection = sqlite3.connect(ledger.path)
    assert connection.execute("PRAGMA user_version").fetchone() == (4,)
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    assert sorted(name for (name,) in tables) == ["counted", "segments"]
    connection.close()


def test_spaces_of_one_license_are_counted_apart_and_share_its_quota(ledger: Ledger) -> None:
    boolean = OperationSet.of([1, 200], Space(2, 3))
    ledger.record("L-1", 4, some(1, 2), lease="S-1", owner="Initech")
    ledger.record("L-1", 4, boolean, lease="S-1", owner="Initech")
    assert quota_refusal(lambda: ledger.record("L-1", 4, some(3), lease="S-1", owner="Initech")) == (
        "license L-1 allows 4 different operations; 4 are drawn and this call would draw 1 more; "
        "ask for fewer, or ask the vendor for a larger quota"
    )
    assert ledger.drawn("L-1") == some(1, 2)
    assert ledger.drawn("L-1", space=Space(2, 3)) == boolean
    assert ledger.drawn("L-1", space=Space(4, 1)) == OperationSet.of([], Space(4, 1))
    assert ledger.totals("L-1") == {Space(2, 3): 2, TERNARY_2: 2}
    (confirmed,) = (one for one in ledger.sets("L-1") if one.space == Space(2, 3))
    acknowledge(ledger, confirmed)
    assert {str(one.space): one.settled for one in ledger.sets("L-1")} == {"2,3": True, "3,2": False}


@pytest.mark.parametrize(
    ("space", "found"),
    [
        ("x", "space: 'x', expected a radix and a number of inputs, such as 3,2"),
        ("4,2", "bitmap: its SQLite type is blob, expected null"),
        ("2,3", "bitmap: 2461 bytes, expected 32"),
    ],
)
def test_set_of_no_listed_space_is_damage(ledger: Ledger, space: str, found: str) -> None:
    ledger.record("L-1", 9, some(1))
    connection = sqlite3.connect(ledger.path)
    connection.execute("UPDATE counted SET space = ?", (space,))
    connection.commit()
    connection.close()
    assert refusal_of(lambda: ledger.drawn("L-1")) == f"{ledger.path}: damaged ({found})"
