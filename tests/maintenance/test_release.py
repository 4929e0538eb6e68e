"""``python -m maintenance.release`` in a small clone: each check accepts, and refuses with what to do."""

import re
import subprocess
from pathlib import Path

import pytest
from maintenance.release import __main__ as release
from maintenance.release import checks

ROOT = Path(__file__).parents[2]


def git(folder: Path, *words: str) -> str:
    identity = "-c", "user.name=somebody", "-c", "user.email=somebody@example.com"
    done = subprocess.run(["git", *identity, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def changed(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A release that is ready, but for what takes minutes: tests, wheels and their bill."""
    copied = (
        *(f"{folder}/pyproject.toml" for folder in checks.FOLDERS),
        "CITATION.cff", "CHANGELOG.md", "README.md", "docs/evidence.json", "docs/installing.md",
    )  # fmt: skip
    for name in copied:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    section = re.compile(r"^## (\S+) \(.*\)$", re.M)
    changelog = tmp_path / "CHANGELOG.md"
    changelog.write_text(section.sub(r"## \1 (2026-12-01)", changelog.read_text("utf-8"), count=1), "utf-8")
    with (tmp_path / "CITATION.cff").open("a") as citation:
        citation.write("date-released: 2026-12-01\n")
    (tmp_path / ".gitignore").write_text(".venv/\nwheels/\n")
    (tmp_path / ".venv").mkdir()
    git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    return tmp_path


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "a commit")


def told(clone: Path, *names: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    status = release.main(names, clone)
    return status, capsys.readouterr().out.splitlines()


def test_what_is_ready_prints_ok(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head = git(clone, "rev-parse", "--short=12", "HEAD")
    assert told(clone, "versions", "changelog", "tree", "tag", capsys=capsys) == (
        0,
        [
            "ok      versions   0.1.0",
            "ok      changelog  0.1.0 of 2026-12-01",
            f"ok      tree       commit {head}",
            "ok      tag        v0.1.0 is not used yet",
        ],
    )


@pytest.mark.parametrize(
    ("name", "old", "new", "line"),
    [
        ("cli/pyproject.toml", 'version = "0.1.0"', 'version = "0.2.0"', "cli/pyproject.toml has 0.2.0"),
        ("export/pyproject.toml", "ternary-trainer==0.1.0", "ternary-trainer", "export/pyproject.toml has "),
        ("CITATION.cff", "version: 0.1.0", "version: 0.0.9", "CITATION.cff has 0.0.9"),
        (
            "docs/installing.md",
            "ternary_cli-0.1.0-py3",
            "ternary_cli-0.2.0-py3",
            "docs/installing.md has 0.2.0",
        ),
    ],
)
def test_another_version_anywhere_is_refused(
    name: str, old: str, new: str, line: str, clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed(clone / name, old, new)
    assert told(clone, "versions", capsys=capsys) == (
        1,
        [f"not ok  versions   {line}, sdk/pyproject.toml has 0.1.0; write the same version"],
    )


def test_a_changelog_without_a_dated_section_of_the_version_is_refused(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed(clone / "CITATION.cff", "2026-12-01", "2026-12-02")
    assert told(clone, "changelog", capsys=capsys)[1] == [
        "not ok  changelog  CITATION.cff has another date or none; write 'date-released: 2026-12-01'"
    ]
    changed(clone / "CHANGELOG.md", "## 0.1.0 (2026-12-01)", "## 0.1.0 (unreleased)")
    assert told(clone, "changelog", capsys=capsys)[1] == [
        "not ok  changelog  the section of 0.1.0 is 'unreleased'; write '## 0.1.0 (YYYY-MM-DD)'"
    ]
    changed(clone / "CHANGELOG.md", "## 0.1.0 (unreleased)", "## 0.0.9 (2026-12-01)")
    assert told(clone, "changelog", capsys=capsys) == (
        1,
        ["not ok  changelog  the newest section is of 0.0.9; begin '## 0.1.0 (DATE)'"],
    )


def test_what_is_not_committed_and_a_tag_elsewhere_are_refused(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    git(clone, "tag", "v0.1.0")
    assert told(clone, "tag", capsys=capsys) == (0, ["ok      tag        v0.1.0 is at this commit"])
    tagged = git(clone, "rev-parse", "HEAD")[:12]
    (clone / "new.txt").write_text("new")
    assert told(clone, "tree", capsys=capsys) == (
        1,
        ["not ok  tree       1 files are not committed, first new.txt; commit them"],
    )
    commit(clone)
    assert told(clone, "tag", capsys=capsys) == (
        1,
        [f"not ok  tag        v0.1.0 is at commit {tagged}; release under a new version"],
    )


def test_tests_count_only_for_the_files_they_ran_on(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(clone, "tests", "stress", capsys=capsys) == (
        1,
        [
            "not ok  tests      not passed on a commit here; run 'make check'",
            "not ok  stress     not passed on a commit here; run 'make stress'",
        ],
    )
    (clone / ".venv" / "tested").write_text(git(clone, "rev-parse", "HEAD^{tree}"))
    assert told(clone, "tests", capsys=capsys) == (
        0,
        ["ok      tests      'make check' passed on these files"],
    )
    (clone / "README.md").write_text("changed")
    commit(clone)
    assert told(clone, "tests", capsys=capsys) == (
        1,
        ["not ok  tests      last passed on other files; run 'make check'"],
    )


def test_figures_that_are_not_of_these_sources_are_refused(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, head = clone / "docs" / "evidence.json", git(clone, "rev-parse", "HEAD")
    text = re.sub(r'"log": ".*"', '"log": ""', file.read_text("utf-8"))
    text = re.sub(r'"commit": ".*"', f'"commit": "{head}"', text)
    file.write_text(text, "utf-8")
    count = text.count('"id": ')
    commit(clone)
    assert told(clone, "figures", capsys=capsys) == (0, [f"ok      figures    {count} figures"])
    (clone / "benchmarks").mkdir()
    (clone / "benchmarks" / "new.py").write_text("")
    commit(clone)
    status, (line,) = told(clone, "figures", capsys=capsys)
    assert status == 1
    assert line.startswith(f"not ok  figures    {count} of {count} figures are of other sources")
    changed(clone / "docs" / "evidence.json", '"ternary-evidence/1"', '"ternary-evidence/9"')
    assert told(clone, "figures", capsys=capsys)[1][0].endswith("; run 'make evidence'")


def test_wheels_that_are_missing_or_of_other_bytes_are_refused(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(clone, "wheels", "sbom", capsys=capsys) == (
        1,
        [
            "not ok  wheels     the folder wheels has no wheel; run 'make wheels'",
            f"not ok  sbom       {clone}/wheels: 0 wheels of ternary-sdk, expected 1; run 'make wheels'",
        ],
    )
    assert checks.compared({"a": b"1"}, {"a": b"1"}) == "1 wheels, the same bytes when built again"
    for there, message in (
        ({"a": b"2"}, "a is not what this commit gives; run 'make wheels'"),
        ({"a": b"1", "b": b""}, "the folder wheels differs in b; run 'make wheels'"),
    ):
        with pytest.raises(checks.NotReadyError, match=f"^{re.escape(message)}$"):
            checks.compared(there, {"a": b"1"})


def test_an_unknown_check_is_a_wrong_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert release.main(["weels"]) == 2
    assert capsys.readouterr().err.startswith("error: 'weels' is not a check, expected versions, changelog, ")
