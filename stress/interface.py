"""
The license server's whole interface under schemathesis: every phase and check that applies, over real HTTP.

It fails on a 5xx, on an answer that the OpenAPI document does not promise, on wrong data that is accepted.
Run alone: ``python -m stress.interface [--examples N] [--database URL]``.
"""

import argparse
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from stress.databases import on_each
from stress.seats import prepare, serving
from ternary_license_server.database.engine import Database
from ternary_license_server.keys import keyring
from ternary_license_server.keys.keyring import KeyRing
from ternary_license_server.service import access

CONFIGURATION = Path(__file__).resolve().with_name("schemathesis.toml")
"""Which checks do not apply where, and why."""


def main() -> int:
    """Serve, let schemathesis ask, give its verdict."""
    options = argparse.ArgumentParser(prog="python -m stress.interface", description=__doc__)
    options.add_argument("--examples", type=int, default=100, help="most requests of a kind to an operation")
    options.add_argument("--seed", type=int, default=1, help="of what is asked")
    options.add_argument("--database", help="an empty database; default: new ones, of SQLite and PostgreSQL")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ring = keyring.create(Path(folder) / "keys", "Stress", datetime.now(UTC))
        words = ["--max-examples", str(chosen.examples), "--seed", str(chosen.seed)]
        return on_each(lambda url: _ask_on(url, ring, words, folder), Path(folder), chosen.database)


def _ask_on(url: str, ring: KeyRing, words: list[str], folder: str) -> int:
    prepare(url)
    token = _token(url)
    with serving(ring, url, 1) as (address,):
        return _ask(f"{address}/openapi.json", token, words, folder)


def _ask(document: str, token: str, words: list[str], folder: str) -> int:
    schemathesis = str(Path(sys.executable).with_name("schemathesis"))
    command = [schemathesis, "--config-file", str(CONFIGURATION), "run", document, *words]
    command += ["--header", f"Authorization: Bearer {token}", "--continue-on-failure", "--no-color"]
    return subprocess.run(command, cwd=folder, check=False).returncode


def _token(url: str) -> str:
    database = Database(url)
    with database.write() as transaction:
        token = access.add_first(transaction)
    database.close()
    if token is None:
        raise SystemExit("the database is not empty")
    return token


if __name__ == "__main__":
    sys.exit(main())
