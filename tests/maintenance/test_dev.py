"""``dev.py`` in a folder whose name has spaces and non-ASCII letters, as on Linux and as on Windows."""

import importlib.util
import os
import shutil
import site
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("sdk", "maintenance", "dev.py", "pyproject.toml", "constraints.txt", "requirements-test.txt")

specification = importlib.util.spec_from_file_location("dev", ROOT / "dev.py")
assert specification is not None
assert specification.loader is not None
dev = importlib.util.module_from_spec(specification)
sys.modules["dev"] = dev  # dataclasses look their own module up
specification.loader.exec_module(dev)

INSTALL = "install --quiet --no-compile --constraint constraints.txt"
PIP = f".venv/bin/python -m pip --disable-pip-version-check {INSTALL}"
INSTALLS = f"""\
{sys.executable} -m venv .venv
{PIP} hatchling editables
{PIP} --no-build-isolation --editable sdk --editable trainer --editable export --editable LICENSE_SERVER \
--editable 'cli[vendor]'
"""
MAKES_VENV = f"""\
{INSTALLS}# compile .venv
# stamp .venv/ready
"""
INSTALLS_TESTS = f"""\
{PIP} --requirement requirements-test.txt
# compile .venv
# stamp .venv/ready-to-test
"""
MAKES_BOTH = f"{INSTALLS}# stamp .venv/ready\n{INSTALLS_TESTS}"
"""What lint and tests need is compiled once, when all of it is there."""
BUILDS = (
    "# remove wheels",
    ".venv/bin/python -m pip --disable-pip-version-check wheel --quiet --no-deps --no-build-isolation "
    "--wheel-dir wheels ./sdk ./trainer ./export ./LICENSE_SERVER ./cli",
)
OTHER = "--config-file maintenance/other_systems.ini --cache-dir .mypy_cache"
LINTS = f"""\
.venv/bin/python -m ruff check .
.venv/bin/python -m ruff format --check .
.venv/bin/python -m mypy
.venv/bin/python -m mypy {OTHER}/win32 --platform win32
.venv/bin/python -m mypy {OTHER}/darwin --platform darwin
.venv/bin/lint-imports
# note in .venv/linted that lint passed
"""
TESTS = (
    ".venv/bin/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder "
    "--durations=10 --durations-min=1\n"
)


@pytest.fixture
def checkout(tmp_path):
    """What the first steps need of the sources, in a folder that is hard on programs."""
    folder = tmp_path / "Ärger mit Leerzeichen"
    folder.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder)
    for name in dev.DISTRIBUTIONS:
        (folder / name).mkdir(exist_ok=True)
        shutil.copy(ROOT / name / "pyproject.toml", folder / name)
    return folder


def typed(folder, *words):
    command = [sys.executable, folder / "dev.py", *words]
    done = subprocess.run(command, cwd=folder.parent, capture_output=True, encoding="utf-8", check=False)
    return done.returncode, done.stdout, done.stderr


def stamped(folder, **times):
    """Stamps with times relative to the newest source."""
    (folder / ".venv" / "bin").mkdir(parents=True, exist_ok=True)
    newest = max(file.stat().st_mtime for file in folder.rglob("*") if ".venv" not in file.parts)
    for name, seconds in times.items():
        stamp = folder / ".venv" / name.replace("_", "-")
        stamp.touch()
        os.utime(stamp, (newest + seconds, newest + seconds))


def test_a_plan_begins_with_what_is_not_installed_yet(checkout):
    assert typed(checkout, "--dry-run", "demo") == (
        0,
        f"{MAKES_VENV}.venv/bin/python examples/demo.py demo\n",
        "",
    )
    assert typed(checkout, "--dry-run", "test") == (0, MAKES_BOTH + LINTS + TESTS, "")
    assert not (checkout / ".venv").exists()


def test_wheels_need_only_what_builds_them_and_replace_an_earlier_build(checkout):
    status, plan, _ = typed(checkout, "--dry-run", "wheels")
    assert (status, plan) == (0, "".join(f"{line}\n" for line in (*MAKES_VENV.splitlines()[:2], *BUILDS)))


def test_what_is_installed_is_not_installed_again_until_a_source_of_it_changes(checkout):
    stamped(checkout, ready=10, ready_to_test=20)
    assert typed(checkout, "--dry-run", "lint") == (0, LINTS, "")
    os.utime(checkout / "requirements-test.txt", (2**32, 2**32))
    assert typed(checkout, "--dry-run", "lint") == (0, INSTALLS_TESTS + LINTS, "")
    (checkout / ".venv" / "bin" / "python").touch()
    os.utime(checkout / "cli" / "pyproject.toml", (2**32, 2**32))
    _, plan, _ = typed(checkout, "--dry-run", "lint")
    assert plan == MAKES_BOTH.partition("\n")[2] + LINTS


