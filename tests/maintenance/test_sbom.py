"""The bill of materials of a client's wheels: valid, complete, the same for the same wheels."""

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from maintenance import sbom

SDK = """\
Metadata-Version: 2.4
Name: ternary-sdk
Version: 0.1.0
License-Expression: Apache-2.0
Requires-Dist: numpy>=2.1
Requires-Dist: cryptography>=44
Provides-Extra: online
Requires-Dist: httpx>=0.27; extra == 'online'
"""
CLI = """\
Metadata-Version: 2.4
Name: ternary-cli
Version: 0.1.0
License-Expression: Apache-2.0
Requires-Dist: ternary-sdk==0.1.0
Requires-Dist: colorama; sys_platform == 'win32'
Provides-Extra: vendor
Requires-Dist: ternary-trainer==0.1.0; extra == 'vendor'
Requires-Dist: rich>=14; extra == 'vendor'
"""


def wheel(folder: Path, name: str, metadata: str) -> Path:
    file = folder / f"{name}-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo(f"{name}-0.1.0.dist-info/METADATA"), metadata)
    return file


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    wheel(tmp_path, "ternary_sdk", SDK)
    wheel(tmp_path, "ternary_cli", CLI)
    return tmp_path


def by_name(document: bytes) -> dict[str, Any]:
    return {part["name"]: part for part in json.loads(document)["components"]}


def test_the_bill_is_valid_by_the_schema_and_the_schema_can_refuse(wheels: Path) -> None:
    text = sbom.made(wheels).decode()
    checker = JsonStrictValidator(SchemaVersion.V1_6)
    assert checker.validate_str(text) is None
    assert checker.validate_str(text.replace('"SHA-256"', '"SHA-255"')) is not None
    assert checker.validate_str(text.replace('"bomFormat"', '"bomForm"')) is not None


def test_both_wheels_stand_in_it_with_their_digest_and_without_an_index(wheels: Path) -> None:
    parts = by_name(sbom.made(wheels))
    for name in ("ternary-sdk", "ternary-cli"):
        file = wheels / f"{name.replace('-', '_')}-0.1.0-py3-none-any.whl"
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        assert parts[name]["hashes"] == [{"alg": "SHA-256", "content": digest}]
        assert parts[name]["purl"] == f"pkg:generic/{name}@0.1.0"


def test_it_has_what_the_wheels_need_in_pinned_releases_and_nothing_of_the_vendors(wheels: Path) -> None:
    parts = by_name(sbom.made(wheels))
    scopes = {name: part["scope"] for name, part in parts.items()}
    # cffi is needed by cryptography, h11 by httpcore, which httpx needs
    assert {name for name, scope in scopes.items() if scope == "required"} >= {
        "numpy",
        "cryptography",
        "cffi",
    }
    assert {name for name, scope in scopes.items() if scope == "optional"} >= {"httpx", "httpcore", "h11"}
    assert {"ternary-trainer", "rich", "colorama", "torch"} & {*parts} == set()
    pins = (sbom.ROOT / "constraints.txt").read_text("utf-8").lower().replace("_", "-").splitlines()
    others = [part for name, part in parts.items() if not name.startswith("ternary-")]
    assert [part["name"] for part in others if f"{part['name']}=={part['version']}" not in pins] == []


def test_it_says_what_needs_what(wheels: Path) -> None:
    edges = {one["ref"]: one.get("dependsOn", []) for one in json.loads(sbom.made(wheels))["dependencies"]}
    assert edges["ternary-client"] == ["ternary-cli@0.1.0", "ternary-sdk@0.1.0"]
    assert edges["ternary-cli@0.1.0"] == ["ternary-sdk@0.1.0"]
    assert [ref.partition("@")[0] for ref in edges["ternary-sdk@0.1.0"]] == ["cryptography", "httpx", "numpy"]


def test_the_same_wheels_give_the_same_bytes_and_others_give_another_number(wheels: Path) -> None:
    first = sbom.made(wheels)
    assert sbom.main([str(wheels)]) == 0
    assert (wheels / sbom.NAME).read_bytes() == sbom.made(wheels) == first
    wheel(wheels, "ternary_sdk", SDK + "Summary: another\n")
    assert json.loads(sbom.made(wheels))["serialNumber"] != json.loads(first)["serialNumber"]


def refusal(wheels: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert sbom.main([str(wheels)]) == 1
    assert not (wheels / sbom.NAME).exists()
    return capsys.readouterr().err


def test_a_missing_or_damaged_wheel_is_refused(wheels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = wheels / "ternary_cli-0.1.0-py3-none-any.whl"
    file.write_bytes(b"no archive")
    assert refusal(wheels, capsys) == (
        f"error: {file}: not a wheel (File is not a zip file); run 'make wheels'\n"
    )
    wheel(wheels, "ternary_cli", "Metadata-Version: 2.4\nName: ternary-cli\n")
    assert refusal(wheels, capsys).startswith(f"error: {file}: not a wheel (")
    file.unlink()
    assert (
        refusal(wheels, capsys)
        == f"error: {wheels}: 0 wheels of ternary-cli, expected 1; run 'make wheels'\n"
    )


def test_a_package_without_a_pin_is_refused(wheels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wheel(wheels, "ternary_sdk", SDK + "Requires-Dist: nobody-pins-this\n")
    assert refusal(wheels, capsys) == "error: nobody-pins-this: not in constraints.txt; add its release\n"
