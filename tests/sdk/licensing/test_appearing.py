import errno
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

import pytest

from ternary_sdk._internal.licensing import appearing, clock, installation, mark
from ternary_sdk._internal.licensing.ledger import Ledger
from ternary_sdk.errors import LedgerError
from ternary_sdk.operations import OperationSet

Refusing = Callable[[int], None]


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Refusing:
    """Makes this a file system that refuses hard links, as exFAT and others do, with a given error."""

    def refuse(number: int) -> None:
        def link(source: object, target: object) -> NoReturn:
            raise OSError(number, os.strerror(number), str(source), None, str(target))

        monkeypatch.setattr(os, "link", link)

    return refuse


@pytest.fixture(params=["links", "no links"])
def either(request: pytest.FixtureRequest, refusing: Refusing) -> None:
    if request.param == "no links":
        refusing(errno.EPERM)


def draft(place: Path, text: bytes = b"mine") -> Path:
    path = place / f"draft-{os.urandom(4).hex()}"
    path.write_bytes(text)
    return path


def left(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir() if not path.name.startswith("draft-"))


@pytest.mark.usefixtures("either")
def test_file_appears_under_its_name_and_leaves_nothing_else(tmp_path: Path) -> None:
    appearing.appear(draft(tmp_path), tmp_path / "key")
    assert (tmp_path / "key").read_bytes() == b"mine"
    assert left(tmp_path) == ["key"]


@pytest.mark.usefixtures("either")
def test_name_that_is_taken_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"theirs")
    appearing.appear(draft(tmp_path), tmp_path / "key")
    assert (tmp_path / "key").read_bytes() == b"theirs"
    assert left(tmp_path) == ["key"]


@pytest.mark.usefixtures("either")
def test_of_many_at_once_one_appears_and_stays(tmp_path: Path) -> None:
    for number in range(30):
        place = tmp_path / str(number)
        place.mkdir()

        def give(text: bytes, place: Path = place) -> bytes:
            appearing.appear(draft(place, text), place / "key")
            return (place / "key").read_bytes()

        with ThreadPoolExecutor(8) as pool:
            found = set(pool.map(give, [b"%d" % one for one in range(8)]))
        assert found == {(place / "key").read_bytes()}
        assert left(place) == ["key"]


def test_what_a_crash_left_claimed_appears_for_the_next_who_comes(tmp_path: Path, refusing: Refusing) -> None:
    refusing(errno.EPERM)
    claim = tmp_path / ".key.claim"
    claim.mkdir()
    (claim / "first").write_bytes(b"first")
    appearing.appear(draft(tmp_path), tmp_path / "key")
    assert (tmp_path / "key").read_bytes() == b"first"
    assert left(tmp_path) == ["key"]


@pytest.mark.parametrize("held", [[], ["late"]])
def test_claim_that_a_crash_left_after_the_file_appeared_is_removed(
    tmp_path: Path, refusing: Refusing, held: list[str]
) -> None:
    refusing(errno.EPERM)
    claim = tmp_path / ".key.claim"
    claim.mkdir()
    for name in held:
        (claim / name).write_bytes(b"late")
    (tmp_path / "key").write_bytes(b"first")
    appearing.appear(draft(tmp_path), tmp_path / "key")
    assert (tmp_path / "key").read_bytes() == b"first"
    assert left(tmp_path) == ["key"]


def test_error_that_says_nothing_of_links_is_raised(tmp_path: Path, refusing: Refusing) -> None:
    refusing(errno.ENOSPC)
    with pytest.raises(OSError, match="No space left"):
        appearing.appear(draft(tmp_path), tmp_path / "key")
    assert left(tmp_path) == []


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EACCES, errno.EXDEV])
def test_key_mark_and_meter_are_made_without_hard_links(
    tmp_path: Path, now: datetime, refusing: Refusing, number: int
) -> None:
    refusing(number)
    place = tmp_path / "state"
    with ThreadPoolExecutor(8) as pool:
        kids = {one.kid for one in pool.map(lambda _: clock.establish(place, now, signed=now), range(8))}
        ledger = Ledger(place / "ledger.sqlite3")
        list(pool.map(lambda one: ledger.record("L-1", 8, OperationSet.of([one])), range(8)))
    (kid,) = kids
    found = mark.find(place)
    assert found is not None
    assert found.time == now
    assert len(ledger.drawn("L-1")) == 8
    assert sorted(path.name for path in place.iterdir()) == [
        f"clock-{kid}.jws",
        "installation.json",
        "ledger.sqlite3",
    ]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_key_that_cannot_be_made_leaves_no_mark_behind(
    tmp_path: Path, now: datetime, refusing: Refusing, number: int
) -> None:
    refusing(number)
    for _ in range(3):
        with pytest.raises(LedgerError) as refusal:
            clock.establish(tmp_path, now, signed=now)
        assert str(refusal.value) == f"{tmp_path}/installation.json: cannot be made ({os.strerror(number)})"
    assert list(tmp_path.iterdir()) == []


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("steps", range(1, 32))
def test_process_that_ends_at_any_step_leaves_a_state_that_the_next_one_can_use(
    tmp_path: Path, now: datetime, refusing: Refusing, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    refusing(errno.EPERM)
    left = steps

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def step(*words: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if left <= 0:  # from here on nothing is done any more, not even clearing up
                raise Killed
            return call(*words, **named)

        return step

    with monkeypatch.context() as ending:
        for name in ("open", "mkdir", "rename", "replace", "unlink", "rmdir"):
            ending.setattr(os, name, counted(getattr(os, name)))
        try:
            clock.establish(tmp_path / "state", now, signed=now)
            Ledger(tmp_path / "state/ledger.sqlite3").record("L-1", 2, OperationSet.of([1]))
        except Killed:
            pass
    held = clock.establish(tmp_path / "state", now, signed=now)
    assert mark.read(held).time == now
    assert installation.find(tmp_path / "state") == held
    ledger = Ledger(tmp_path / "state/ledger.sqlite3")
    ledger.record("L-1", 2, OperationSet.of([2]))
    drawn = ledger.drawn("L-1")
    assert drawn == drawn | OperationSet.of([2])
