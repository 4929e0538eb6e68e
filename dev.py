"""
The steps of every ``make`` target in Python alone, so that they also run without make and a POSIX shell.

    python dev.py [--dry-run] TARGET…

``make TARGET`` calls this program. It needs Python 3.11 or later and nothing else. What it installs goes into
``.venv``, in the releases that constraints.txt pins.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

DISTRIBUTIONS = ("sdk", "trainer", "export", "LICENSE_SERVER", "cli")
OTHER_SYSTEMS = ("win32", "darwin")
PYTHON = (3, 11)
LINTED = frozenset({".py", ".pyi", ".ipynb", ".toml", ".ini", ".cfg", ".txt"})
"""What lint reads, by suffix."""
CHANGES_PYTHON = frozenset({"PYTHONWARNINGS", "PYTHONDONTWRITEBYTECODE"})
"""Variables that steps do not inherit: without compiled modules, each of many processes compiles all anew."""
WHEELS_DATE = ("SOURCE_DATE_EPOCH", "1580601600")
"""The date of every file in a wheel, whatever the caller's is, so that one commit gives the same bytes."""


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

    @property
    def linted(self) -> Iterator[Path]:
        """The files that lint reads, in no hidden folder and no virtual environment."""
        for place, folders, names in os.walk(self.root):
            here = Path(place)
            folders[:] = sorted(
                name
                for name in folders
                if not name.startswith(".") and not (here / name / "pyvenv.cfg").exists()
            )
            yield from (here / name for name in sorted(names) if Path(name).suffix in LINTED)

    @property
    def lint_digest(self) -> str:
        """SHA-256 of the names and contents of these files."""
        whole = hashlib.sha256()
        for file in self.linted:
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            whole.update(f"{content} {file.relative_to(self.root).as_posix()}\n".encode())
        return whole.hexdigest()


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
    variables: tuple[tuple[str, str], ...] = ()
    """Variables of the environment that it gets, in place of the caller's."""

    def shown(self, checkout: Checkout) -> str:
        """The command as a user would type it in the checkout."""
        words = [word.removeprefix(f"{checkout.root}{os.sep}") for word in self.words]
        return subprocess.list2cmdline(words) if checkout.windows else shlex.join(words)

    def perform(self, checkout: Checkout) -> None:
        """Run it in the checkout."""
        self.judge(self.ended(checkout), checkout)

    def ended(self, checkout: Checkout, output: int | None = None) -> subprocess.CompletedProcess[bytes]:
        """Run it in the checkout, whatever its status; ``output`` says where it prints to."""
        environment = {name: value for name, value in os.environ.items() if name not in CHANGES_PYTHON}
        if self.strict:
            environment["PYTHONWARNINGS"] = "error"
        if checkout.windows:
            environment["PYTHONUTF8"] = "1"
        environment |= dict(self.variables)
        try:
            return subprocess.run(
                self.words,
                cwd=checkout.root,
                env=environment,
                stdout=output,
                stderr=output and subprocess.STDOUT,
                check=False,
            )
        except OSError as error:
            raise SystemExit(f"error: '{self.words[0]}' cannot be run ({error.strerror})") from None

    def judge(self, done: subprocess.CompletedProcess[bytes], checkout: Checkout) -> None:
        """Refuse any status but 0."""
        if done.returncode:
            raise SystemExit(f"error: '{self.shown(checkout)}' ended with status {done.returncode}")


@dataclass(frozen=True)
class Together:
    """Programs that do not need each other, as many at a time as there are cores, and at least two."""

    runs: tuple[Run, ...]

    def shown(self, checkout: Checkout) -> str:
        """One line for each."""
        return "\n".join(run.shown(checkout) for run in self.runs)

    def perform(self, checkout: Checkout) -> None:
        """Run them all, then print what each printed, in order; the first that failed ends the program."""
        with ThreadPoolExecutor(max(2, os.cpu_count() or 2)) as pool:
            every = list(pool.map(lambda run: run.ended(checkout, subprocess.PIPE), self.runs))
        for done in every:
            sys.stdout.buffer.write(done.stdout)
        sys.stdout.flush()
        for run, done in zip(self.runs, every, strict=True):
            run.judge(done, checkout)


