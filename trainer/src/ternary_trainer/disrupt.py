"""
Surges: those of a recipe, and those asked for from another terminal while a training runs.

A request is a small file in the run directory, taken at the start of the next epoch and left there: the
state to resume from names the last one taken, so that a training killed in between takes it again. The
training holds a lock on its directory, so a request to a run that is not running is refused.
"""

import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from ternary_sdk._internal import whole_file
from ternary_sdk._internal.documents import plain
from ternary_sdk._internal.licensing import file_lock
from ternary_sdk._internal.source import opened
from ternary_sdk.errors import FormatError, InputError
from ternary_trainer.history import EpochRecord
from ternary_trainer.settings import Surge

_REQUEST: Final = "surge.json"
_LOCK: Final = ".lock"
_MOST_REQUEST: Final = 1 << 16  # bytes


def request(run_dir: Path, strength: float = 1.0, epochs: int = 1) -> None:
    """Make a running training surge from its next epoch on, in place of any surge that is on.

    Args:
        run_dir: Its run directory.
        strength: Exponent of the factors of `Surge`, 0 to 10.
        epochs: For how many epochs, from 1.
    Raises:
        InputError: If no training is running there, or an argument is out of range.
    """
    if not 0 <= strength <= 10:
        raise InputError(f"strength: {strength}, expected 0 to 10")
    if epochs < 1:
        raise InputError(f"epochs: {epochs}, expected 1 or more")
    _send(run_dir, {"strength": float(strength), "epochs": epochs})


def cancel(run_dir: Path) -> None:
    """End the surge of a running training before its next epoch.

    Raises:
        InputError: If no training is running there.
    """
    _send(run_dir, {"cancel": True})


def _send(run_dir: Path, message: dict[str, Any]) -> None:
    if not is_running(run_dir):
        raise InputError(f"{run_dir}: no training is running there, expected the directory of a running one")
    whole_file.write(run_dir / _REQUEST, json.dumps({"id": secrets.token_hex(8), **message}).encode())


def is_running(run_dir: Path) -> bool:
    """Whether a training holds the run directory."""
    try:
        with opened(run_dir / _LOCK) as lock:
            return not file_lock.take(lock.fileno(), shared=True)
    except OSError:
        return False


@contextmanager
def running(run_dir: Path) -> Iterator[None]:
    """Hold a run directory while training in it; the lock ends with the process, however it ends.

    Where the file system knows no locks, nothing is held: no other training is noticed, and no surge can be
    asked for.

    Raises:
        InputError: If another training holds it.
    """
    with (run_dir / _LOCK).open("wb") as lock:
        with suppress(OSError):
            if not file_lock.take(lock.fileno()):
                raise InputError(f"{run_dir}: another training is running there")
        yield


class Surges:
    """What disturbs a training in which epoch."""

    def __init__(self, planned: Sequence[Surge], run_dir: Path) -> None:
        self._planned = planned
        self._file = run_dir / _REQUEST
        self._requested: Surge | None = None
        self._silent_until = 0
        self._taken = ""

    def at(self, epoch: int) -> tuple[Surge | None, str]:
        """The surge that is on in an epoch and its origin, `recipe` or `request`; takes a waiting request."""
        self._take(epoch)
        if self._requested and self._requested.covers(epoch):
            return self._requested, "request"
        planned = next((surge for surge in self._planned if surge.covers(epoch)), None)
        if planned is None or epoch < self._silent_until:
            return None, ""
        return planned, "recipe"

    def _take(self, epoch: int) -> None:
        message = self._waiting()
        if message is None or message["id"] == self._taken:
            return
        self._taken = message["id"]
        if "cancel" in message:
            self._requested = None
            self._silent_until = max(
                (s.epoch + s.epochs for s in self._planned if s.covers(epoch)), default=0
            )
        else:
            self._requested = Surge(epoch=epoch, epochs=message["epochs"], strength=message["strength"])

    def _waiting(self) -> dict[str, Any] | None:
        try:
            with opened(self._file) as file:  # a pipe would keep the training waiting
                message: dict[str, Any] = plain.decode(file.read(_MOST_REQUEST))
            if set(message) not in ({"id", "cancel"}, {"id", "strength", "epochs"}):
                raise ValueError
        except FileNotFoundError:
            return None
        except (FormatError, ValueError, TypeError):
            raise FormatError(f"{self._file}: is no surge request; remove it and resume") from None
        return message

    def state(self) -> dict[str, Any]:
        """What a resumed training needs."""
        return {
            "requested": self._requested and asdict(self._requested),
            "silent_until": self._silent_until,
            "taken": self._taken,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `state`."""
        self._requested = Surge(**state["requested"]) if state["requested"] else None
        self._silent_until = state["silent_until"]
        self._taken = state["taken"]


@dataclass(frozen=True, kw_only=True)
class SurgeEffect:
    """What a surge did to coverage at the headline draws of the weakest path, each in [0, 1].

    In a vast space these are evenness.
    """

    epoch: int
    """Its first epoch."""
    epochs: int
    """How many epochs it was on."""
    strength: float
    origin: str
    before: float
    """After the last epoch before it; at epoch 0, after its first."""
    during: float
    """The lowest after any of its epochs."""
    after: float
    """The highest after any of as many epochs following it, at least three; `during` if it ended the run."""


def effects(history: Sequence[EpochRecord]) -> list[SurgeEffect]:
    """Every surge in a history, in order."""
    starts = [i for i, r in enumerate(history) if r.surge_origin and (i == 0 or not _same(history[i - 1], r))]
    return [_effect(history, start) for start in starts]


def _same(one: EpochRecord, other: EpochRecord) -> bool:
    return (one.surge, one.surge_origin) == (other.surge, other.surge_origin)


def _effect(history: Sequence[EpochRecord], start: int) -> SurgeEffect:
    end = next((i for i in range(start, len(history)) if not _same(history[i], history[start])), len(history))
    during = min(record.headline for record in history[start:end])
    following = history[end : end + max(3, end - start)]
    return SurgeEffect(
        epoch=history[start].epoch,
        epochs=end - start,
        strength=history[start].surge,
        origin=history[start].surge_origin,
        before=history[max(0, start - 1)].headline,
        during=during,
        after=max((record.headline for record in following), default=during),
    )
