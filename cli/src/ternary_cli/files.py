"""
Reading and writing whole files and the standard streams.

A file appears whole or not at all, and every refusal of the operating system becomes one sentence.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from ternary_cli.options import Format
from ternary_sdk.errors import InputError, TernaryError
from ternary_sdk.source import opened


@contextlib.contextmanager
def sentences(name: str | Path) -> Iterator[None]:
    """Turn the operating system's refusals about ``name`` into one sentence; a closed pipe stays one."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise TernaryError(f"{name}: {(error.strerror or str(error)).lower()}") from None


def is_standard(place: Path | None) -> bool:
    """Whether a place on the command line is standard input or output: left out, or ``-``."""
    return place is None or str(place) == "-"


def read(source: Path | None, *, most: int | None = None) -> tuple[bytes, str]:
    """Read everything, up to a cap where there is one.

    Args:
        source: A file; None or ``-`` is standard input.
        most: Bytes above which it is refused.
    Returns:
        The bytes, and a name for messages.
    Raises:
        InputError: If it is larger, or standard input is a terminal.
        TernaryError: If it cannot be read.
    """
    if source is None or is_standard(source):
        if sys.stdin.isatty():
            raise InputError("no input: name a file, or pipe rows in as in 'ternary sample | ternary encode'")
        with sentences("standard input"):
            return sys.stdin.buffer.read(), "standard input"
    with sentences(source), opened(source) as file:
        data = file.read() if most is None else file.read(most + 1)
    if most is not None and len(data) > most:
        raise InputError(f"{source}: more than {most:,} bytes, expected at most that many")
    return data, str(source)


def read_text(source: Path) -> str:
    """A whole file as UTF-8 text.

    Raises:
        InputError: If it is not UTF-8.
        TernaryError: If it cannot be read.
    """
    data, name = read(source)
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise InputError(f"{name}: not UTF-8 text") from None


def write(data: bytes, target: Path | None) -> None:
    """Write bytes to a file, which then appears whole or not at all; None or ``-`` is standard output."""
    write_parts([data], target)


def write_parts(parts: Iterable[bytes], target: Path | None) -> None:
    """Write bytes as they come to a file, which appears whole after the last of them or not at all.

    Standard output, for None or ``-``, and what is no regular file get each part at once.
    """
    if target is None or is_standard(target):
        for part in parts:
            with sentences("standard output"):
                sys.stdout.buffer.write(part)
        with sentences("standard output"):
            sys.stdout.buffer.flush()
        return
    with sentences(target):
        if target.exists() and not target.is_file():
            with target.open("wb") as device:
                device.writelines(parts)
        else:
            _replace(target, parts)


def write_new(data: bytes, target: Path) -> None:
    """Write bytes to a file that must not exist yet, unless it holds the same bytes already."""
    with sentences(target):
        if target.exists():
            with opened(target) as file:
                there = file.read()
            if there != data:
                raise InputError(f"{target}: exists and differs; remove it or choose another --out")
            return
        _replace(target, (data,))


def _replace(target: Path, parts: Iterable[bytes]) -> None:
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    with _ended_in_order():
        try:
            with partial.open("xb") as file:
                file.writelines(parts)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)


@contextlib.contextmanager
def _ended_in_order() -> Iterator[None]:
    """Let whoever is asked to end here, as by ``kill`` or ``timeout``, first remove what is half written."""

    def end(number: int, _: object) -> None:
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def chosen_format(form: Format | None, target: Path | None) -> Format:
    """The format asked for; else the one that the file's name ends in; else by what reads the output.

    Raises:
        InputError: If the file's name says nothing, or .npy would go to a terminal.
    """
    if is_standard(target):
        target = None
    on_terminal = target is None and sys.stdout.isatty()
    if form is None and target is not None:
        by_name = {".csv": Format.CSV, ".jsonl": Format.JSONL, ".npy": Format.NPY, ".txt": Format.TABLE}
        if target.suffix not in by_name:
            raise InputError(f"{target}: the name says no format; add --format csv, jsonl, npy or table")
        form = by_name[target.suffix]
    if form is Format.NPY and on_terminal:
        raise InputError("npy is binary and standard output is a terminal; add --out F.npy or pipe it")
    return form or (Format.TABLE if on_terminal else Format.CSV)
