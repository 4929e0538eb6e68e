"""
The whole job, typed as vendor and client would: train, export, package, license, verify, draw everything.

Usage: demo.py FOLDER [RECIPE]. A folder that an earlier demo made is made anew.
"""

import csv
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

from ternary_sdk import Space
from ternary_sdk.coverage import headline_draws, percent

MADE = {"keys", "run", "build", "acme-1.0.0.ternary", "acme.license", "acme.trust", "all.csv"}
PACKAGE = "acme-1.0.0.ternary --trust acme.trust"


class Terminal:
    """Types commands into a folder, shows them and what they print, and keeps the time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seconds: dict[str, float] = {}
        scripts = Path(sys.executable).parent
        self.environment = os.environ | {"PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}

    def type(self, line: str) -> None:
        """Run a command as a user would; the demo ends where it fails."""
        print(f"\n$ {line}", flush=True)
        start = time.perf_counter()
        done = subprocess.run(self._words(line), cwd=self.folder, env=self.environment, check=False)
        self.seconds[line.split()[1]] = time.perf_counter() - start
        if done.returncode:
            raise SystemExit(f"error: the demo stopped, '{line}' ended with status {done.returncode}")

    def ask(self, line: str) -> dict:
        """What a command says with --json."""
        command = self._words(f"{line} --json")
        done = subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, check=True)
        return json.loads(done.stdout)

    def _words(self, line: str) -> list[str]:
        # By its whole path: Windows looks for a new process's program in the old process's PATH.
        program, *words = shlex.split(line)
        return [shutil.which(program, path=self.environment["PATH"]) or program, *words]


def empty(folder: Path) -> None:
    """Make the folder, or make it anew if all it holds is an earlier demo."""
    if folder.exists():
        foreign = sorted(entry.name for entry in folder.iterdir() if entry.name not in MADE)
        if foreign:
            raise SystemExit(f"error: {folder} holds {foreign[0]}, which no demo made; name another folder")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)


def perform(terminal: Terminal, recipe: str) -> None:
    terminal.type('ternary keys init keys --vendor "Acme Logic"')
    terminal.type(f"ternary train --recipe {recipe} --seed 1 --out run")
    terminal.type("ternary export run --out build")
    terminal.type("ternary package build --name acme --version 1.0.0 --keys keys --out acme-1.0.0.ternary")
    terminal.type(
        'ternary license issue --package acme-1.0.0.ternary --to "Initech" --expires 2035-12-31 '
        "--keys keys --out acme.license"
    )
    shutil.copy(terminal.folder / "keys" / "vendor.trust", terminal.folder / "acme.trust")
    terminal.type(f"ternary verify {PACKAGE}")
    info = terminal.ask(f"ternary info {PACKAGE}")
    everything = info["paths"][info["default_path"]]["reachable"]
    terminal.type(
        f"ternary sample {PACKAGE} --license acme.license --unique -n {everything} --seed 7 --out all.csv"
    )


def summarize(terminal: Terminal, total: float) -> None:
    info = terminal.ask(f"ternary info {PACKAGE}")
    terms = terminal.ask("ternary license show acme.license --trust acme.trust")
    print("\n" + "─" * 78)
    space = Space.parse(info["space"]["label"])
    print(f"{info['name']}: a model of all {space.size:,} {space.title} operations\n")
    for path, certified in info["paths"].items():
        share = next(prior for prior in certified["prior"] if prior["draws"] == headline_draws(space))
        print(
            f"  path {path}    covers {share['percent']} % of the space in {share['draws']:,} draws, "
            "counted by hash\n"
            f"            (perfect draws, on average {share['perfect_percent']} %)\n"
            f"            reaches {certified['reachable']:,} of {space.size:,} operations, each with a proof"
        )
    print(f"  surge     {surge(terminal.folder / 'run')}")
    print(f"  package   {info['bytes']:,} bytes, sha256 {info['digest']}")
    quota = terms["unique_operations"]
    print(
        f"  license   {terms['customer']} may {', '.join(terms['allows'])} until {terms['expires'][:10]}, "
        + (f"up to {quota:,} different operations" if quota else "any number of operations")
    )
    training = terminal.seconds["train"]
    print(f"  time      {total:.0f} s, of which training {training:.0f} s (installing not counted)")
    print(f"\n  the first of {drawn(terminal.folder / 'all.csv'):,} different operations drawn:")
    with (terminal.folder / "all.csv").open() as file:
        for row in list(csv.reader(file))[:6]:
            print("    " + " ".join(f"{cell:>5}" for cell in row))
    print(f"\nEverything is in {terminal.folder}/. Next, there: ternary use {PACKAGE} --license acme.license")


def drawn(file: Path) -> int:
    with file.open() as rows:
        return len({row["index"] for row in csv.DictReader(rows)})


def surge(run: Path) -> str:
    """The first disruption of the training, with coverage before, during and after it."""
    from ternary_trainer import run as runs

    surges = runs.open(run).summary().surges
    if not surges:
        return "none in this run"
    first = surges[0]
    return (
        f"strength {first.strength:g} in epoch {first.epoch}: coverage {percent(first.before)} % before, "
        f"{percent(first.during)} % during, {percent(first.after)} % after"
    )


def main(words: list[str]) -> None:
    if not 1 <= len(words) <= 2:
        raise SystemExit(__doc__)
    folder = Path(words[0])
    empty(folder)
    start = time.perf_counter()
    terminal = Terminal(folder)
    print(f"$ cd {folder}")
    perform(terminal, words[1] if len(words) > 1 else "coverage")
    summarize(terminal, time.perf_counter() - start)


if __name__ == "__main__":
    main(sys.argv[1:])