@dataclass(frozen=True)
class Compile:
    """Compile what was installed on every core; pip does it on one, and compiles tests that nobody runs."""

    def shown(self, checkout: Checkout) -> str:  # noqa: ARG002
        """As it is printed."""
        return "# compile .venv"

    def perform(self, checkout: Checkout) -> None:
        """Compile it; a module for another Python cannot be, which shows where it is imported."""
        tests = r"[\\/]tests?[\\/]"
        words = "-m", "compileall", "-qq", "-j", "0", "-x", tests, str(checkout.venv)
        Run((checkout.tool("python"), *words), strict=False).ended(checkout)


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
class Linted:
    """Lint passed on these sources, so that it need not run again until one changes."""

    file: Path
    digest: str
    """Of the sources before lint began; who edits one meanwhile has it linted again."""

    def shown(self, checkout: Checkout) -> str:
        """As it is printed."""
        return f"# note in {self.file.relative_to(checkout.root)} that lint passed"

    def perform(self, checkout: Checkout) -> None:  # noqa: ARG002
        """Write it down."""
        self.file.write_text(self.digest, "ascii")


@dataclass(frozen=True)
class Passed:
    """Note that what ran before passed on a commit; ``make release-check`` reads it."""

    file: Path
    tree: str
    """Git's id of the commit's files, taken before it ran; nothing is noted if they changed meanwhile."""

    def shown(self, checkout: Checkout) -> str:
        """As it is printed."""
        return f"# note in {self.file.relative_to(checkout.root)} that it passed"

    def perform(self, checkout: Checkout) -> None:
        """Write it down."""
        if committed(checkout) == self.tree:
            self.file.write_text(self.tree, "ascii")


@dataclass(frozen=True)
class Say:
    """A line that is printed, and nothing to do."""

    line: str

    def shown(self, checkout: Checkout) -> str:  # noqa: ARG002
        """As it is printed."""
        return self.line

    def perform(self, checkout: Checkout) -> None:
        """Nothing."""


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


