"""Sets of vast spaces in the meter: exact, whatever is appended, joined, acknowledged, cut off or forked."""

import os
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ternary_sdk._internal.licensing import ledger_file, segments
from ternary_sdk._internal.licensing.counted import Acknowledged, Counted
from ternary_sdk._internal.licensing.decoded import Decoded
from ternary_sdk._internal.licensing.ledger import Ledger
from ternary_sdk._internal.licensing.segments import Segment, due
from ternary_sdk.errors import LedgerError, LicenseError, Reason
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2, Space

VAST = Space(3, 3)
VECTORS = Path(__file__).parents[2] / "vectors"
AsUser = Callable[[Callable[[], Any]], Any]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "state" / "ledger.sqlite3")


def some(*indices: int) -> OperationSet:
    return OperationSet.of(list(indices), VAST)


def record(ledger: Ledger, *indices: int, quota: int = 1 << 40, lease: str = "S-1") -> None:
    ledger.record("L-1", quota, some(*indices), lease=lease, owner="Initech")


def counted(ledger: Ledger) -> Counted:
    return ledger.counted("L-1", lease="S-1", owner="Initech", space=VAST)


def rows(ledger: Ledger) -> list[tuple[int, int]]:
    """Whether each segment is confirmed, and how many operations it has."""
    connection = sqlite3.connect(ledger.path)
    found = connection.execute("SELECT confirmed, operations FROM segments ORDER BY 1, 2").fetchall()
    connection.close()
    return found


def settle() -> None:
    """Wait until no thread joins segments any more."""
    for thread in threading.enumerate():
        if thread.name == "ternary-meter":
            thread.join()


def test_operation_of_a_vast_space_counts_once_however_often_it_is_drawn(ledger: Ledger) -> None:
    for _ in range(3):
        record(ledger, 5, 2**40, VAST.size - 1, quota=3)
    assert ledger.drawn("L-1", space=VAST) == some(5, 2**40, VAST.size - 1)
    assert (counted(ledger).sequence, rows(ledger)) == (1, [(0, 3)])
    assert ledger.drawn("L-1", space=Space(4, 2)) == OperationSet.of([], Space(4, 2))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=6, deadline=None)
@given(st.lists(st.sets(st.integers(0, 30) | st.integers(2**42, 2**42 + 9), max_size=8), max_size=12))
def test_a_set_is_the_union_of_all_that_was_recorded(tmp_path: Path, calls: list[set[int]]) -> None:
    ledger, together = Ledger(tmp_path / os.urandom(8).hex() / "ledger.sqlite3"), set[int]()
    for number, call in enumerate(calls):
        record(ledger, *call)
        together |= call
        assert ledger.totals("L-1", owner="Initech").get(VAST, 0) == len(together)
        if number % 3 == 2 and together:
            before = counted(ledger)
            acknowledge(ledger, before, before.unconfirmed)
    assert set(ledger.drawn("L-1", space=VAST)) == together
    assert list(ledger.lacking("L-1", some(*range(40)))) == [i for i in range(40) if i not in together]


def acknowledge(ledger: Ledger, reported: Counted, confirmed: OperationSet) -> None:
    """Keep that the server has some operations of a set beside those that it had."""
    reached = reported.operations - reported.unconfirmed | confirmed
    ledger.acknowledge("L-1", reported, confirmed, Acknowledged.of(reached))


def test_quota_counts_vast_and_listed_spaces_together(ledger: Ledger) -> None:
    record(ledger, 1, 2, quota=4)
    ledger.record("L-1", 4, OperationSet.of([7]), lease="S-1", owner="Initech")
    with pytest.raises(LicenseError) as refusal:
        record(ledger, 2, 3, 4, quota=4)
    assert refusal.value.code is Reason.QUOTA_EXHAUSTED
    assert str(refusal.value) == (
        "license L-1 allows 4 different operations; 3 are drawn and this call would draw 2 more; "
        "ask for fewer, or ask the vendor for a larger quota"
    )
    assert ledger.totals("L-1") == {TERNARY_2: 1, VAST: 2}


def test_what_two_leases_share_counts_once_for_the_quota(ledger: Ledger) -> None:
    record(ledger, 1, 2, quota=3)
    record(ledger, 2, 3, quota=3, lease="S-2")
    record(ledger, 1, quota=3, lease="S-2")
    with pytest.raises(LicenseError, match="3 are drawn and this call would draw 1 more"):
        record(ledger, 4, quota=3, lease="S-2")
    assert ledger.totals("L-1") == {VAST: 3}
    assert {one.lease: one.operations for one in ledger.sets("L-1")} == {
        "S-1": some(1, 2),
        "S-2": some(1, 2, 3),
    }


