"""The reports kept as examples are those that their verdicts name."""

import hashlib
from pathlib import Path

import pytest

from ternary_sdk._internal.packages.validation import Validation

REPORTS = Path(__file__).parents[2] / "docs" / "reports"
KEPT = sorted(folder.parent.name for folder in REPORTS.glob("*/validation.json"))


def test_three_reports_are_kept():
    assert KEPT == ["coverage-1", "quaternary-1", "v5.5-checkpoint"]
    assert sorted(folder.name for folder in REPORTS.iterdir()) == KEPT


@pytest.mark.parametrize("name", KEPT)
def test_the_verdict_names_the_page_beside_it_by_digest(name):
    verdict = Validation.read((REPORTS / name / "validation.json").read_bytes())
    assert verdict.report == hashlib.sha256((REPORTS / name / "report.html").read_bytes()).hexdigest()
    assert (REPORTS / name / "report.pdf").read_bytes().startswith(b"%PDF-1.")