def committed(checkout: Checkout) -> str:
    """Git's id of the files here; empty where they are not exactly those of a commit of this folder."""
    told = []
    for words in (("rev-parse", "--show-prefix", "HEAD^{tree}"), ("status", "--porcelain")):
        try:
            done = subprocess.run(("git", *words), cwd=checkout.root, capture_output=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            return ""
        told.append(done.stdout.decode())
    # the prefix is empty at the top of a repository
    top, changed = told[0].startswith("\n"), told[1]
    return told[0].strip() if top and not changed else ""


def passed(checkout: Checkout, name: str) -> Iterator[Step]:
    """A note in the virtual environment, where there is a commit to note."""
    if tree := committed(checkout):
        yield Passed(checkout.venv / name, tree)


def python(checkout: Checkout, *words: str) -> Run:
    """A command of the virtual environment's Python."""
    return Run((checkout.tool("python"), *words))


def install(checkout: Checkout, *words: str) -> Run:
    """Install pinned releases and nothing else."""
    pip = (checkout.tool("python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    return Run((*pip, "--no-compile", "--constraint", "constraints.txt", *words), strict=False)


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
    yield Compile()
    yield Stamp(stamp)


def ready_to_test(checkout: Checkout) -> Iterator[Step]:
    """What lint and tests need besides."""
    stamp, steps = checkout.venv / "ready-to-test", list(ready(checkout))
    yield from (step for step in steps if step != Compile())
    if steps or not checkout.is_newer(stamp, ".venv/ready", "requirements-test.txt"):
        yield install(checkout, "--requirement", "requirements-test.txt")
        yield Compile()
        yield Stamp(stamp)


def demo(checkout: Checkout) -> Iterator[Step]:
    """The main job on a clean machine: train, export, certify, package, license, sample."""
    yield from ready(checkout)
    yield python(checkout, "examples/demo.py", "demo")


def wheel(checkout: Checkout, *distributions: str) -> Run:
    """Build distributions into the folder wheels: the same bytes from the same sources."""
    pip = "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps", "--no-build-isolation"
    words = (*pip, "--wheel-dir", "wheels", *(f"./{name}" for name in distributions))
    return Run((checkout.tool("python"), *words), strict=False, variables=(WHEELS_DATE,))


def wheels(checkout: Checkout) -> Iterator[Step]:
    """Build the five distributions into the folder wheels, and nothing of an earlier build stays there."""
    yield from ready_to_build(checkout)
    yield Remove(checkout.root / "wheels")
    yield wheel(checkout, *DISTRIBUTIONS)


def lint(checkout: Checkout) -> Iterator[Step]:
    """Style, types (on other systems too) and import contracts; not again while no source changes."""
    note, digest, steps = checkout.venv / "linted", checkout.lint_digest, list(ready_to_test(checkout))
    if not steps and note.exists() and note.read_text("ascii") == digest:
        yield Say("# lint passed on these sources")
        return
    yield from steps
    yield python(checkout, "-m", "ruff", "check", ".")
    yield python(checkout, "-m", "ruff", "format", "--check", ".")
    settings = "--config-file", "maintenance/other_systems.ini", "--cache-dir"
    others = [(*settings, f".mypy_cache/{system}", "--platform", system) for system in OTHER_SYSTEMS]
    types = [python(checkout, "-m", "mypy", *words) for words in ((), *others)]
    yield Together((*types, Run((checkout.tool("lint-imports"),))))
    yield Linted(note, digest)


def check(checkout: Checkout) -> Iterator[Step]:
    """Every test, and which ten took longest."""
    yield from ready_to_test(checkout)
    parallel = "--numprocesses", "auto", "--dist", "loadfile", "--no-loadscope-reorder"
    yield python(checkout, "-m", "pytest", *parallel, "--durations=10", "--durations-min=1")
    yield from passed(checkout, "tested")


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
        "stress.outages",
        "stress.renewals",
        "stress.migrating",
        "maintenance.least_releases",
    ):
        yield python(checkout, "-m", module)
    profile = "--hypothesis-profile", "stress", "--numprocesses", "auto"
    agreement = "tests/license_server/server/test_agreement.py"
    yield python(checkout, "-m", "pytest", "tests/stress", agreement, *profile)
    yield python(checkout, "-m", "pytest", "tests", "-m", "stress", "--ignore", "tests/stress", *profile)
    yield from passed(checkout, "stressed")


def ablations(checkout: Checkout) -> Iterator[Step]:
    """Train the plans of maintenance/ablations, which takes hours; what is finished is reused."""
    yield from ready_to_test(checkout)
    for plan in sorted((checkout.root / "maintenance" / "ablations").glob("*.toml")):
        words = "ablate", f"maintenance/ablations/{plan.name}", "--out", f"runs/ablations/{plan.stem}"
        yield Run((checkout.tool("ternary"), *words))


def evidence(checkout: Checkout) -> Iterator[Step]:
    """Measure the figures of README again, within an hour, into docs/evidence.json."""
    yield from ready_to_test(checkout)
    yield python(checkout, "-m", "maintenance.evidence")


def release_check(checkout: Checkout) -> Iterator[Step]:
    """Check what a release needs, a line each, and publish nothing."""
    yield from ready_to_test(checkout)
    yield python(checkout, "-m", "maintenance.release")


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
    target.__name__.replace("_", "-"): target
    for target in (
        demo,
        wheels,
        test,
        lint,
        check,
        bench,
        stress,
        ablations,
        evidence,
        release_check,
        evaluation,
        clean,
    )
}


def plan(targets: list[str], checkout: Checkout) -> list[Step]:
    """What the targets do, in order, each step once."""
    return list(dict.fromkeys(step for target in targets for step in TARGETS[target](checkout)))


def main() -> None:
    """Run the command line."""
    if sys.version_info < PYTHON:
        raise SystemExit("error: this is Python {}.{}, expected 3.11 or later".format(*sys.version_info))
    about = "\n".join(f"  {name:<15}{target.__doc__}".split("\n")[0] for name, target in TARGETS.items())
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