def test_new_operations_are_counted_only_if_all_of_them_are_new(ledger: Ledger) -> None:
    def record_new(*indices: int, owner: str = "Initech") -> OperationSet:
        return ledger.record_new("L-1", 9, some(*indices), lease="S-1", owner=owner)

    assert record_new(1, 2) == some()
    assert record_new(2, 3) == some(2)
    assert ledger.drawn("L-1", space=VAST) == some(1, 2)
    assert record_new(2, 4, owner="Hooli") == some(2), "to whomever it was returned"
    assert record_new(3, 4) == some()
    assert ledger.record_new("L-2", 9, some(1)) == some()
    assert ledger.lacking("L-1", some(1, 3, 5)) == some(5)
    with pytest.raises(LicenseError, match="4 are drawn and this call would draw 6 more"):
        record_new(*range(10, 16))


def test_segments_of_about_one_size_are_joined(ledger: Ledger) -> None:
    for first in range(9):
        record(ledger, *range(10 * first, 10 * first + 10))
    assert rows(ledger) == [(0, 90)]
    record(ledger, 1000)
    assert rows(ledger) == [(0, 1), (0, 90)]
    assert counted(ledger).sequence == 10
    assert ledger.drawn("L-1", space=VAST) == some(*range(90), 1000)


def test_large_segments_are_joined_beside_the_calls(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "AT_ONCE", 20)
    for first in range(3):
        record(ledger, *range(10 * first, 10 * first + 10))
    settle()
    assert rows(ledger) == [(0, 30)]
    assert ledger.drawn("L-1", space=VAST) == some(*range(30))


def test_what_another_process_joined_first_is_left_as_it_is(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "AT_ONCE", 0)
    monkeypatch.setattr("ternary_sdk._internal.licensing.joining.beside", lambda *_: None)
    for first in range(3):
        record(ledger, first)
    history = counted(ledger).history or ""
    made, of = [], segments.Written.of

    def written(members: Any) -> Any:
        made.append(len(members))
        if len(made) == 1:
            Ledger(ledger.path).join(history)
        return of(members)

    monkeypatch.setattr(segments.Written, "of", written)
    ledger.join(history)
    assert (made, rows(ledger)) == ([3, 3], [(0, 3)])


@pytest.mark.parametrize(
    ("sizes", "joined"),
    [
        ([(1, False), (2, False)], []),
        ([(1, False), (2, False), (2, False)], [1, 2, 2]),
        ([(1, False), (2, True), (2, False)], []),
        ([(1, False), (3, False), (9, False)], []),
        ([(9, False), (9, False), (9, False), (1, True), (1, True), (1, True)], [1, 1, 1]),
        ([(100, False)] * 3, []),
        ([(segments.LARGEST, False)] * 3, []),
    ],
)
def test_which_segments_are_joined(sizes: list[tuple[int, bool]], joined: list[int]) -> None:
    all_of_them = [Segment(number, confirmed, size) for number, (size, confirmed) in enumerate(sizes)]
    assert [segment.operations for segment in due(all_of_them, most=99)] == joined


def test_acknowledged_operations_are_not_pending_whatever_was_added_since(ledger: Ledger) -> None:
    record(ledger, 1, 2, 3)
    reported = counted(ledger)
    assert (reported.pending, reported.settled) == (some(1, 2, 3), False)
    record(ledger, 4)
    acknowledge(ledger, reported, some(1, 2))  # the first of two reports
    now = counted(ledger)
    assert (now.pending, now.acknowledged) == (some(3, 4), Acknowledged.of(some(1, 2)))
    acknowledge(ledger, now, some(3, 4))
    assert counted(ledger).settled
    assert counted(ledger).operations == some(1, 2, 3, 4)
    assert all(confirmed for confirmed, _ in rows(ledger))


def test_answer_to_a_report_with_another_base_is_not_kept(ledger: Ledger) -> None:
    record(ledger, 1)
    first = counted(ledger)
    record(ledger, 2)
    acknowledge(ledger, counted(ledger), some(1, 2))
    acknowledge(ledger, first, some(1))  # another process's, which comes late
    assert counted(ledger).acknowledged == Acknowledged.of(some(1, 2))
    assert counted(ledger).settled


