"""The host program is sacred: what no module of the SDK may do to it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import ternary_sdk

MODULES = sorted(Path(ternary_sdk.__path__[0]).rglob("*.py"))
NETWORK = {"socket", "ssl", "http", "urllib", "urllib3", "requests", "httpx", "asyncio", "ftplib", "smtplib"}
INTRUSIVE = {"logging", "signal", "atexit", "readline", "faulthandler", "warnings"}
OWN_PROCESSES = {"engine": {"signal", "os._exit"}}
"""What a module uses in processes that it starts itself, and never in the host's."""
CALLS = {"print", "exit", "quit", "input", "breakpoint", "eval", "exec", "compile"}
ATTRIBUTES = {
    "sys.exit",
    "os._exit",
    "os.abort",
    "os.fork",
    "os.system",
    "os.putenv",
    "sys.setrecursionlimit",
}


def imported(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def called(tree: ast.AST) -> set[str]:
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_module_neither_prints_nor_exits_nor_touches_the_hosts_settings(module: Path) -> None:
    tree = ast.parse(module.read_text("utf-8"))
    assert not imported(tree) & (INTRUSIVE - OWN_PROCESSES.get(module.stem, set()))
    assert not called(tree) & ((CALLS | ATTRIBUTES) - OWN_PROCESSES.get(module.stem, set()))
    if module.parent.name != "online":
        assert not imported(tree) & NETWORK


def test_no_call_on_an_open_model_computes_under_a_lock_that_a_fork_would_leave_taken() -> None:
    """Python 3.11's cached_property has one lock for all objects of a class."""
    using = {module.stem for module in MODULES if "@cached_property" in module.read_text("utf-8")}
    assert using == {"doctor"}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_other_programs_are_run_with_a_timeout(module: Path) -> None:
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("subprocess."):
            assert "timeout" in {keyword.arg for keyword in node.keywords}


def test_importing_opens_no_connection_and_no_file_for_writing(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "def hook(event, args):\n"
        "    writes = event == 'open' and set(args[1] or '') & set('wax+')\n"
        "    if writes or event.startswith('socket.'):\n"
        "        raise SystemExit(f'{event} {args}')\n"
        "sys.addaudithook(hook)\n"
        "from ternary_sdk import Model\n"
        "from ternary_sdk._internal.doctor import doctor\n"
        "from ternary_sdk._internal.licensing import ledger, usage\n"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-W", "error", "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_using_a_model_opens_no_connection_writes_no_file_and_says_nothing(tmp_path: Path) -> None:
    program = (
        "import logging, signal, sys\n"
        "from ternary_sdk import LicenseError, Model\n"
        "before = logging.root.handlers[:], logging.root.level, signal.getsignal(signal.SIGINT)\n"
        "def hook(event, args):\n"
        "    writes = event == 'open' and set(args[1] or '') & set('wax+')\n"
        "    if writes or event in ('os.mkdir', 'os.rename') or event.startswith('socket.'):\n"
        "        raise RuntimeError(f'{event} {args}')\n"
        "sys.addaudithook(hook)\n"
        "with Model.evaluation() as model:\n"
        "    draw = model.sample(100, unique=True, seed=1)\n"
        "    model.decode(model.encode(draw.operations))\n"
        "    try:\n"
        "        model.relicense(b'no license')\n"
        "    except LicenseError:\n"
        "        pass\n"
        "after = logging.root.handlers[:], logging.root.level, signal.getsignal(signal.SIGINT)\n"
        "assert before == after\n"
        "sys.exit(7)\n"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PATH": "", "HOME": str(tmp_path)},
    )
    assert (done.returncode, done.stdout, done.stderr) == (7, "", "")
    assert list(tmp_path.iterdir()) == []
