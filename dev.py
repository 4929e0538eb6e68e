"""
The steps of every ``make`` target in Python alone, so that they also run without make and a POSIX shell.

    python dev.py [--dry-run] TARGET…

``make TARGET`` calls this program. It needs Python 3.11 or later and nothing else. What it installs goes into
``.venv``, in the releases that constraints.txt pins.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

DISTRIBUTIONS = ("sdk", "trainer", "export", "LICENSE_SERVER", "cli")
OTHER_SYSTEMS = ("win32", "darwin")
PYTHON = (3, 11)


@dataclass(frozen=True)
class Checkout:
    """The folder of the sources, on a system."""

    root: Path
    windows: bool = os.name == "nt"

    @property
    def venv(self) -> Path:
        """The virtual environment that everything is installed into."""
        return self.root / ".venv"

    def tool(self, name: str) -> str:
        """A program of the virtual environment, by its whole path, which Windows needs."""
        return str(self.venv / ("Scripts" if self.windows else "bin") / (name + ".exe" * self.windows))

    def is_newer(self, stamp: Path, *sources: str) -> bool:
        """Whether a stamp is there and no source was changed after it."""
        made = stamp.stat().st_mtime if stamp.exists() else 0
        return made > 0 and all((self.root / source).stat().st_mtime <= made for source in sources)


class Step(Protocol):
    """One part of a target, which ends the program where it fails."""

    def shown(self, checkout: Checkout) -> str:
        """One line that says what it does."""
        ...

    def perform(self, checkout: Checkout) -> None:
        """Do it."""
        ...


@dataclass(frozen=True)
class Run:
    """A program that must end with status 0."""

    words: tuple[str, ...]
    strict: bool = True
    """Whether a Python warning is an error; other people's installers have warnings of their own."""

    def shown(self, checkout: Checkout) -> str:
        """The command as a user would type it in the checkout."""
        words = [word.removeprefix(f"{checkout.root}{os.sep}") for word in self.words]
        return subprocess.list2cmdline(words) if checkout.windows else shlex.join(words)

    def perform(self, checkout: Checkout) -> None:
        """Run it in the checkout."""
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
        if self.strict:
            environment["PYTHONWARNINGS"] = "error"
        if checkout.windows:
            environment["PYTHONUTF8"] = "1"
        try:
            status = subprocess.run(self.words, cwd=checkout.root, env=environment, check=False).returncode
        except OSError as error:
            raise SystemExit(f"error: '{self.words[0]}' cannot be run ({error.strerror})") from None
        if status:
            raise SystemExit(f"error: '{self.shown(checkout)}' ended with status {status}")


@dataclass(frozen=True)
class Stamp:
    """An installation is complete: its editable paths are readable everywhere, and the time is noted."""

    file: Path

    def shown(self, checkout: Checkout) -> str:
        """As it is printed."""
        return f"# stamp {self.file.relative_to(checkout.root)}"

    def perform(self, checkout: Checkout) -> None:
        """Make the stamp."""
        for folder in (*checkout.venv.glob("lib/*/site-packages"), checkout.venv / "Lib" / "site-packages"):
            keep_ascii(folder)
        self.file.touch()


@dataclass(frozen=True)
class Remove:
    """A folder that the other steps made."""

    folder: Path

    def shown(self, checkout: Checkout) -> str:
        """As it is printed."""
        return f"# remove {self.folder.relative_to(checkout.root)}"

    def perform(self, checkout: Checkout) -> None:  # noqa: ARG002
        """Remove it, if it is there."""
        if self.folder.exists():
            shutil.rmtree(self.folder)


def keep_ascii(folder: Path) -> None:
    """Write the paths of editable installations so that every Python reads them alike.

    The build backend writes them in UTF-8. Python 3.11 and 3.12 read them in the system's encoding, which on
    Windows is another one; a folder's non-ASCII letters would then be wrong.
    """
    for file in folder.glob("_editable_impl_*.pth"):
        text = file.read_text("utf-8")
        if not text.isascii():
            file.write_text(f"import sys; sys.path += {text.splitlines()!a}\n", "ascii")


def python(checkout: Checkout, *words: str) -> Run:
    """A command of the virtual environment's Python."""
    return Run((checkout.tool("python"), *words))