def test_two_targets_share_the_steps_that_both_need(checkout):
    stamped(checkout, ready=10, ready_to_test=20)
    assert typed(checkout, "--dry-run", "lint", "test", "check") == (0, LINTS + TESTS, "")


def test_ablations_repeat_every_plan_into_a_folder_of_its_name(checkout):
    stamped(checkout, ready=10, ready_to_test=20)
    plans = [plan.stem for plan in sorted((ROOT / "maintenance" / "ablations").glob("*.toml"))]
    assert "few-1" in plans
    expected = [
        f".venv/bin/ternary ablate maintenance/ablations/{name}.toml --out runs/ablations/{name}"
        for name in plans
    ]
    assert typed(checkout, "--dry-run", "ablations") == (0, "".join(f"{line}\n" for line in expected), "")


def test_on_windows_programs_lie_in_scripts_and_arguments_are_quoted_for_it(checkout):
    there = dev.Checkout(checkout, windows=True)
    lines = [step.shown(there).replace("/", "\\") for step in dev.plan(["lint"], there)]
    assert lines[1].startswith(".venv\\Scripts\\python.exe -m pip ")
    assert lines[2].endswith(" --editable LICENSE_SERVER --editable cli[vendor]")
    assert lines[-2].splitlines()[-1] == ".venv\\Scripts\\lint-imports.exe"


