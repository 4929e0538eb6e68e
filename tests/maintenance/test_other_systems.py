"""
Every module of ours is imported as if this were another system.

What a system lacks is read from typeshed, the stubs that mypy brings: a name that stands under
``if sys.platform != "win32"`` does not exist on Windows, and a module without any name is not there at all.
This shows that nothing fails while it is imported. What happens in a call is mypy's to see (``make lint``
runs it for each of them), and what neither shows is listed in CONTRIBUTING.md.
"""

import ast
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import mypy
import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [folder for folder in ROOT.glob("*/src/*") if (folder / "__init__.py").exists()]
MODULES = sorted(
    ".".join(module.relative_to(folder.parent).with_suffix("").parts).removesuffix(".__init__")
    for folder in SOURCES
    for module in folder.rglob("*.py")
    if module.name != "env.py"  # runs inside Alembic alone
)
STUBS = Path(mypy.__file__).parent / "typeshed" / "stdlib"

PROGRAM = """
import builtins, importlib, json, sys, types
given = json.loads(sys.stdin.read())
for name in given["modules"]:  # other people's modules know their systems: they are imported as they are here
    importlib.import_module(name)
for name in [name for name in sys.modules if name.startswith("ternary_")]:
    del sys.modules[name]
for module, names in given["names"].items():
    for name in names:
        if module in sys.modules and hasattr(sys.modules[module], name):
            delattr(sys.modules[module], name)
for name in given["more"]:
    sys.modules.setdefault(name, types.ModuleType(name))

usual = builtins.__import__
def imported(name, globals=None, locals=None, fromlist=(), level=0):
    if not level and name in given["missing"] and (globals or {}).get("__name__", "").startswith("ternary_"):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    return usual(name, globals, locals, fromlist, level)
builtins.__import__ = imported

sys.platform = given["platform"]
for name in given["modules"]:
    try:
        importlib.import_module(name)
    except Exception as error:
        print(f"{name}: {type(error).__name__}: {error}")
"""


def defined(body: list[ast.stmt], platform: str) -> set[str]:
    """The names that a stub defines on a platform."""
    known = {"sys": SimpleNamespace(platform=platform, version_info=sys.version_info)}
    names: set[str] = set()
    for node in body:
        if isinstance(node, ast.If):
            holds = eval(compile(ast.Expression(node.test), "stub", "eval"), known)  # noqa: S307
            names |= defined(node.body if holds else node.orelse, platform)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.AnnAssign | ast.Assign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return {name for name in names if not name.startswith("_")}


@cache
def standard(platform: str) -> dict[str, set[str]]:
    """What each module of the standard library defines on a platform."""
    stubs = {stub.stem: stub for stub in STUBS.glob("*.pyi")}
    stubs |= {stub.parent.name: stub for stub in STUBS.glob("*/__init__.pyi")}
    return {
        name: names
        for name, stub in stubs.items()
        if (names := defined(ast.parse(stub.read_bytes()).body, platform))
    }


def failures(platform: str, modules: list[str]) -> str:
    here, there = standard(sys.platform), standard(platform)
    given = {
        "platform": platform,
        "modules": modules,
        "missing": sorted(here.keys() - there.keys()),
        "more": sorted(there.keys() - here.keys()),
        "names": {name: sorted(here[name] - there[name]) for name in here.keys() & there.keys()},
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], input=json.dumps(given), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_another_system_lacks_is_known() -> None:
    linux, windows, macos = (standard(platform) for platform in ("linux", "win32", "darwin"))
    assert {"fcntl", "pwd", "resource", "grp", "termios"} <= linux.keys() - windows.keys()
    assert {"fork", "geteuid", "register_at_fork", "mkfifo"} <= linux["os"] - windows["os"]
    assert {"SIGHUP", "SIGKILL", "SIGPIPE"} <= linux["signal"] - windows["signal"]
    assert "epoll" in linux["select"] - macos["select"]
    assert "sched_getaffinity" in linux["os"] - macos["os"]


@pytest.mark.skipif(sys.platform != "linux", reason="makes Linux look like another system")
@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_every_module_can_be_imported_on_another_system(platform: str) -> None:
    assert failures(platform, MODULES) == ""


@pytest.mark.skipif(sys.platform != "linux", reason="makes Linux look like another system")
@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("import fcntl", "ModuleNotFoundError: No module named 'fcntl'"),
        ("from signal import SIGHUP", "ImportError: cannot import name 'SIGHUP'"),
        ("import os; os.register_at_fork", "AttributeError: module 'os' has no attribute 'register_at_fork'"),
    ],
)
def test_a_module_that_needs_posix_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, complaint: str
) -> None:
    (tmp_path / "ternary_needs_posix.py").write_text(f"{line}\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert complaint in failures("win32", ["ternary_needs_posix"])
