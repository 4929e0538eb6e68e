"""What the command is like before it does anything: help, usage errors, exit statuses, what it loads."""

import subprocess
import sys

import pytest
import typer

from ternary_cli.formats import Format
from ternary_cli.options import ORDER

CLIENT = ["sample", "list", "properties", "encode", "decode", "verify", "info", "use", "doctor", "machine"]
CLIENT += ["license show", "license usage", "trust update"]
VENDOR = ["keys init", "keys rotate", "keys revoke", "keys extend", "train", "export", "package"]
VENDOR += ["license issue", "license revoke", "recipes", "disrupt", "plot"]
FORMS = ", ".join(f"'{form}'" for form in Format)


def python(program, **options):
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, **options
    )


def test_help_lists_every_command(ternary):
    groups = ["license", "keys", "trust"]
    listed = ternary("--help").text + "".join(ternary(group, "--help").text for group in groups)
    for command in CLIENT + VENDOR:
        assert f"  {command.split()[-1]} " in listed


def test_only_the_command_that_is_typed_is_built(ternary, monkeypatch):
    built, build = [], typer.main.get_command_from_info

    def noting(command_info, **rest):
        built.append(command_info.name)
        return build(command_info, **rest)

    monkeypatch.setattr(typer.main, "get_command_from_info", noting)
    ternary("sample", "--help")
    assert built == ["sample"]


@pytest.mark.parametrize("command", CLIENT + VENDOR)
def test_every_command_explains_itself(ternary, command):
    done = ternary(*command.split(), "--help")
    assert (done.status, done.err) == (0, "")
    assert done.text.startswith(f"Usage: ternary {command} ")


def test_the_version_is_printed(ternary):
    assert ternary("--version").text == "ternary 0.1.0\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["smaple"], "Error: No such command 'smaple'. Did you mean 'sample'?"),
        (
            ["sample", "-n", "ten"],
            "Error: Invalid value for '-n': 'ten' is not a whole number.",
        ),
        (
            ["sample", "--format", "xml"],
            f"Error: Invalid value for '--format': 'xml' is not one of {FORMS}.",
        ),
        (["sample", "a", "b"], "Error: Got unexpected extra argument(s) (b)"),
        (["package", "build"], "Error: Missing option '--name'."),
    ],
)
def test_a_wrong_command_line_ends_with_status_2_and_says_what_is_wrong(ternary, words, sentence):
    done = ternary(*words)
    assert (done.status, done.out) == (2, b"")
    assert done.err.splitlines()[-1] == sentence


@pytest.mark.parametrize(
    ("line", "command", "missing"),
    [
        ("keys init d", "ternary keys init", "ternary_license_server"),
        ("train", "ternary train", "ternary_trainer"),
        ("export run --out b", "ternary export", "ternary_export"),
        ("package b --name n --version 1.0.0 --keys k --out o", "ternary package", "ternary_export"),
        (
            "license issue --package p --to c --expires never --keys k --out o",
            "ternary license issue",
            "ternary_license_server",
        ),
    ],
)
def test_vendor_commands_say_what_to_install_where_the_vendor_extra_is_not(line, command, missing):
    blocked = "ternary_trainer", "ternary_export", "ternary_license_server", "torch", "onnx"
    program = f"import sys; sys.modules.update(dict.fromkeys({blocked})); sys.argv[1:] = {line.split()}\n"
    done = python(program + "from ternary_cli.main import main; main()")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"error: {command} is a vendor's command and {missing} is not installed; "
        "install the vendor's packages: pip install 'wheels/ternary_cli-0.1.0-py3-none-any.whl[vendor]' "
        "wheels/ternary_trainer-0.1.0-py3-none-any.whl wheels/ternary_export-0.1.0-py3-none-any.whl "
        "wheels/ternary_license_server-0.1.0-py3-none-any.whl "
        "(wheels: what 'make wheels' made, or your vendor sent)\n"
    )


def test_help_loads_neither_numpy_nor_anything_of_the_vendors():
    program = "import ternary_cli.main, sys; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = set(python(program).stdout.split())
    assert "ternary_cli" in loaded
    assert not loaded & {"numpy", "onnxruntime", "cryptography", "rich", "torch", "onnx", "sqlite3"}
    assert not loaded & {"ternary_trainer", "ternary_export", "ternary_license_server"}


@pytest.mark.parametrize("command", ["sample", "list", "encode", "decode"])
def test_help_of_a_command_with_tables_states_the_order_of_their_cells(command):
    program = f"import sys; sys.argv[1:] = [{command!r}, '--help']; from ternary_cli.main import main; main()"
    assert ORDER in " ".join(python(program).stdout.split())
