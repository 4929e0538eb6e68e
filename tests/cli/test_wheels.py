"""
What ``make wheels`` makes, and what a client installs of it: two wheels, nothing of the vendor's, and
everything the model reaches.

The lines to type are those of docs/installing.md and of refusals.
"""

import os
import re
import shutil
import subprocess
import sys
import threading
import tomllib
import venv
import zipfile
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ternary_cli.vendor_extra import EXTRAS
from ternary_sdk._internal.wheels import file_of, pip_install

ROOT = Path(__file__).parents[2]
VENDORS = (
    "torch",
    "onnx",
    "fastapi",
    "sqlalchemy",
    "uvicorn",
    "ternary_trainer",
    "ternary_export",
    "ternary_license_server",
)
CLIENTS = {"ternary-sdk", "ternary-cli", "numpy", "onnxruntime", "cryptography", "typer"}

pytestmark = pytest.mark.slow


def ended(*command, **variables):
    """A command that has ended, in an environment where other people's warnings are no errors."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    environment["PIP_NO_COMPILE"] = "1"  # a module is compiled where it is imported
    command = list(map(str, command))
    return subprocess.run(command, env=environment | variables, capture_output=True, text=True, check=False)


def run(*command, **variables):
    done = ended(*command, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def checkout(lay_checkout, tmp_path_factory):
    """A folder of the sources, and in it the folder of wheels."""
    folder = tmp_path_factory.mktemp("checkout")
    lay_checkout(folder)
    run(sys.executable, folder / "dev.py", "wheels")
    return folder


def built(checkout, *names):
    return [checkout / "wheels" / file_of(name) for name in names]


@pytest.fixture(scope="module")
def wheels(checkout):
    return built(checkout, "ternary-cli", "ternary-sdk")


@pytest.fixture(scope="module")
def vendors_wheels(checkout):
    return built(checkout, "ternary-export", "ternary-license-server", "ternary-trainer")


def lines_to_type(who):
    """What docs/installing.md has a client or a vendor type."""
    page = (ROOT / "docs" / "installing.md").read_text("utf-8")
    found = re.findall(rf"^<!-- for: {who} -->\n```sh\n(pip install .*)\n```$", page, re.M)
    assert found
    return found


@pytest.fixture(scope="module")
def client(checkout, tmp_path_factory):
    """An empty environment in which a client's line was typed."""
    folder = tmp_path_factory.mktemp("client")
    venv.create(folder, with_pip=True)
    (line,) = lines_to_type("client")
    run("bash", "-c", f"cd {checkout} && {folder}/bin/{line} --quiet --constraint constraints.txt")
    return folder / "bin"


def names(wheel):
    return [name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name]


def test_the_folder_holds_the_five_wheels_and_nothing_else(checkout, wheels, vendors_wheels):
    assert sorted(checkout.glob("wheels/*")) == sorted([*wheels, *vendors_wheels])
    assert wheels[0].name == "ternary_cli-0.1.0-py3-none-any.whl"


def test_the_wheels_hold_the_two_packages_and_nothing_else(wheels):
    cli, sdk = map(names, wheels)
    assert {name.split("/")[0] for name in cli} == {"ternary_cli"}
    assert {name.split("/")[0] for name in sdk} == {"ternary_sdk"}
    for package in ("ternary_cli", "ternary_sdk"):
        assert f"{package}/py.typed" in cli + sdk
    for kind in ("ternary", "license", "trust"):
        assert f"ternary_sdk/evaluation/evaluation.{kind}" in sdk


def test_the_wheels_hold_no_private_key(wheels):
    for wheel in wheels:
        archive = zipfile.ZipFile(wheel)
        for name in archive.namelist():
            assert b"PRIVATE KEY" not in archive.read(name), name
            assert not name.endswith((".pem", ".pt"))


def test_every_wheel_carries_the_license_and_names_it(wheels, vendors_wheels):
    text = (ROOT / "LICENSE").read_bytes()
    for wheel in (*wheels, *vendors_wheels):
        archive = zipfile.ZipFile(wheel)
        about = "-".join(wheel.name.split("-")[:2]) + ".dist-info"
        assert archive.read(f"{about}/licenses/LICENSE") == text, wheel.name
        metadata = archive.read(f"{about}/METADATA").decode()
        assert "\nLicense-Expression: Apache-2.0\nLicense-File: LICENSE\n" in metadata, wheel.name


def test_the_evaluation_package_is_below_one_megabyte(wheels):
    archive = zipfile.ZipFile(wheels[1])
    sizes = [info.file_size for info in archive.infolist() if "/evaluation/" in info.filename]
    assert 0 < sum(sizes) < 1_000_000


