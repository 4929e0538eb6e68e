"""A missing module is blamed on an extra only if that extra installs it."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from ternary_cli.vendor_extra import EXTRAS, online_extra, vendor_extra
from ternary_sdk.errors import TernaryError

ROOT = Path(__file__).parents[2]
PROJECTS = {
    project["name"]: project
    for file in ROOT.glob("*/pyproject.toml")
    for project in [tomllib.loads(file.read_text())["project"]]
}


def installed(name, extras):
    """The modules that a distribution of ours brings with it, by the names that pyproject.toml gives."""
    project, found = PROJECTS[name], set()
    wanted = [
        *project["dependencies"],
        *(line for x in extras for line in project["optional-dependencies"][x]),
    ]
    for line in wanted:
        needed, more = re.match(r"([\w-]+)(?:\[([\w,]+)\])?", line).groups()
        found.add(needed.replace("-", "_"))
        if needed in PROJECTS:
            found |= installed(needed, more.split(",") if more else [])
    return found


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_modules_of_each_extra_are_those_that_its_distributions_bring(extra):
    assert EXTRAS[extra] == installed("ternary-cli", [extra]) - installed("ternary-cli", [])


@pytest.mark.parametrize(
    ("line", "command", "extra", "lacked"),
    [
        ("train", "ternary train", "vendor", "secrets"),
        ("keys init k --vendor V", "ternary keys init", "vendor", "stat"),
        ("serve", "ternary serve", "server", "tempfile"),
    ],
)
def test_a_module_that_no_extra_installs_is_not_blamed_on_one(line, command, extra, lacked):
    program = f"import sys; sys.argv[1:] = {line.split()!r}\nfrom ternary_cli import main\n"
    program += f"sys.modules[{lacked!r}] = None\nmain.main()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"error: {command} cannot run here (import of {lacked} halted; None in sys.modules); "
        f"installing ternary-cli[{extra}] again does not help: "
        "the installation is damaged, or this system lacks what it needs\n"
    )


def test_a_module_of_another_extra_is_not_blamed_on_this_one():
    missing = ModuleNotFoundError("No module named 'torch'", name="torch")
    expected = r"^ternary renew cannot run here \(No module named 'torch'\); "
    with pytest.raises(TernaryError, match=expected), online_extra("ternary renew"):
        raise missing


def test_a_library_that_is_there_and_does_not_load_is_not_called_missing(tmp_path, monkeypatch):
    (tmp_path / "torch.py").write_text("from math import no_such_name\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    with (
        pytest.raises(
            TernaryError, match=r"^ternary train cannot run here \(cannot import name 'no_such_name' "
        ),
        vendor_extra("ternary train"),
    ):
        import torch  # noqa: F401


def test_the_online_extra_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(TernaryError) as caught, online_extra("ternary renew"):
        import httpx  # noqa: F401
    assert str(caught.value) == (
        "ternary renew needs httpx, which is not installed: "
        "pip install 'wheels/ternary_cli-0.1.0-py3-none-any.whl[online]' "
        "(wheels: what 'make wheels' made, or your vendor sent)"
    )
