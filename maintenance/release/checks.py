"""
The checks of a release. Each reads a clone and returns what it found, or refuses with what to do.

They change nothing: no file, no tag, no index. What makes something is named in the refusal.
"""

import os
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from maintenance import sbom
from maintenance.evidence import figures, marks
from maintenance.evidence.__main__ import PAGES
from ternary_sdk.errors import TernaryError

FOLDERS: Final = ("sdk", "trainer", "export", "LICENSE_SERVER", "cli")
MEASURED: Final = (*(f"{folder}/src" for folder in FOLDERS), "benchmarks", "constraints.txt")
"""Sources that a figure depends on."""
_WHEEL: Final = re.compile(r"\bternary_[a-z_]+-([0-9]+\.[0-9]+\.[0-9]+)-py3-none-any\.whl")
_SECTION: Final = re.compile(r"^## (\S+) \((.*)\)$", re.M)
_DATE: Final = re.compile(r"20[0-9]{2}-[01][0-9]-[0-3][0-9]")


class NotReadyError(Exception):
    """A check failed: what was found, and what to do."""

    def __init__(self, found: str, remedy: str) -> None:
        super().__init__(f"{found}; {remedy}")


Check = Callable[[Path], str]
"""What was found in the clone at a path. Raises ``NotReadyError``."""


def versions(root: Path) -> str:
    """The five distributions, what they need of each other, CITATION.cff and pages name one version."""
    expected = _version(root)
    wrong = [f"{where} has {version}" for where, version in _versions(root) if version != expected]
    if wrong:
        more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise NotReadyError(f"{wrong[0]}{more}, sdk/pyproject.toml has {expected}", "write the same version")
    return expected


def changelog(root: Path) -> str:
    """The newest section of CHANGELOG.md is of this version and dated, and CITATION.cff has the date."""
    version = _version(root)
    name, date = _section(root)
    if name != version:
        raise NotReadyError(f"the newest section is of {name}", f"begin '## {version} (DATE)'")
    if not _DATE.fullmatch(date):
        raise NotReadyError(f"the section of {version} is '{date}'", f"write '## {version} (YYYY-MM-DD)'")
    if f"\ndate-released: {date}\n" not in (root / "CITATION.cff").read_text("utf-8").replace("'", ""):
        raise NotReadyError("CITATION.cff has another date or none", f"write 'date-released: {date}'")
    return f"{version} of {date}"


def tree(root: Path) -> str:
    """Every file is committed."""
    changed = _git(root, "status", "--porcelain").splitlines()
    if changed:
        raise NotReadyError(f"{len(changed)} files are not committed, first {changed[0][3:]}", "commit them")
    return f"commit {_git(root, 'rev-parse', '--short=12', 'HEAD')}"


def tag(root: Path) -> str:
    """The version was not released from another commit."""
    name = f"v{_version(root)}"
    if not _git(root, "tag", "--list", name):
        return f"{name} is not used yet"
    tagged, here = _git(root, "rev-parse", f"{name}^{{commit}}"), _git(root, "rev-parse", "HEAD")
    if tagged != here:
        raise NotReadyError(f"{name} is at commit {tagged[:12]}", "release under a new version")
    return f"{name} is at this commit"


def tests(root: Path) -> str:
    """``make check`` passed on this commit."""
    return _passed(root, "tested", "make check")


def stress(root: Path) -> str:
    """``make stress`` passed on this commit."""
    return _passed(root, "stressed", "make stress")


def wheels(root: Path) -> str:
    """The wheels are byte by byte what the commit gives in another folder."""
    there = _wheels(root)
    if not there:
        raise NotReadyError("the folder wheels has no wheel", "run 'make wheels'")
    _git(root, "rev-parse", "HEAD")
    with tempfile.TemporaryDirectory() as folder:
        return compared(there, _built(root, Path(folder)))


def compared(there: Mapping[str, bytes], built: Mapping[str, bytes]) -> str:
    """Two folders of wheels, contents by name."""
    if there.keys() != built.keys():
        names = sorted(there.keys() ^ built.keys())
        raise NotReadyError(f"the folder wheels differs in {', '.join(names)}", "run 'make wheels'")
    if differing := [name for name, content in built.items() if there[name] != content]:
        raise NotReadyError(f"{differing[0]} is not what this commit gives", "run 'make wheels'")
    return f"{len(built)} wheels, the same bytes when built again"


