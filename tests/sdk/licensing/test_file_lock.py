import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ternary_sdk._internal.licensing import file_lock


@pytest.fixture
def openings(tmp_path: Path) -> Iterator[list[int]]:
    """One file, opened three times: each opening takes the lock for itself, as another process would."""
    with ExitStack() as files:
        yield [files.enter_context((tmp_path / "lock").open("ab")).fileno() for _ in range(3)]


def test_one_opening_alone_holds_an_exclusive_lock(openings: list[int]) -> None:
    first, second, third = openings
    assert file_lock.take(first)
    assert not file_lock.take(second)
    assert not file_lock.take(third, shared=True)
    file_lock.give_up(first)
    assert file_lock.take(second)


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no shared locks")
def test_a_shared_lock_is_held_by_several_and_keeps_an_exclusive_one_out(openings: list[int]) -> None:
    first, second, third = openings
    assert file_lock.take(first, shared=True)
    assert file_lock.take(second, shared=True)
    assert not file_lock.take(third)


def test_a_file_that_cannot_be_locked_is_told_apart_from_one_that_is_held(openings: list[int]) -> None:
    os.close(closed := os.dup(openings[0]))
    with pytest.raises(OSError, match="Bad file descriptor"):
        file_lock.take(closed)
