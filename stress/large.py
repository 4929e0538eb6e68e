"""
What each question costs on a large database: processor time, and how much memory its process needed more.

Run alone: ``python -m stress.large [--licenses N] [--entries N] [--database URL] [QUESTION…]``. A SQLite file
that is there already is used again.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from benchmarks.measurement import peak_memory
from sqlalchemy import func, select

from stress.large_rows import Size, fill
from ternary_license_server.database.engine import Database
from ternary_license_server.database.schema import meter_entries
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import auditing, customer_usage, invoicing, overview, records

MIDDLE: Final = "L-000000000000000000080000"


def main() -> int:
    """Fill, ask, print."""
    options = argparse.ArgumentParser(prog="python -m stress.large", description=__doc__)
    options.add_argument("--licenses", type=int, default=1_000_000)
    options.add_argument("--entries", type=int, default=300_000)
    options.add_argument("--database", help="address of the one to use")
    options.add_argument("--one", help=argparse.SUPPRESS)
    options.add_argument("questions", nargs="*")
    chosen = options.parse_args()
    if chosen.one:
        print(_ask(chosen.database, chosen.one))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        url = chosen.database or f"sqlite:///{folder}/large.sqlite3"
        if not Path(url.removeprefix("sqlite:///")).exists():
            start = time.perf_counter()
            fill(url, Size(licenses=chosen.licenses, entries=chosen.entries))
            seconds = time.perf_counter() - start
            print(f"{chosen.licenses:,} licenses, {chosen.entries:,} entries: written in {seconds:.0f} s")
        for name in chosen.questions or QUESTIONS:
            command = [sys.executable, "-m", "stress.large", "--database", url, "--one", name]
            print(
                subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip(), flush=True
            )
    return 0


def _ask(url: str, name: str) -> str:
    with closing(Database(url)) as database, database.read() as transaction:
        records.page(transaction, after="", limit=1)
        before = peak_memory()
        start = time.process_time()
        found = QUESTIONS[name](transaction)
        seconds = time.process_time() - start
    more = (peak_memory() - before) / 2**20
    return f"{name:<24} {1000 * seconds:>12,.1f} ms {more:>9,.1f} MiB more   {found}"


def _period(seconds: int) -> Callable[[Transaction], str]:
    def ask(transaction: Transaction) -> str:
        from datetime import UTC, datetime

        last = transaction.execute(select(func.max(meter_entries.c.received))).scalar_one()
        period = {
            "start": datetime.fromtimestamp(last + 1 - seconds, UTC),
            "end": datetime.fromtimestamp(last + 1, UTC),
        }
        lines = sum(1 for _ in invoicing.lines(transaction, **period))
        together = sum(1 for _ in customer_usage.customer_lines(transaction, **period))
        flagged = sum(1 for _ in invoicing.flagged(transaction, **period))
        return f"{lines} lines, {together} customers, {flagged} flags"

    return ask


def _verify(transaction: Transaction) -> str:
    number, head = auditing.summary(transaction)
    return f"{number} rows, head {head[:12]}, {sum(1 for _ in auditing.faults(transaction))} faults"


def _page(after: str) -> Callable[[Transaction], str]:
    return lambda transaction: f"{len(records.page(transaction, after=after, limit=100))} licenses"


QUESTIONS: Final[Mapping[str, Callable[[Transaction], str]]] = {
    "usage of ten seconds": _period(10),
    "usage of everything": _period(400_000),
    "audit verify": _verify,
    "first page": _page(""),
    "middle page": _page(MIDDLE),
    "overview": lambda transaction: str(len(str(overview.overview(transaction, None)))),
}


if __name__ == "__main__":
    sys.exit(main())