def test_make_has_the_same_targets_and_calls_the_same_program():
    above = {"MAKEFLAGS": "w", "MAKELEVEL": "1"}  # as where make itself runs the tests
    for target in dev.TARGETS:
        done = subprocess.run(
            ["make", "--dry-run", "--no-print-directory", target, "PYTHON=python3"],
            cwd=ROOT,
            env={**os.environ, **above},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == f"python3 dev.py {target}\n"


def test_a_step_that_fails_ends_the_target(checkout):
    here = dev.Checkout(checkout)
    with pytest.raises(SystemExit, match=r"^error: '.*python.* -c 'exit\(3\)'' ended with status 3$"):
        dev.Run((sys.executable, "-c", "exit(3)")).perform(here)
    with pytest.raises(SystemExit, match=r"lint-imports' cannot be run \(No such file or directory\)$"):
        dev.Run((here.tool("lint-imports"),)).perform(here)


def test_warnings_are_errors_in_a_step_but_not_in_an_installer(checkout):
    here, warns = dev.Checkout(checkout), (sys.executable, "-c", "import warnings; warnings.warn('old')")
    dev.Run(warns, strict=False).perform(here)
    with pytest.raises(SystemExit):
        dev.Run(warns).perform(here)


def test_lint_that_passed_runs_again_only_after_a_change(checkout):
    stamped(checkout, ready=10, ready_to_test=20)
    here = dev.Checkout(checkout)
    *_, passed = dev.lint(here)
    passed.perform(here)
    again = "# lint passed on these sources\n"
    assert typed(checkout, "--dry-run", "test") == (0, again + TESTS, "")

    module = checkout / "sdk" / "src" / "ternary_sdk" / "errors.py"
    text = module.read_text("utf-8")
    times = module.stat()
    for changed in (f"{text}\n", None):
        module.write_text(changed, "utf-8") if changed else module.unlink()
        assert typed(checkout, "--dry-run", "lint") == (0, LINTS, "")
    module.write_text(text, "utf-8")
    os.utime(module, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert typed(checkout, "--dry-run", "lint") == (0, again, "")

    (checkout / "new.py").touch()
    assert typed(checkout, "--dry-run", "lint") == (0, LINTS, "")
    (checkout / "new.py").rename(checkout / ".venv" / "new.py")
    assert typed(checkout, "--dry-run", "lint") == (0, again, "")
    os.utime(checkout / "requirements-test.txt", (2**32, 2**32))
    assert typed(checkout, "--dry-run", "lint") == (0, INSTALLS_TESTS + LINTS, "")


def test_a_source_that_changes_while_lint_runs_is_linted_again(checkout):
    stamped(checkout, ready=10, ready_to_test=20)
    here = dev.Checkout(checkout)
    *_, passed = dev.lint(here)
    (checkout / "new.py").touch()
    passed.perform(here)
    assert typed(checkout, "--dry-run", "lint") == (0, LINTS, "")


def test_programs_that_run_together_print_in_order_and_the_first_that_failed_is_named(checkout, capfd):
    here = dev.Checkout(checkout)

    def says(word, status, *, first=""):
        program = f"""\
import pathlib, time
while {first!r} and not pathlib.Path({first!r}).exists():
    time.sleep(0.01)
pathlib.Path({word!r}).touch()
print({word!r})
exit({status})"""
        return dev.Run((sys.executable, "-c", program))

    dev.Together((says("one", 0, first="two"), says("two", 0))).perform(here)
    assert capfd.readouterr().out == "one\ntwo\n"
    with pytest.raises(SystemExit, match=r"exit\(4\)'' ended with status 4$"):
        dev.Together((says("a", 0), says("b", 4), says("c", 5))).perform(here)
    assert capfd.readouterr().out == "a\nb\nc\n"


def test_steps_keep_compiled_modules_whatever_the_variable_says(checkout, monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    program = "import sys; exit(sys.dont_write_bytecode)"
    dev.Run((sys.executable, "-c", program)).perform(dev.Checkout(checkout))


def test_an_unknown_target_is_refused(checkout):
    status, printed, refusal = typed(checkout, "tset")
    assert (status, printed) == (2, "")
    assert refusal.splitlines()[-1].startswith("dev.py: error: argument TARGET: invalid choice: 'tset'")


def test_clean_removes_what_the_targets_made_and_nothing_else(checkout):
    stamped(checkout, ready=0)
    (checkout / "demo").mkdir()
    (checkout / "wheels").mkdir()
    before = sorted(entry.name for entry in checkout.iterdir())
    assert typed(checkout, "clean") == (0, "# remove .venv\n# remove wheels\n# remove demo\n", "")
    left = {*before} - {".venv", "wheels", "demo"}
    assert sorted(entry.name for entry in checkout.iterdir()) == sorted(left)
    assert typed(checkout, "clean")[0] == 0


def test_paths_of_editable_installations_are_read_alike_in_every_encoding(tmp_path, monkeypatch):
    places, packages = [tmp_path / "Ärger" / name for name in ("sdk", "cli")], tmp_path / "site-packages"
    packages.mkdir()
    lines = "".join(f"{place}\n" for place in places)
    (packages / "_editable_impl_ternary.pth").write_text(lines, "utf-8")
    dev.keep_ascii(packages)
    dev.keep_ascii(packages)
    assert (packages / "_editable_impl_ternary.pth").read_bytes().isascii()
    monkeypatch.setattr(sys, "path", [])
    site.addsitedir(str(packages))
    assert sys.path[-2:] == [str(place) for place in places]


@pytest.mark.slow
def test_an_editable_installation_works_in_a_folder_with_spaces_and_other_letters(checkout):
    here = dev.Checkout(checkout)
    make, backend, *_, compiling, stamp = dev.ready(here)
    for step in (
        make,
        backend,
        dev.install(here, "--no-build-isolation", "--no-deps", "--editable", "sdk"),
        compiling,
        stamp,
    ):
        step.perform(here)
    assert list(here.venv.rglob("hatchling/__pycache__/*.pyc"))
    imports = "from ternary_sdk import errors; print(ascii(errors.__file__))"
    command = [here.tool("python"), "-c", imports]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=checkout.parent)
    assert done.stdout == f"{str(checkout / 'sdk/src/ternary_sdk/errors.py')!a}\n"


@pytest.mark.skipif(os.name == "nt", reason="a link to a folder needs rights there")
def test_ruff_runs_in_a_folder_with_spaces_and_other_letters(checkout):
    (checkout / ".venv").symlink_to(sys.prefix)
    here = dev.Checkout(checkout)
    styles = [step for step in dev.lint(here) if " -m ruff " in step.shown(here)]
    assert len(styles) == 2
    for step in styles:
        step.perform(here)
    (checkout / "dev.py").write_text("import os\n")
    with pytest.raises(SystemExit, match=r"^error: '.venv/bin/python -m ruff check .' ended with status 1$"):
        styles[0].perform(here)


def git(folder, *words):
    identity = "-c", "user.name=somebody", "-c", "user.email=somebody@example.com"
    done = subprocess.run(["git", *identity, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_that_tests_passed_is_noted_for_the_files_of_a_commit_and_no_others(checkout):
    stamped(checkout, ready=10, ready_to_test=20)
    here = dev.Checkout(checkout)
    assert [*dev.passed(here, "tested")] == []
    (checkout / ".gitignore").write_text(".venv/\n")
    git(checkout, "init", "--quiet")
    git(checkout, "add", "--all")
    assert [*dev.passed(here, "tested")] == []
    git(checkout, "commit", "--quiet", "--message", "first")
    assert typed(checkout, "--dry-run", "check") == (0, f"{TESTS}# note in .venv/tested that it passed\n", "")
    (note,) = dev.passed(here, "tested")
    (checkout / "dev.py").write_text("changed meanwhile")
    note.perform(here)
    assert not (checkout / ".venv" / "tested").exists()
    git(checkout, "checkout", "--", "dev.py")
    note.perform(here)
    assert (checkout / ".venv" / "tested").read_text() == git(checkout, "rev-parse", "HEAD^{tree}")
    assert [*dev.passed(dev.Checkout(checkout / "sdk"), "tested")] == []