def test_answer_about_a_set_that_began_anew_is_not_kept(ledger: Ledger) -> None:
    record(ledger, 1)
    reported = counted(ledger)
    ledger.path.unlink()
    record(ledger, 2)
    acknowledge(ledger, reported, some(1))
    assert (counted(ledger).acknowledged, counted(ledger).pending) == (None, some(2))


def test_forgotten_acknowledgement_makes_everything_pending(ledger: Ledger) -> None:
    record(ledger, 1, 2)
    acknowledge(ledger, counted(ledger), some(1, 2))
    ledger.forget_acknowledgement("L-1", counted(ledger))
    assert (counted(ledger).acknowledged, counted(ledger).pending) == (None, some(1, 2))


DAMAGES = {
    "segments: there are none of a set that has operations": "DELETE FROM segments",
    "segments: gaps: 2 numbers, expected 3": "UPDATE segments SET operations = 3",
    "segments: gaps: 2 numbers, expected at most 1": "UPDATE segments SET operations = 1",
    "segments: gaps: holds a number of 7,625,597,484,987 or more": (
        "UPDATE segments SET gaps = X'00FFFFFFFFFFFFFF7F'"
    ),
    "bitmap: its SQLite type is null, expected blob": "UPDATE counted SET space = '3,2'",
}


@pytest.mark.parametrize("sentence", DAMAGES)
def test_damaged_segments_are_refused(ledger: Ledger, sentence: str) -> None:
    record(ledger, 1, 2)
    segments.DECODED.clear()  # as another process finds it
    connection = sqlite3.connect(ledger.path)
    connection.execute(DAMAGES[sentence])
    connection.commit()
    connection.close()
    for call in (lambda: record(ledger, 3), lambda: ledger.drawn("L-1", space=VAST)):
        with pytest.raises(LedgerError) as refusal:
            call()
        assert str(refusal.value) == f"{ledger.path}: damaged ({sentence})"


def test_segments_of_another_type_are_refused(ledger: Ledger) -> None:
    record(ledger, 1)
    segments.DECODED.clear()
    connection = sqlite3.connect(ledger.path)
    connection.executescript(
        "CREATE TABLE other AS SELECT number, history, confirmed, operations, 'x' AS gaps FROM segments;"
        "DROP TABLE segments; ALTER TABLE other RENAME TO segments;"
    )
    connection.close()
    with pytest.raises(LedgerError) as refusal:
        ledger.drawn("L-1", space=VAST)
    sentence = "segments: gaps: its SQLite type is not blob"
    assert str(refusal.value) == f"{ledger.path}: damaged ({sentence})"


@contextmanager
def locked(ledger: Ledger) -> Iterator[None]:
    """As while another process counts."""
    with closing(sqlite3.connect(ledger.path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


CALLS: dict[str, Callable[[Ledger, Counted], object]] = {
    "record": lambda ledger, _: record(ledger, 5),
    "record new": lambda ledger, _: ledger.record_new("L-1", 9, some(5), lease="S-1", owner="Initech"),
    "acknowledge": lambda ledger, before: acknowledge(ledger, before, some(1)),
}


@pytest.mark.parametrize("call", CALLS)
def test_first_call_of_a_process_decodes_before_it_locks_the_file(ledger: Ledger, call: str) -> None:
    record(ledger, 1, 2, 3)
    before = counted(ledger)
    segments.DECODED.clear()
    with ThreadPoolExecutor(1) as pool, locked(ledger):
        done = pool.submit(CALLS[call], ledger, before)
        deadline = time.monotonic() + 5
        while not len(segments.DECODED) and time.monotonic() < deadline:
            wait([done], timeout=0.01)
        assert (len(segments.DECODED), done.done()) == (3, False)
    done.result()
    assert ledger.drawn("L-1", space=VAST) == (some(1, 2, 3) if call == "acknowledge" else some(1, 2, 3, 5))


def test_segments_that_are_remembered_are_bounded(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "DECODED", Decoded(most=4))
    for lease in ("S-1", "S-2", "S-3"):
        record(ledger, 1, 2, 3, lease=lease)
    assert len(segments.DECODED) == 3
    record(ledger, 3, 4, quota=4, lease="S-1")
    assert len(segments.DECODED) <= 4
    assert ledger.totals("L-1") == {VAST: 4}


def test_restored_copy_of_a_meter_is_read_as_it_lies(ledger: Ledger) -> None:
    record(ledger, 1)
    copy = ledger.path.read_bytes()
    record(ledger, 2)
    ledger.path.write_bytes(copy)
    assert ledger.drawn("L-1", space=VAST) == some(1)
    record(ledger, 3)
    assert ledger.drawn("L-1", space=VAST) == some(1, 3)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_read_only_meter_of_a_vast_space_is_read(place: Path, as_user: AsUser) -> None:
    ledger = Ledger(place / "state" / "ledger.sqlite3")
    record(ledger, 1, 2)
    ledger.path.chmod(0o400)
    ledger.path.parent.chmod(0o500)
    assert as_user(lambda: (ledger.drawn("L-1", space=VAST), counted(ledger).pending)) == (some(1, 2),) * 2
    assert as_user(lambda: ledger.lacking("L-1", some(2, 3))) == some(3)


def test_threads_and_processes_count_into_one_set(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "AT_ONCE", 8)
    children = [_forked(lambda first=first: _record_each(ledger, first)) for first in (1000, 2000)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda first: _record_each(ledger, first), (3000, 4000)))
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0]
    settle()
    expected = some(*(first + k for first in (1000, 2000, 3000, 4000) for k in range(20)), 5)
    assert ledger.drawn("L-1", space=VAST) == expected
    assert sum(size for _, size in rows(ledger)) == len(expected)


