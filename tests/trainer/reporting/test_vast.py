"""Reports on models of vast spaces: bounds on the first page, cells and pairs in place of an atlas."""

import re
from datetime import UTC, datetime

import numpy as np
import pytest
from pypdf import PdfReader
from tests.builds import built
from tests.networks import thresholds

from ternary_export.packaging import package
from ternary_sdk._internal.packages.package import Package
from ternary_sdk._internal.trust.trust import Role
from ternary_sdk.proved import ProvedModel
from ternary_sdk.signature import Signature
from ternary_sdk.space import Space
from ternary_trainer.reporting.charts import charts
from ternary_trainer.reporting.content import collect
from ternary_trainer.reporting.vast_content import VastContent
from ternary_trainer.reporting.write import write
from ternary_trainer.validation import opening
from ternary_trainer.validation.checks import validate
from ternary_trainer.validation.thresholds import Thresholds
from ternary_trainer.validation.vast_subject import Effort
from ternary_trainer.validation.verdict import verdict

MADE = datetime(2026, 3, 1, tzinfo=UTC)
CHECKED = ["hash-coverage", "annealing"]
SOUND = Signature(Space(8, 1), 16, ("A",))


def found(subject):
    return verdict(subject, validate(subject, Thresholds(), only=CHECKED), Thresholds(), made=MADE)


@pytest.fixture(scope="module")
def packaged(vendor):
    """The content of a report on a package whose every operation has a witness."""
    build = built(SOUND, thresholds(SOUND), draws=10_000, operations=2000)
    data = package(build, name="octal", version=(1, 0, 0), signer=vendor.signer(Role.PACKAGE))
    effort = Effort(draws=20_000, operations=4000)
    with (
        ProvedModel(Package.read(data, vendor.trust)) as model,
        opening.package_subject(model, effort) as subject,
    ):
        yield collect(subject, found(subject), package=model.package)


@pytest.fixture(scope="module")
def page(packaged, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    write(packaged, folder)
    return folder


def text(file):
    printed = "".join(sheet.extract_text() for sheet in PdfReader(file).pages)
    return re.sub(r"\s", "", re.sub(r"\n.*, page \d+ of \d+", "", printed))


def test_the_first_page_states_bounds_in_plain_words_and_whose_they_are(packaged, page):
    assert isinstance(packaged, VastContent)
    first = (page / "report.html").read_text().split("</section>")[0].replace("&#39;", "'")
    stated, counts = packaged.paths["A"].claim, packaged.paths["A"].counts
    for expected in (
        "so there are 16,777,216 of them, too many to list or to count",
        "wrong with a probability of at most 0.000001",
        "Path A, computed for this report: 4,000 operations were tried and 0 failed. So 99.655",
        "Path A, stated by the signed certificate: 2,000 were tried and 0 failed",
        f"Path A, computed for this report: {counts.clear:,} draws gave {counts.distinct:,} different",
        f"Path A, stated by the signed certificate: {stated.evenness.clear:,} draws gave",
        f"show {counts.perfect_effective_number:,} or more",
        f"of the space, of its clear draws; at most {100 * float(counts.near_tie_share_at_most):.7f}",
        "They do not prove counts: those are the vendor's word",
        "run ternary verify FILE --recount 1e8",
    ):
        assert expected in first
    assert "coverage at" not in first


def test_cells_and_pairs_stand_where_an_atlas_would(packaged, page):
    whole = (page / "report.html").read_text()
    assert "<h2>Cells and pairs of cells</h2>" in whole
    assert "<h2>The operation space</h2>" not in whole
    assert {"Effective number over draws", "Cells, path A", "Pairs of cells, path A"} <= charts(
        packaged
    ).keys()
    assert "8 are needed, one for each cell." in whole
    assert packaged.dependence["A"].shape == (8, 8)
    assert np.abs(packaged.dependence["A"]).max() < 0.01


def test_the_paper_says_what_the_page_says(page):
    paper = text(page / "report.pdf")
    whole = (page / "report.html").read_text().split("<main>")[1].replace("&#39;", "'")
    sentences = re.findall(r"<p[^>]*>([^<{]+)</p>", whole)
    assert len(sentences) > 10
    assert [one for one in sentences if re.sub(r"\s|&nbsp;", "", one) not in paper] == []


def test_the_curve_ends_at_all_clear_draws(packaged):
    measured = packaged.paths["A"]
    assert measured.curve[-1].distinct == measured.counts.distinct
    numbers = [counts.clear for counts in measured.curve]
    assert numbers == sorted(numbers)
    assert numbers[0] * 200 < numbers[-1]


def test_a_run_is_reported_with_its_training_and_without_a_certificate(trained, tmp_path):
    subject = opening.run_subject(trained, lambda _: {}, effort=Effort(draws=2000, operations=200))
    content = collect(subject, found(subject), run=trained)
    write(content, tmp_path)
    whole = (tmp_path / "report.html").read_text()
    assert not content.validation.sound
    assert "signed certificate" not in whole
    assert "<b>Training: evenness.</b>" in whole
    assert "evenness of A" in whole
    assert "evenness 0." not in whole.split("<h2>The checks</h2>")[0].split("<h2>Compute</h2>")[0]
    assert "A surge of strength 0.5 in epoch 1, by recipe: evenness " in whole
    assert "no list can be made" in whole
    assert not [word for word in ("19,683", "50,000", "trit", "atlas") if word in whole]
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF-1.")
