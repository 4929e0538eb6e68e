"""
``python -m maintenance.evidence [STEP…]``: measure the figures that README quotes, and check the pages.

After each step ``docs/evidence.json`` is written, so a killed run loses one step at most. A step that was
measured with these sources on this machine is not measured again. All steps take most of an hour on two
cores, those of ``--quick`` a minute. Where other programs use the machine when it starts, seconds and rates
are not kept. ``--write`` measures nothing: it puts the present values into the pages.
"""

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Sequence, Set
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from maintenance.evidence import figures as kept
from maintenance.evidence import marks, measuring
from maintenance.evidence.figures import Figure
from maintenance.evidence.measuring import Measured, Step
from ternary_sdk._internal.inference.cores import usable_cores
from ternary_sdk.errors import TernaryError

ROOT: Final = Path(__file__).parents[2]
FILE: Final = ROOT / "docs" / "evidence.json"
TIMED: Final = frozenset({"seconds", "rate"})
"""Kinds of figures that other programs on the machine would change."""
PAGES: Final = ("README.md",)
"""Guarded pages: each of their figures has a mark. experiments.md and ablations.md are dated logs."""


def main(words: Sequence[str] | None = None) -> int:
    """Run the command line; 1 if a page is not as the file has it, 2 if there is no such step."""
    parser = argparse.ArgumentParser(
        prog="python -m maintenance.evidence",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("steps", nargs="*", metavar="STEP", help="which steps; default: all")
    parser.add_argument("--quick", action="store_true", help="only steps of seconds")
    parser.add_argument("--again", action="store_true", help="also what was measured with these sources")
    parser.add_argument("--write", action="store_true", help="put the present values into the pages")
    parser.add_argument("--runs", type=Path, default=ROOT / "runs" / "evidence", help="folder of trainings")
    given = parser.parse_args(words)
    named = {step.name: step for step in measuring.steps()}
    if unknown := [name for name in given.steps if name not in named]:
        print(f"error: {unknown[0]!r} is not a step, expected {', '.join(named)}", file=sys.stderr)
        return 2
    try:
        if given.write:
            return _write()
        wanted = [named[name] for name in given.steps or named]
        busy = _busy()
        if busy:
            print("the machine is busy: seconds and rates are not kept", file=sys.stderr)
        for step in wanted:
            if step.quick or not given.quick:
                _measure(step, given.runs, again=given.again, left_out=TIMED if busy else frozenset())
        return _judge()
    except (TernaryError, subprocess.CalledProcessError, OSError) as refusal:
        print(f"error: {refusal}", file=sys.stderr)
        return 1


def _measure(step: Step, folder: Path, *, again: bool, left_out: Set[str]) -> None:
    command, commit, machine = f"python -m maintenance.evidence {step.name}", _commit(), _machine()
    figures = _figures()
    there = [figure for figure in figures.values() if figure.command == command]
    same = all((figure.commit, figure.machine, figure.log) == (commit, machine, "") for figure in there)
    if there and same and not again:
        print(f"{step.name}: measured with these sources on {there[0].date}", flush=True)
        return
    folder.mkdir(parents=True, exist_ok=True)
    today = datetime.now(UTC).date().isoformat()
    found = {
        name: _figure(one, command=command, commit=commit, machine=machine, date=today)
        for name, one in step.measure(folder).items()
        if one.kind not in left_out
    }
    kept.write({**figures, **found}, FILE)
    for name, figure in found.items():
        print(f"{name:<28} {figure.value} {figure.unit}  {figure.kind} {_spread(figure)}", flush=True)


def _figures() -> dict[str, Figure]:
    return kept.read(FILE.read_bytes(), FILE.name) if FILE.exists() else {}


def _figure(one: Measured, *, command: str, commit: str, machine: str, date: str) -> Figure:
    return Figure(
        kind=one.kind,
        value=one.value,
        low=one.low or one.value,
        high=one.high or one.value,
        spread=one.spread,
        unit=one.unit,
        command=command,
        commit=commit,
        machine=machine,
        date=date,
        log="",
    )


def _spread(figure: Figure) -> str:
    return f"({figure.low} to {figure.high}: {figure.spread})" if figure.spread else ""


def _commit() -> str:
    """Of the sources; pages and the figures themselves may differ from it."""
    sources = "--", ".", ":!*.md", ":!docs/evidence.json"
    changed = _git("status", "--porcelain", *sources)
    return _git("rev-parse", "--short=12", "HEAD") + ("-dirty" if changed else "")


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


def _busy() -> bool:
    """Whether others used more than a quarter of the machine in the last minute."""
    return hasattr(os, "getloadavg") and os.getloadavg()[0] > usable_cores() / 4


def _machine() -> str:
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"{usable_cores()} cores{_processor()}, {system}"


def _processor() -> str:
    file = Path("/proc/cpuinfo")
    names = file.read_text("utf-8").splitlines() if file.exists() else []
    name = next((line.partition(":")[2].strip() for line in names if line.startswith("model name")), "")
    return f" of {name}" if name else ""


def _pages() -> Iterator[tuple[Path, str]]:
    yield from ((ROOT / name, (ROOT / name).read_text("utf-8")) for name in PAGES)


def _judge() -> int:
    figures = _figures()
    wrong = [f"{page.name}: {line}" for page, text in _pages() for line in marks.wrong(text, figures)]
    for line in wrong:
        print(line)
    if wrong:
        print("put the present values in: python -m maintenance.evidence --write", file=sys.stderr)
    return 1 if wrong else 0


def _write() -> int:
    figures = _figures()
    for page, text in _pages():
        page.write_text(marks.refreshed(text, figures), "utf-8")
    return _judge()


if __name__ == "__main__":
    sys.exit(main())