def test_a_client_has_nothing_of_the_vendors(client):
    installed = set(run(client / "python", "-m", "pip", "list", "--format", "freeze").lower().split("\n"))
    distributions = {line.partition("==")[0] for line in installed if line}
    assert distributions >= CLIENTS
    assert not distributions & {name.replace("_", "-") for name in VENDORS}
    for name in VENDORS:
        program = f"import importlib.util; print(importlib.util.find_spec({name!r}))"
        assert run(client / "python", "-c", program) == "None\n"


def test_a_client_draws_every_operation_once(client, tmp_path):
    drawn = tmp_path / "all.csv"
    run(client / "ternary", "sample", "--unique", "-n", "19683", "--out", drawn, HOME=str(tmp_path))
    rows = drawn.read_text().splitlines()
    assert rows[0] == "index,t0,t1,t2,t3,t4,t5,t6,t7,t8"
    assert {int(row.partition(",")[0]) for row in rows[1:]} == set(range(19_683))
    assert len(rows) == 19_684


def test_a_client_is_told_what_the_vendors_commands_need(client):
    done = ended(client / "ternary", "train")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error: ternary train is a vendor's command and ternary_trainer is not installed; "
        f"install the vendor's packages: {pip_install('ternary-cli', 'vendor')}\n"
    )


def defined_extras():
    projects = [tomllib.loads(file.read_text())["project"] for file in ROOT.glob("*/pyproject.toml")]
    return {
        (extra, each["name"].replace("-", "_"))
        for each in projects
        for extra in each.get("optional-dependencies", {})
    }


def test_the_page_lists_every_extra_and_no_other():
    page = (ROOT / "docs" / "installing.md").read_text("utf-8")
    assert set(re.findall(r"^\| `(\w+)` \| `(\w+)` \|", page, re.M)) == defined_extras()


@contextmanager
def hostile_index(checkout, folder):
    """An index that has each name of ours in a higher build; gives its address and what it is asked."""
    asked = []
    for wheel in checkout.glob("wheels/*.whl"):
        project = folder / "simple" / wheel.name.partition("-")[0].replace("_", "-")
        project.mkdir(parents=True)
        shutil.copy(wheel, project / wheel.name.replace("-py3-", "-1-py3-"))

    class Pages(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            asked.append(self.path)

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Pages, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/simple", asked
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """An environment with everything that is not ours, and pip."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder / "venv", with_pip=False)
    (folder / "others").mkdir()
    (site,) = Path(sys.prefix).glob("lib/*/site-packages")
    for entry in site.iterdir():
        if "ternary" not in entry.name and entry.suffix != ".pth":
            (folder / "others" / entry.name).symlink_to(entry)
    return folder


def resolved(bare, checkout, index, line):
    """What pip would install by a line that begins with ``pip install``."""
    line = line.replace("pip", f"{bare}/venv/bin/python -m pip", 1)
    # pip is not ours: its own warnings are no errors
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHONWARN"))}
    done = subprocess.run(
        ["bash", "-c", f"{line} --dry-run --index-url {index}"],
        cwd=checkout,
        env=kept | {"PYTHONPATH": str(bare / "others"), "PIP_CONFIG_FILE": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    return set(re.findall(r"ternary(?:-[a-z]+)+", done.stdout.partition("Would install")[2]))


CLIENTS_LINES = {"ternary-sdk", "ternary-cli"}
VENDORS_LINES = CLIENTS_LINES | {"ternary-trainer", "ternary-export", "ternary-license-server"}


@pytest.mark.parametrize(("who", "expected"), [("client", CLIENTS_LINES), ("vendor", VENDORS_LINES)])
def test_the_lines_of_the_page_never_ask_an_index_for_a_name_of_ours(who, expected, bare, checkout, tmp_path):
    with hostile_index(checkout, tmp_path) as (index, asked):
        for line in lines_to_type(who):
            assert resolved(bare, checkout, index, line) == expected
    assert [path for path in asked if "ternary" in path] == []


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_line_of_a_refusal_never_asks_an_index_for_a_name_of_ours(extra, bare, checkout, tmp_path):
    line = pip_install("ternary-cli", extra).partition(" (")[0]
    with hostile_index(checkout, tmp_path) as (index, asked):
        # a client has the two wheels already; here their paths stand for them
        found = resolved(bare, checkout, index, f"{line} wheels/{file_of('ternary-sdk')}")
    assert found >= CLIENTS_LINES
    assert [path for path in asked if "ternary" in path] == []


def test_a_pinned_version_in_a_folder_of_links_loses_to_an_index(bare, checkout, tmp_path):
    line = "pip install --no-deps --find-links wheels ternary-sdk==0.1.0"
    with hostile_index(checkout, tmp_path) as (index, asked):
        assert resolved(bare, checkout, index, line) == {"ternary-sdk"}
    assert "/simple/ternary-sdk/ternary_sdk-0.1.0-1-py3-none-any.whl" in asked
