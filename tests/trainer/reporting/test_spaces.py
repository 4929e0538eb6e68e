"""Reports on a run of another space, and on a package whose path has no encoder."""

import dataclasses
from datetime import UTC, datetime

import pytest

from ternary_export.reach import margins
from ternary_sdk.signature import Signature
from ternary_sdk.space import Space
from ternary_trainer import recipe
from ternary_trainer.reporting import words
from ternary_trainer.reporting.charts import charts, to_png, to_svg
from ternary_trainer.reporting.content import collect
from ternary_trainer.reporting.page import to_html
from ternary_trainer.reporting.paper import to_pdf
from ternary_trainer.train import train
from ternary_trainer.validation import opening
from ternary_trainer.validation.checks import validate
from ternary_trainer.validation.thresholds import Thresholds
from ternary_trainer.validation.verdict import verdict

SHORT = {
    "epochs": "3",
    "separate.learn.epochs": "1",
    "separate.learn.passes": "4",
    "separate.paths.A.passes": "2",
    "separate.paths.B.passes": "2",
    "scoring.report_draws": "4_000",
    "scoring.draws": "4_000",
}


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    run = train(recipe.load("boolean-3", SHORT), seed=1, out=tmp_path_factory.mktemp("run") / "boolean")
    subject = opening.run_subject(run, margins)
    outcomes = validate(subject, Thresholds(), only=["hash-coverage", "true-holdout"])
    found = verdict(subject, outcomes, Thresholds(), made=datetime(2026, 3, 1, tzinfo=UTC))
    return collect(subject, found, run=run)


@pytest.fixture(scope="module")
def without_encoders(content):
    paths = {path: dataclasses.replace(found, spectrum=None) for path, found in content.paths.items()}
    return dataclasses.replace(content, paths=paths)


def test_a_run_of_another_space_is_reported_in_its_own_numbers(content):
    page = to_html(content).decode()
    assert "expected coverage of path A at 650 draws" in page
    assert "of 256 operations that path B can produce" in page
    assert "How much each of the 8 inner dimensions varies" in page
    assert "estimated from 262,144 draws" in page
    assert not [number for number in ("19,683", "50,000", "195,000", "trit", "1,969") if number in page]
    assert to_pdf(content).startswith(b"%PDF-1.")


def test_curves_end_at_as_many_draws_for_each_operation_as_those_of_the_flagship(content):
    assert (int(content.draws[0]), int(content.draws[-1])) == (13, round(256 * 262_144 / 19_683))


def test_the_line_of_perfect_draws_is_an_average_and_no_limit(content):
    _, chart = charts(content)["Training: coverage"]
    drawn = to_svg("Training: coverage", chart, content)
    assert ">perfect draws, on average</text>" in drawn
    assert ">limit<" not in drawn


def test_a_model_without_encoders_has_no_spectrum_and_no_heading_for_one(content, without_encoders):
    assert "<h2>Latent spectrum</h2>" in to_html(content).decode()
    assert "Latent spectrum" in charts(content)
    page = to_html(without_encoders).decode()
    assert "Latent spectrum" not in page
    assert to_pdf(without_encoders).startswith(b"%PDF-1.")


@pytest.mark.parametrize("paths", ["A", "ABCDEFGH"])
def test_every_chart_is_drawn_of_one_path_and_of_eight(content, paths):
    of = dataclasses.replace(
        content,
        signature=Signature(Space(2, 3), 8, tuple(paths)),
        paths=dict.fromkeys(paths, content.paths["A"]),
        run=None,
    )
    for _, chart in charts(of).values():
        assert to_png(chart, of).startswith(b"\x89PNG")
    assert len(words.first_words(of)) >= len(paths)
