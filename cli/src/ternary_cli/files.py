"""
Reading and writing whole files and the standard streams.

A file appears whole or not at all, and every refusal of the operating system becomes one sentence.
"""

import errno
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from ternary_cli.formats import Format
from ternary_cli.refusals import STDOUT, sentences
from ternary_sdk._internal import whole_file
from ternary_sdk._internal.documents import outer
from ternary_sdk._internal.source import opened
from ternary_sdk.errors import InputError


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
        InputError: If it is larger, or standard input is a terminal or closed.
        FileError: If it cannot be read.
    """
    if source is None or is_standard(source):
        if sys.stdin is None:
            raise InputError("standard input: closed; name a file, or pipe rows in")
        if sys.stdin.isatty():
            raise InputError("no input: name a file, or pipe rows in as in 'ternary sample | ternary encode'")
        name = "standard input"
        with sentences(name):
            data = _read_up_to(sys.stdin.buffer, most)
    else:
        name = str(source)
        with sentences(source), opened(source) as file:
            data = _read_up_to(file, most)
    if most is not None and len(data) > most:
        raise InputError(f"{name}: more than {most:,} bytes, expected at most that many")
    return data, name


def _read_up_to(file: BinaryIO, most: int | None) -> bytes:
    return file.read() if most is None else file.read(most + 1)


def read_text(source: Path, *, most: int) -> str:
    """A whole file as UTF-8 text, without a byte order mark before it.

    Args:
        source: A file; ``-`` is standard input.
        most: Bytes above which it is refused.
    Raises:
        InputError: If it is larger.
        FormatError: If it is not UTF-8.
        FileError: If it cannot be read.
    """
    return outer.text(*read(source, most=most))


def write(data: bytes, target: Path | None) -> None:
    """Write bytes to a file, which then appears whole or not at all; None or ``-`` is standard output."""
    write_parts([data], target)


def write_parts(parts: Iterable[bytes], target: Path | None) -> None:
    """Write bytes as they come to a file, which appears whole after the last of them or not at all.

    Standard output, for None or ``-``, and what is no regular file get each part at once.
    """
    if target is None or is_standard(target):
        for part in parts:
            with sentences(STDOUT):
                sys.stdout.buffer.write(part)
        with sentences(STDOUT):
            sys.stdout.buffer.flush()
        return
    with sentences(target):
        if target.exists() and not target.is_file():
            with target.open("wb") as device:
                device.writelines(parts)
        else:
            whole_file.replace(target, parts)


def write_unless_kept(data: bytes, target: Path | None, *, force: bool) -> None:
    """Write bytes as ``write`` does; a file with other content is kept, unless ``--force`` was given.

    Raises:
        InputError: If it is kept.
    """
    if force or target is None or is_standard(target):
        write(data, target)
    else:
        write_new(data, target, remedy="add --force to replace it, or name another file")


def refuse_kept(targets: Iterable[Path], *, force: bool, other: str = "file") -> None:
    """Refuse before long work whose results would replace files, unless ``--force`` was given.

    Args:
        targets: Where the results go. A device or a pipe holds nothing that could be lost.
        force: Whether it was given.
        other: What can be named instead.
    Raises:
        InputError: Naming the first file that exists.
    """
    for target in targets:
        with sentences(target):
            exists = target.is_file()
        if exists and not force:
            raise InputError(f"{target}: exists; add --force to replace it, or name another {other}")


def expect_place(target: Path | None, *, force: bool) -> None:
    """Refuse a place where a result cannot go, before it is computed and a license counts it.

    Raises:
        InputError: If a file is there, and ``--force`` was not given.
        FileError: If it is a folder, or its folder is not there or may not be written to.
    """
    if target is None or is_standard(target):
        return
    refuse_kept([target], force=force)
    with sentences(target):
        if target.is_dir():
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
        if target.exists() and not target.is_file():
            return
        if not target.parent.is_dir():
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        if not os.access(target.parent, os.W_OK):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))


def write_new(data: bytes, target: Path, *, remedy: str = "remove it or name another file") -> None:
    """Write bytes to a file that must not exist yet, unless it holds the same bytes already."""
    with sentences(target):
        if target.exists():
            with opened(target) as file:
                there = file.read()
            if there != data:
                raise InputError(f"{target}: exists and differs; {remedy}")
            return
        whole_file.replace(target, (data,))


def refuse_json_beside_rows(target: Path | None) -> None:
    """Refuse ``--json`` where standard output has the rows: a program could not tell the two apart.

    Raises:
        InputError: If the rows go there.
    """
    if is_standard(target):
        raise InputError(
            "--json prints one object about the rows, which are to go to standard output themselves; "
            "add --out F, or take --format jsonl instead"
        )


def chosen_format(form: Format | None, target: Path | None) -> Format:
    """The format asked for; else the one that the file's name ends in; else by what reads the output.

    Raises:
        InputError: If the file's name says nothing, or a binary format would go to a terminal.
    """
    if is_standard(target):
        target = None
    on_terminal = target is None and sys.stdout.isatty()
    if form is None and target is not None:
        by_name = {suffix: known for known in Format for suffix in known.suffixes}
        if target.suffix not in by_name:
            *others, last = Format
            choices = f"{', '.join(others)} or {last}"
            raise InputError(f"{target}: the name says no format; add --format {choices}")
        form = by_name[target.suffix]
    if form is not None and form.binary and on_terminal:
        raise InputError(
            f"{form} is binary and standard output is a terminal; add --out F{form.suffixes[0]} or pipe it"
        )
    return form or (Format.TABLE if on_terminal else Format.CSV)
