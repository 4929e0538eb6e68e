"""
How a command ends: the exit status, code and sentence for each thing that can end one.

    0    done
    1    refused; standard error has one ``error: …`` line
    2    the command line itself is wrong
    3    'ternary doctor --warn-days': nothing is wrong, and an end is near
    129  ended by SIGHUP: the terminal or connection is gone
    130  ended by SIGINT (Ctrl-C)
    141  whoever read standard output has left; nothing is said
    143  ended by SIGTERM, as ``kill`` and ``timeout`` send it
"""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Final

import typer

from ternary_cli.refusals import FoundWrongError, because
from ternary_sdk.errors import TernaryError

EPILOG: Final = (
    "Exit status: 0 done, 1 refused (one 'error: …' line), 2 wrong command line, 3 an end is near "
    "('doctor --warn-days'), 129, 130 and 143 ended by SIGHUP, SIGINT and SIGTERM, 141 the reader of "
    "standard output has left. With --json every refusal is also printed, as one JSON object with a code."
)
REFUSED: Final = 1
CLOSED_PIPE: Final = 141
UsageError: Final[Any] = typer.BadParameter.__mro__[1]
"""The base of what typer raises for a wrong command line, which it does not export."""

_SIGNALS: Final = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)
)


class Signalled(SystemExit):
    """Someone asked this process to end. Not an Exception: only what cleans up may see it on its way."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.number = number

    def __reduce__(self) -> tuple[type["Signalled"], tuple[int]]:
        return Signalled, (self.number,)


@dataclass(frozen=True, kw_only=True)
class Ending:
    """A command's end, where it is not the wanted one."""

    status: int
    """The exit status."""
    code: str = ""
    """What went wrong, for programs; empty if nothing is said at all."""
    message: str = ""
    """The same for people, one sentence."""
    show: Callable[..., None] | None = None
    """Writes to ``file`` what people read instead, with the usage of the command; None: the message."""
    result: Mapping[str, Any] = field(default_factory=dict)
    """What was found all the same."""

    @property
    def object(self) -> dict[str, Any]:
        """What ``--json`` prints."""
        return {**self.result, "error": {"code": self.code, "message": self.message}}


def of(error: BaseException, doing: str) -> Ending | None:
    """How a command ends that raised an exception; None if that is a fault of this program.

    Args:
        error: What it raised.
        doing: The command, such as ``ternary sample``: what is said to have failed if nothing else is named.
    """
    match error:
        case FoundWrongError():
            return Ending(status=REFUSED, code=error.code, message=str(error), result=error.result)
        case TernaryError():
            return Ending(status=REFUSED, code=str(error.code), message=str(error))
        case MemoryError():
            message = "not enough memory for a request of this size"
            return Ending(status=REFUSED, code="MEMORY", message=message)
        case BrokenPipeError():
            return Ending(status=CLOSED_PIPE)
        case OSError():
            return Ending(status=REFUSED, code="FILE", message=f"{_named(error) or doing}: {because(error)}")
        case Signalled():
            message = f"ended by {signal.Signals(error.number).name}"
            return Ending(status=128 + error.number, code="INTERRUPTED", message=message)
        case KeyboardInterrupt() | typer.Abort():
            return Ending(status=130, code="INTERRUPTED", message="interrupted")
        case _ if isinstance(error, UsageError):
            return Ending(status=2, code="USAGE", message=error.format_message(), show=error.show)
    return None


def _named(error: OSError) -> str:
    names = [name for name in (error.filename, error.filename2) if isinstance(name, str | bytes)]
    return ", ".join(map(os.fsdecode, names))


@contextlib.contextmanager
def in_order() -> Iterator[None]:
    """Let a process that is asked to end first remove what is half written; after that it asks no more.

    A signal that is ignored, as SIGHUP is under ``nohup``, stays ignored.
    """
    heard = [number for number in _SIGNALS if signal.getsignal(number) == signal.SIG_DFL]

    def end(number: int, _: FrameType | None) -> None:
        for each in heard:
            signal.signal(each, signal.SIG_IGN)
        raise Signalled(number)

    for number in heard:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in heard:
            signal.signal(number, signal.SIG_DFL)


@contextlib.contextmanager
def at_once() -> Iterator[None]:
    """Let signals do again what the system does with them, for a program that handles them itself."""
    handlers = {number: handler for number in _SIGNALS if callable(handler := signal.getsignal(number))}
    for number in handlers:
        signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def wants_json(words: Sequence[str]) -> bool:
    """Whether a command line, right or wrong, asks for JSON."""
    return "--json" in words[: words.index("--")] if "--" in words else "--json" in words