def _record_each(ledger: Ledger, first: int) -> None:
    for k in range(20):
        record(ledger, first + k, 5)
    settle()


def _forked(call: Callable[[], object]) -> int:
    child = os.fork()
    if child:
        return child
    try:
        call()
        os._exit(0)
    finally:
        os._exit(1)


class Cut(sqlite3.Connection):
    """Ends the process before the statement of a number, as a power cut would."""

    left = 0

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.set_trace_callback(self._count)

    def _count(self, statement: str) -> None:
        Cut.left -= 1
        if Cut.left < 0:
            os._exit(7)


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_crash_between_any_two_statements_loses_nothing_and_counts_nothing_twice(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Appending, joining at once and beside, and acknowledging, cut off before each statement."""
    connect = sqlite3.connect
    monkeypatch.setattr(segments, "AT_ONCE", 6)
    monkeypatch.setattr("ternary_sdk._internal.licensing.joining.beside", lambda join, _, name: join(name))
    monkeypatch.setattr(
        ledger_file.sqlite3, "connect", lambda *given, **named: connect(*given, factory=Cut, **named)
    )
    Cut.left = 1 << 40
    record(ledger, *range(3))
    record(ledger, *range(10, 13))
    before = {*range(3), *range(10, 13)}

    def step() -> None:
        record(ledger, *range(20, 23), 0)
        reported = counted(ledger)
        acknowledge(ledger, reported, some(*range(3)))

    for cut in range(1000):
        Cut.left = cut
        if os.waitstatus_to_exitcode(os.waitpid(_forked(step), 0)[1]) == 0:
            break
        Cut.left = 1 << 40
        now = counted(ledger)
        assert set(now.operations) in (before, before | set(range(20, 23)))
        assert sum(size for _, size in rows(ledger)) == len(now.operations)
        confirmed = now.operations - now.unconfirmed
        assert now.acknowledged == (Acknowledged.of(confirmed) if len(confirmed) else None)
    Cut.left = 1 << 40
    assert cut > 30
    assert set(counted(ledger).operations) == before | set(range(20, 23))


def test_ten_thousand_operations_take_less_than_five_bytes_each(ledger: Ledger) -> None:
    drawn = np.random.default_rng(1).integers(0, VAST.size, 10_000)
    ledger.record("L-1", 1 << 40, OperationSet.of(drawn, VAST), lease="S-1", owner="Initech")
    assert ledger.path.stat().st_size < 5 * 10_000 + 32_768


@pytest.mark.parametrize("version", [1, 2, 3])
def test_meter_of_an_earlier_version_is_upgraded_and_counts_vast_spaces_too(
    ledger: Ledger, version: int
) -> None:
    ledger.path.parent.mkdir()
    connection = sqlite3.connect(ledger.path)
    connection.executescript((VECTORS / f"meter-{version}.sql").read_text("utf-8"))
    connection.close()
    before = ledger.sets("L-17")
    ledger.record("L-17", 5, some(1, 2**40), lease="S-1", owner="Initech")
    *kept, added = ledger.sets("L-17")
    assert (kept, added.operations) == (before, some(1, 2**40))
    with pytest.raises(LicenseError, match="5 are drawn and this call would draw 1 more"):
        ledger.record("L-17", 5, some(2), lease="S-1", owner="Initech")
