"""
``python -m maintenance.evaluation DIR [RUN]``: make the evaluation package that the SDK carries.

A model trained by `coverage-max`, packaged and licensed under keys made for this one purpose and never
kept: nobody, the vendor included, can sign anything else that its trust file would accept. A change of format
needs no new model: it takes the run of the last one.
"""

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import ternary_sdk
from ternary_cli.files import write
from ternary_cli.terminal import note
from ternary_cli.training import watched
from ternary_export.export import export
from ternary_export.packaging import package
from ternary_license_server.keys import issue, keyring
from ternary_sdk._internal.identity import parse_version
from ternary_sdk._internal.packages.package import Package
from ternary_sdk._internal.trust.trust import Role
from ternary_sdk.errors import TernaryError
from ternary_trainer import recipe as recipes
from ternary_trainer import run as runs
from ternary_trainer.device import CPU
from ternary_trainer.run import Run

MOST_BYTES: Final = 1_000_000
SEED: Final = 1


def train(recipe: str, out: Path) -> Run:
    """Train the evaluation model.

    Args:
        recipe: A recipe's name or file.
        out: The run's folder, which is made.
    """
    return watched(recipes.load(recipe), seed=SEED, out=out, place=CPU)


def make(directory: Path, run: Run, *, now: datetime) -> None:
    """Export, package and license the evaluation model, and replace the three files in a directory.

    Args:
        directory: Where ``evaluation.ternary``, ``evaluation.license`` and ``evaluation.trust`` go.
        run: Where the model was trained.
        now: When everything is signed, timezone-aware.
    Raises:
        TernaryError: If the files would exceed 1 MB together, or a step is refused.
    """
    with tempfile.TemporaryDirectory() as scratch:
        build = export(run, released=now, tell=note)
        ring = keyring.create(Path(scratch) / "keys", "Ternary evaluation", now)
        version = parse_version(ternary_sdk.__version__)
        data = package(build, name="evaluation", version=version, signer=ring.signer(Role.PACKAGE))
        license = issue.issue(
            ring,
            package=Package.read(data, ring.trust).identity,
            customer="whoever evaluates",
            now=now,
            license_id="evaluation",
        )
        files = {"ternary": data, "license": license + b"\n", "trust": ring.trust.data}
    size = sum(map(len, files.values()))
    if size > MOST_BYTES:
        raise TernaryError(f"evaluation package: {size:,} bytes in all, expected at most {MOST_BYTES:,}")
    for kind, content in files.items():
        write(content, directory / f"evaluation.{kind}")
    note(f"{directory}: {size:,} bytes, root {ring.trust.root.kid}; its private keys are gone")


def main(words: list[str]) -> int:
    """Make the package in the directory named; the exit status, as the ``ternary`` command has it."""
    if len(words) not in (1, 2):
        note("usage: python -m maintenance.evaluation DIR [RUN]")
        return 2
    try:
        with tempfile.TemporaryDirectory() as scratch:
            kept = runs.open(Path(words[1])) if words[1:] else train("coverage-max", Path(scratch) / "run")
            make(Path(words[0]), kept, now=datetime.now(UTC))
    except TernaryError as refusal:
        note(f"error: {refusal}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
