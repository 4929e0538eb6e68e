"""What a client installs: two wheels, nothing of the vendor's, and everything the model reaches."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

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
    command = list(map(str, command))
    return subprocess.run(command, env=environment | variables, capture_output=True, text=True, check=False)


def run(*command, **variables):
    done = ended(*command, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def built(folder, *names):
    for name in names:
        run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT / name)
    return sorted(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    return built(tmp_path_factory.mktemp("wheels"), "sdk", "cli")


@pytest.fixture(scope="module")
def vendors_wheels(tmp_path_factory):
    return built(tmp_path_factory.mktemp("vendor"), "trainer", "export", "LICENSE_SERVER")


@pytest.fixture(scope="module")
def client(wheels, tmp_path_factory):
    """An empty environment with nothing but the two wheels and what they need."""
    folder = tmp_path_factory.mktemp("client")
    venv.create(folder, with_pip=True)
    pip = folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet"
    run(*pip, "--constraint", ROOT / "constraints.txt", *wheels)
    return folder / "bin"


def names(wheel):
    return [name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name]


def test_the_wheels_hold_the_two_packages_and_nothing_else(wheels):
    assert [wheel.name for wheel in wheels] == [
        "ternary_cli-0.1.0-py3-none-any.whl",
        "ternary_sdk-0.1.0-py3-none-any.whl",
    ]
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
        "install the vendor's packages: pip install 'ternary-cli[vendor]'\n"
    )
