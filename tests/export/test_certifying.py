"""A build's certificate, computed from the build alone."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ternary_export.build import Build, Draft
from ternary_export.certifying import State, certify, compared
from ternary_sdk._internal.certificates.certificate import Certificate


@pytest.fixture
def folder(build: Build, tmp_path: Path) -> Path:
    build.write(tmp_path / "build")
    return tmp_path / "build"


def test_a_build_read_back_is_certified_as_at_its_export(folder: Path, build: Build) -> None:
    said: list[str] = []
    certificate = certify(Draft.read(folder), tell=said.append)
    assert certificate == build.certificate
    assert certificate.to_statement() == (folder / "coverage.json").read_bytes()
    assert said == ["certifying path A", "certifying path B"]


def test_no_certificate_is_needed_to_certify(folder: Path, build: Build) -> None:
    (folder / "coverage.json").unlink()
    assert certify(Draft.read(folder)) == build.certificate


def test_a_certificate_says_what_it_was_computed_with(build: Build) -> None:
    assert set(build.certificate.computed_with) == {"numpy", "onnxruntime", "ternary-export", "ternary-sdk"}


def held(folder: Path, certificate: Certificate) -> Path:
    file = folder / "coverage.json"
    file.write_bytes(certificate.to_statement())
    return file


def test_a_statement_computed_with_other_versions_is_confirmed(folder: Path, build: Build) -> None:
    older = replace(build.certificate, computed_with={"numpy": "2.0.0"})
    assert compared(build.certificate, held(folder, older)) is State.CONFIRMED


def test_a_statement_of_another_moment_is_replaced(folder: Path, build: Build) -> None:
    later = replace(build.certificate, released=datetime(2027, 1, 1, tzinfo=UTC))
    assert compared(build.certificate, held(folder, later)) is State.REPLACED


def test_a_statement_with_another_figure_is_replaced(folder: Path, build: Build) -> None:
    first, *others = build.certificate.paths
    fewest, *more = first.prior
    boast = replace(fewest, operations=fewest.operations + 1)
    other = replace(build.certificate, paths=(replace(first, prior=(boast, *more)), *others))
    assert compared(build.certificate, held(folder, other)) is State.REPLACED


def test_what_is_no_statement_is_replaced(folder: Path, build: Build) -> None:
    (folder / "coverage.json").write_bytes(b"{}")
    assert compared(build.certificate, folder / "coverage.json") is State.REPLACED


def test_where_there_is_no_statement_one_is_written(build: Build, tmp_path: Path) -> None:
    assert compared(build.certificate, tmp_path / "coverage.json") is State.WRITTEN