def install(checkout: Checkout, *words: str) -> Run:
    """Install pinned releases and nothing else."""
    pip = (checkout.tool("python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    return Run((*pip, "--constraint", "constraints.txt", *words), strict=False)


def ready_to_build(checkout: Checkout) -> Iterator[Step]:
    """The virtual environment and what builds a distribution.

    Distributions are built without isolation, so that constraints.txt alone decides which releases are used.
    """
    if not Path(checkout.tool("python")).exists():
        yield Run((sys.executable, "-m", "venv", ".venv"), strict=False)
    yield install(checkout, "hatchling", "editables")


def ready(checkout: Checkout) -> Iterator[Step]:
    """The five distributions, editable, and what they need."""
    stamp = checkout.venv / "ready"
    if checkout.is_newer(stamp, "constraints.txt", *(f"{name}/pyproject.toml" for name in DISTRIBUTIONS)):
        return
    yield from ready_to_build(checkout)
    editable = [word for name in DISTRIBUTIONS for word in ("--editable", name)]
    yield install(checkout, "--no-build-isolation", *editable[:-1], "cli[vendor]")
    yield Stamp(stamp)


def ready_to_test(checkout: Checkout) -> Iterator[Step]:
    """What lint and tests need besides."""
    stamp, steps = checkout.venv / "ready-to-test", list(ready(checkout))
    yield from steps
    if steps or not checkout.is_newer(stamp, ".venv/ready", "requirements-test.txt"):
        yield install(checkout, "--requirement", "requirements-test.txt")
        yield Stamp(stamp)


def demo(checkout: Checkout) -> Iterator[Step]:
    """The main job on a clean machine: train, export, certify, package, license, sample."""
    yield from ready(checkout)
    yield python(checkout, "examples/demo.py", "demo")


def wheels(checkout: Checkout) -> Iterator[Step]:
    """Build the five distributions into the folder wheels, and nothing of an earlier build stays there."""
    yield from ready_to_build(checkout)
    yield Remove(checkout.root / "wheels")
    pip = "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps", "--no-build-isolation"
    folders = [f"./{name}" for name in DISTRIBUTIONS]
    yield Run((checkout.tool("python"), *pip, "--wheel-dir", "wheels", *folders), strict=False)


def lint(checkout: Checkout) -> Iterator[Step]:
    """Style, types (on other systems too) and import contracts."""
    yield from ready_to_test(checkout)
    yield python(checkout, "-m", "ruff", "check", ".")
    yield python(checkout, "-m", "ruff", "format", "--check", ".")
    yield python(checkout, "-m", "mypy")
    for system in OTHER_SYSTEMS:
        settings = "--config-file", "maintenance/other_systems.ini", "--cache-dir", f".mypy_cache/{system}"
        yield python(checkout, "-m", "mypy", *settings, "--platform", system)
    yield Run((checkout.tool("lint-imports"),))


def check(checkout: Checkout) -> Iterator[Step]:
    """Every test, and which ten took longest."""
    yield from ready_to_test(checkout)
    parallel = "--numprocesses", "auto", "--dist", "loadfile"
    yield python(checkout, "-m", "pytest", *parallel, "--durations=10", "--durations-min=1")


def test(checkout: Checkout) -> Iterator[Step]:
    """Lint, then check."""
    yield from lint(checkout)
    yield from check(checkout)


def bench(checkout: Checkout) -> Iterator[Step]:
    """Speed and memory, as ratios measured in one run."""
    yield from ready_to_test(checkout)
    yield python(checkout, "-m", "benchmarks")


def stress(checkout: Checkout) -> Iterator[Step]:
    """Millions of hostile documents, every bit of a package flipped, the license server asked everything."""
    yield from ready_to_test(checkout)
    for module in (
        "stress",
        "stress.seats",
        "stress.clocks",
        "stress.interface",
        "stress.renewals",
        "stress.migrating",
    ):
        yield python(checkout, "-m", module)
    profile = "--hypothesis-profile", "stress", "--numprocesses", "auto"
    folders = "tests/stress", "tests/examples", "tests/trainer/test_extending.py"
    yield python(checkout, "-m", "pytest", *folders, *profile)


def ablations(checkout: Checkout) -> Iterator[Step]:
    """Train the plans of maintenance/ablations, which takes hours; what is finished is reused."""
    yield from ready_to_test(checkout)
    for plan in sorted((checkout.root / "maintenance" / "ablations").glob("*.toml")):
        words = "ablate", f"maintenance/ablations/{plan.name}", "--out", f"runs/ablations/{plan.stem}"
        yield Run((checkout.tool("ternary"), *words))


def evaluation(checkout: Checkout) -> Iterator[Step]:
    """Rebuild the evaluation package inside the SDK, with new keys that are not kept."""
    yield from ready(checkout)
    yield python(checkout, "-m", "maintenance.evaluation", "sdk/src/ternary_sdk/evaluation")


def clean(checkout: Checkout) -> Iterator[Step]:
    """Remove the virtual environment, the wheels and the demo."""
    yield Remove(checkout.venv)
    yield Remove(checkout.root / "wheels")
    yield Remove(checkout.root / "demo")


TARGETS = {
    target.__name__: target
    for target in (demo, wheels, test, lint, check, bench, stress, ablations, evaluation, clean)
}


def plan(targets: list[str], checkout: Checkout) -> list[Step]:
    """What the targets do, in order, each step once."""
    return list(dict.fromkeys(step for target in targets for step in TARGETS[target](checkout)))


def main() -> None:
    """Run the command line."""
    if sys.version_info < PYTHON:
        raise SystemExit("error: this is Python {}.{}, expected 3.11 or later".format(*sys.version_info))
    about = "\n".join(f"  {name:<12}{target.__doc__}".split("\n")[0] for name, target in TARGETS.items())
    parser = argparse.ArgumentParser(
        prog="dev.py", formatter_class=argparse.RawDescriptionHelpFormatter, epilog=f"targets:\n{about}"
    )
    parser.add_argument("--dry-run", action="store_true", help="print the steps and do nothing")
    parser.add_argument("targets", nargs="+", choices=TARGETS, metavar="TARGET", help="what to do")
    wanted = parser.parse_args()
    checkout = Checkout(Path(__file__).resolve().parent)
    for step in plan(wanted.targets, checkout):
        print(step.shown(checkout), flush=True)
        if not wanted.dry_run:
            step.perform(checkout)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