def bill(root: Path) -> str:
    """The bill of materials is of these wheels."""
    file = root / "wheels" / sbom.NAME
    try:
        expected = sbom.made(root / "wheels")
    except sbom.BillError as error:
        found, _, remedy = str(error).rpartition("; ")
        raise NotReadyError(found, remedy) from None
    if not file.exists() or file.read_bytes() != expected:
        state = "of other wheels" if file.exists() else "missing"
        raise NotReadyError(f"wheels/{sbom.NAME} is {state}", "run 'python -m maintenance.sbom'")
    return f"wheels/{sbom.NAME}"


def evidence(root: Path) -> str:
    """Pages quote docs/evidence.json, and each figure was measured with these sources."""
    try:
        known = figures.read((root / "docs" / "evidence.json").read_bytes(), "evidence.json")
    except (TernaryError, OSError) as error:
        raise NotReadyError(str(error), "run 'make evidence'") from None
    wrong = [
        f"{page}: {one}" for page in PAGES for one in marks.wrong((root / page).read_text("utf-8"), known)
    ]
    if wrong:
        raise NotReadyError(wrong[0], "run 'python -m maintenance.evidence --write'")
    fresh = {commit: _same_sources(root, commit) for commit in {one.commit for one in known.values()}}
    stale = [name for name, one in known.items() if one.log or not fresh[one.commit]]
    if stale:
        found = f"{len(stale)} of {len(known)} figures are of other sources or taken over, first {stale[0]}"
        raise NotReadyError(found, "run 'make evidence'")
    return f"{len(known)} figures"


ALL: Final[Mapping[str, Check]] = {
    "versions": versions,
    "changelog": changelog,
    "tree": tree,
    "tag": tag,
    "tests": tests,
    "stress": stress,
    "figures": evidence,
    "wheels": wheels,
    "sbom": bill,
}
"""In the order in which they are worth mending: whatever changes the commit comes first."""


def _project(root: Path, folder: str) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((root / folder / "pyproject.toml").read_text("utf-8"))["project"]
    return found


def _version(root: Path) -> str:
    return str(_project(root, "sdk")["version"])


def _versions(root: Path) -> Iterator[tuple[str, str]]:
    """Every version of ours that is written down, with where."""
    for folder in FOLDERS:
        project, file = _project(root, folder), f"{folder}/pyproject.toml"
        yield file, project["version"]
        extras = project.get("optional-dependencies", {}).values()
        for line in [*project["dependencies"], *(one for extra in extras for one in extra)]:
            if line.startswith("ternary-"):
                yield file, line.partition("==")[2]
    cited = re.search(r"^version: (.*)$", (root / "CITATION.cff").read_text("utf-8"), re.M)
    yield "CITATION.cff", cited[1] if cited else "no version"
    for page in (
        *root.glob("*.md"),
        *root.glob("*/README.md"),
        *root.glob("docs/*.md"),
        *root.glob("deploy/*"),
    ):
        if page.is_file() and page.name != "CHANGELOG.md":
            for version in _WHEEL.findall(page.read_text("utf-8")):
                yield str(page.relative_to(root)), version


def _section(root: Path) -> tuple[str, str]:
    found = _SECTION.search((root / "CHANGELOG.md").read_text("utf-8"))
    return (found[1], found[2]) if found else ("nothing", "")


def _passed(root: Path, name: str, command: str) -> str:
    note = root / ".venv" / name
    if not note.exists():
        raise NotReadyError("not passed on a commit here", f"run '{command}'")
    if note.read_text("ascii") != _git(root, "rev-parse", "HEAD^{tree}"):
        raise NotReadyError("last passed on other files", f"run '{command}'")
    return f"'{command}' passed on these files"


def _wheels(root: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (root / "wheels").glob("*.whl")}


def _built(root: Path, folder: Path) -> dict[str, bytes]:
    """The wheels of the commit, built in an empty folder with this environment."""
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=root, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=BytesIO(archive)) as packed:
        packed.extractall(folder, filter="data")
    (folder / ".venv").symlink_to(sys.prefix)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    command = [sys.executable, "dev.py", "wheels"]
    done = subprocess.run(
        command, cwd=folder, env=environment, check=False, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )  # fmt: skip
    if done.returncode:
        last = (done.stdout.splitlines() or ["nothing printed"])[-1]
        raise NotReadyError(f"this commit does not build ({last})", "run 'make wheels'")
    return _wheels(folder)


def _same_sources(root: Path, commit: str) -> bool:
    """Whether what a figure depends on is the same in a commit as here; not where it is unknown here."""
    words = ["git", "diff", "--quiet", commit, "HEAD", "--", *MEASURED]
    return subprocess.run(words, cwd=root, check=False, capture_output=True).returncode == 0


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, check=False, capture_output=True, text=True)
    if done.returncode:
        raise NotReadyError(f"git {words[0]}: {done.stderr.strip()}", "run this in a clone with a commit")
    return done.stdout.rstrip()
