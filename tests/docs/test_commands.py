"""
Every command in docs and in README, also of a distribution, runs and prints what the page says it prints.

A document's ``console`` and ``python`` blocks run in order in one folder of its own. ``$ `` begins a
command, lines after it are what it prints (``…`` stands for anything, within a line or for whole lines),
and a command whose output begins with ``error:`` must fail. An ``sh`` block is for pasting, without prompts
or output: where a scene is set for it, it runs as one script. A comment before a block sets its scene:
``<!-- given: release -->`` puts a vendor's finished release into the folder, ``<!-- given: recipe -->`` a
recipe of seconds, ``<!-- given: decoder -->`` the example that trains a decoder of its own,
``<!-- given: checkout -->`` a copy of the sources. ``<!-- given: checkpoint -->`` puts the checkpoint of
v5.5's own program there; where it is not beside the repository, the scene ends. Where iverilog is not
installed, it ends at ``<!-- given: simulator -->``. ``anew``, alone or before one of these words, begins a
scene of its own: what follows is typed in an empty folder and home, and is a test of its own. ``make``
targets in a ``console`` block are this test's own caller, so of them only the recipe is read. What a page's
commands leave in a clone must be ignored by git.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted(ROOT.glob("*/README.md")), *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(
    r"(?:^<!-- given: (?P<given>[a-z ]+) -->\n)?^```(?P<kind>console|python|sh)\n(?P<body>.*?)^```$",
    re.M | re.S,
)


@dataclass
class Command:
    text: str
    printed: list[str] = field(default_factory=list)

    @property
    def fails(self):
        return any(line.startswith("error:") for line in self.printed)


def blocks(document):
    return [(m["given"], m["kind"], m["body"]) for m in BLOCK.finditer(document.read_text("utf-8"))]


def commands(body):
    result = []
    for line in body.splitlines():
        if line.startswith("$ "):
            result.append(Command(line[2:]))
        elif result and result[-1].text.endswith("\\"):
            result[-1].text += "\n" + line
        else:
            assert result, f"output before the first command: {line!r}"
            result[-1].printed.append(line)
    return result


def pattern(printed):
    parts = [
        r"(?:.*\n)*?" if line == "…" else ".*?".join(map(re.escape, line.split("…"))) + r"\n"
        for line in printed
    ]
    return re.compile("".join(parts))


def run(command, folder, home):
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "XDG_DATA_HOME": str(home / "data"),
        "LANG": "C.UTF-8",
        "CUDA_VISIBLE_DEVICES": "",
        "OMP_NUM_THREADS": os.environ["OMP_NUM_THREADS"],
        # What a page installs is compiled where it is imported, which is a tenth of it.
        "PIP_NO_COMPILE": "1",
    }
    if command.text.startswith("make "):
        command, folder = Command(command.text.replace("make ", "make --dry-run ", 1)), ROOT
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command.text],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert (done.returncode != 0) == command.fails, f"$ {command.text}\n{done.stdout}"
    if command.printed:
        assert pattern(command.printed).fullmatch(done.stdout), f"$ {command.text}\n{done.stdout}"


def git(folder, *words):
    return subprocess.run(["git", *words], cwd=folder, stdout=subprocess.PIPE, text=True, check=True).stdout


def test_the_pattern_of_an_output_is_strict_where_nothing_is_left_out():
    assert pattern(["a", "b … d"]).fullmatch("a\nb c d\n")
    assert pattern(["a", "…", "z"]).fullmatch("a\nb\nc\nz\n")
    assert not pattern(["a", "b"]).fullmatch("a\nb\nc\n")
    assert not pattern(["a"]).fullmatch("A\n")


def scenes(document):
    """The blocks of a document, in parts that each have an empty folder of their own."""
    parts = [[]]
    for given, kind, body in blocks(document):
        anew, _, rest = (given or "").partition(" ")
        if anew == "anew":
            parts.append([])
        parts[-1].append((rest if anew == "anew" else given, kind, body))
    return [part for part in parts if part]


SCENES = [
    pytest.param(
        scene,
        id=f"{document.relative_to(ROOT)}{number or ''}",
        # Trains and compares a decoder of its own three times: tests/cli/test_own_decoder.py has small ones.
        marks=[pytest.mark.stress] if any(given == "decoder" for given, _, _ in scene) else [],
    )
    for document in DOCUMENTS
    for number, scene in enumerate(scenes(document))
]


@pytest.mark.slow
@pytest.mark.parametrize("scene", SCENES)
def test_every_command_of_the_document_runs(scene, tmp_path, request):
    folder, home = tmp_path / "here", tmp_path / "home"
    folder.mkdir()
    home.mkdir()
    for given, kind, body in scene:
        assert given in {None, "", "release", "recipe", "decoder", "simulator", "checkout", "checkpoint"}
        if given == "release":
            shutil.copytree(request.getfixturevalue("release"), folder, dirs_exist_ok=True)
        if given == "recipe":
            shutil.copy(request.getfixturevalue("quick_recipe"), folder)
        if given == "decoder":
            shutil.copy(ROOT / "examples" / "own_decoder.py", folder)
        if given == "checkpoint":
            shutil.copy(request.getfixturevalue("stored"), folder)
        if given == "simulator" and not shutil.which("iverilog"):
            pytest.skip("iverilog is not installed")
        if given == "checkout":
            request.getfixturevalue("lay_checkout")(folder)
            git(folder, "init", "--quiet")
            git(folder, "add", "--all", "--", ":!.venv")
        if kind == "python":
            (home / "block.py").write_text(body)
            run(Command(f"python -W error {shlex.quote(str(home / 'block.py'))}"), folder, home)
        if kind == "sh" and given:
            run(Command(f"set -e\n{body}"), folder, home)
        for command in commands(body) if kind == "console" else []:
            run(command, folder, home)
    if (folder / ".git").exists():
        changed = "--others", "--modified", "--exclude-standard", "--exclude=/.venv"
        assert git(folder, "ls-files", *changed) == ""


def test_the_first_thing_a_reader_sees_can_be_pasted_and_is_run():
    given, kind, body = blocks(ROOT / "README.md")[0]
    assert (given, kind) == ("checkout", "sh")
    assert body.splitlines()[0] == "make wheels"


def test_git_ignores_every_environment_that_readme_makes_in_a_clone():
    made = re.findall(r"-m venv (\w+)$", (ROOT / "README.md").read_text("utf-8"), re.M)
    ignored = (ROOT / ".gitignore").read_text("utf-8").splitlines()
    assert {f"/{name}/" for name in made} == {"/client/"} & {*ignored}


INLINE = re.compile(r"`ternary ([a-z][^`]*)`")


@cache
def every_command():
    from typer.main import get_command

    from ternary_cli.main import app

    return get_command(app)


def unknown_words(line):
    """What a command line in running text names that does not exist: a command, or options of it."""
    node, words = every_command(), shlex.split(line.replace("…", "").replace("\\|", "|"))
    while words and hasattr(node, "commands"):
        if words[0] not in node.commands:
            return [] if not words[0].isalpha() else [words[0]]
        node = node.commands[words.pop(0)]
    options = {name for parameter in node.params for name in (*parameter.opts, *parameter.secondary_opts)}
    named = {word.partition("=")[0] for word in words if word.startswith("-") and len(word) > 1}
    return sorted(named - options - {"--help"})


def test_a_command_in_running_text_names_only_what_exists():
    found = {
        f"{document.relative_to(ROOT)}: ternary {line}": unknown
        for document in DOCUMENTS
        for line in INLINE.findall(document.read_text("utf-8"))
        if (unknown := unknown_words(line))
    }
    assert found == {}
    assert unknown_words("validate run --chekcs hold-out") == ["--chekcs"]
    assert unknown_words("valdate run") == ["valdate"]
    assert unknown_words("server audit chekpoint OUT") == ["chekpoint"]


def test_every_command_is_documented():
    pages = "".join(document.read_text("utf-8") for document in DOCUMENTS)
    for name, command in every_command().commands.items():
        for line in [f"{name} {inner}" for inner in getattr(command, "commands", {})] or [name]:
            assert f"ternary {line}" in pages or f"`{line}" in pages, line
