"""The report: one page and one paper that say the same, self-contained, verdict first."""

import dataclasses
import hashlib
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from pypdf import PdfReader

from ternary_export.reach import margins
from ternary_sdk._internal.packages.validation import Figure, Relation
from ternary_sdk.signature import Signature
from ternary_sdk.space import TERNARY_2, Space
from ternary_trainer import checkpoint
from ternary_trainer.model import initial
from ternary_trainer.reporting import shared_words, words
from ternary_trainer.reporting.content import collect
from ternary_trainer.reporting.page import to_html
from ternary_trainer.reporting.paper import to_pdf
from ternary_trainer.reporting.write import write
from ternary_trainer.validation import opening
from ternary_trainer.validation.checks import CHECKS, validate
from ternary_trainer.validation.thresholds import Thresholds
from ternary_trainer.validation.verdict import verdict

SPACES = (TERNARY_2, Space(2, 3), Space(5, 1))


@pytest.fixture(scope="module")
def content(finished):
    subject = opening.run_subject(finished, margins)
    outcomes = validate(subject, Thresholds())
    found = verdict(subject, outcomes, Thresholds(), made=datetime(2026, 3, 1, tzinfo=UTC))
    return collect(subject, found, run=finished)


@pytest.fixture(scope="module")
def folder(content, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report") / "here"
    digest = write(content, folder)
    assert digest == hashlib.sha256((folder / "report.html").read_bytes()).hexdigest()
    return folder


def test_the_page_fetches_nothing_and_runs_nothing(folder):
    page = (folder / "report.html").read_text()
    addresses = set(re.findall(r"https?://[^\"'<> )]+", page))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert not re.search(r"<script|<link|<iframe|@import|url\((?!#)", page)


def test_the_page_begins_with_the_verdict_and_ends_with_what_was_not_tested(content, folder):
    page = (folder / "report.html").read_text()
    assert not content.validation.sound
    order = [
        '<p class="verdict bad">Not sound</p>',
        "<h2>Coverage beside perfect draws",
        "<h2>The operation space",
        "<h2>Latent spectrum",
        "<h2>Training",
        "<h2>The best of the run",
        "<h2>Compute",
        "<h2>Compression",
        "<h2>The checks",
        "<h2>Provenance",
        "<h2>What was not tested",
    ]
    places = [page.index(title) for title in order]
    assert places == sorted(places)


def test_every_check_is_on_the_page_with_its_control_and_its_blind_spot(folder):
    page = (folder / "report.html").read_text()
    for name, check in CHECKS.items():
        assert f"<h3>{name}</h3>" in page
        assert f"Control that fails it: {check.control}. It cannot see {check.blind}." in page.replace(
            "&#39;", "'"
        )


def test_colours_of_charts_are_the_pages_own(folder):
    page = (folder / "report.html").read_text()
    assert "var(--a)" in page
    assert "var(--mark)" in page
    assert not re.search("#0[1-9ab]0[1-9ab]0[1-9ab]", page)


def test_the_paper_is_a_pdf_of_several_pages(folder):
    paper = (folder / "report.pdf").read_bytes()
    assert paper.startswith(b"%PDF-1.")
    assert len(re.findall(rb"/Type /Page\b", paper)) >= 4


class Sentences(HTMLParser):
    """The text of a page by element, without its head, its charts, and its tiles, a table on paper."""

    def __init__(self):
        super().__init__()
        self.found, self._inside = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "img"):
            self._inside.append("tiles" if ("class", "tiles") in attrs or "tiles" in self._inside else tag)

    def handle_endtag(self, tag):
        self._inside.pop()

    def handle_data(self, data):
        if data.strip() and not {"svg", "head", "tiles"} & set(self._inside):
            self.found.append(data.strip())


def test_the_paper_has_all_the_text_of_the_page(folder):
    page = Sentences()
    page.feed((folder / "report.html").read_text())
    printed = "".join(sheet.extract_text() for sheet in PdfReader(folder / "report.pdf").pages)
    printed = re.sub(r"\s", "", re.sub(r"\n.*, page \d+ of \d+", "", printed))
    missing = [sentence for sentence in page.found if re.sub(r"\s", "", sentence) not in printed]
    assert "\n".join(missing) == ""


def test_the_same_content_gives_the_same_page(content, folder):
    assert to_html(content) == (folder / "report.html").read_bytes()


def test_a_surge_is_told_with_coverage_before_during_and_after(content):
    (told,) = [line for line in shared_words.compute(content) if line.startswith("A surge")]
    assert re.fullmatch(
        r"A surge of strength 0\.5 in epoch 2, by recipe: coverage \S+ % before, \S+ % during, \S+ % after\.",
        told.replace("\N{NO-BREAK SPACE}", " "),
    )


def test_the_provenance_is_that_of_the_rule_the_snapshot_was_chosen_by(finished):
    subject = opening.run_subject(finished, margins, rule="loss")
    outcomes = validate(subject, Thresholds(), only=["true-holdout"])
    found = verdict(subject, outcomes, Thresholds(), made=datetime(2026, 3, 1, tzinfo=UTC))
    content = collect(subject, found, run=finished)
    assert content.provenance["snapshot"] == finished.best("loss").reason
    assert "chosen for the lowest validation loss" in content.provenance["snapshot"]
    assert shared_words.chosen(content) == (
        "What each rule of choice would have shipped. This report is of the one by loss."
    )


@pytest.fixture(scope="module")
def of_file(tmp_path_factory):
    """What is told of a checkpoint file, with a history of its own or without."""

    def told(details):
        file = tmp_path_factory.mktemp("file") / "kept.pt"
        checkpoint.save(file, state=initial(1).state_dict(), epoch=0, details=details)
        subject = opening.checkpoint_subject(checkpoint.load(file), file, margins)
        outcomes = validate(subject, Thresholds(), only=["true-holdout"])
        found = verdict(subject, outcomes, Thresholds(), made=datetime(2026, 3, 1, tzinfo=UTC))
        return collect(subject, found)

    return told


ABSENT = [
    (
        "the best of the run",
        "a checkpoint without its run is one snapshot; what other rules would ship is not known",
    ),
    ("compute", "a checkpoint without its run does not say what its training took"),
]


def test_a_checkpoints_own_history_is_drawn_and_what_it_lacks_is_listed(of_file):
    lists = {f"coverage_{path}_history": [100, 200, 300] for path in "AB"}
    content = of_file(lists | {f"H_{path}_history": [1.5, 2.5, 3.0] for path in "AB"})
    page = to_html(content).decode()
    for title in ("Training: coverage", "Training: entropy"):
        assert f'aria-label="{title}"' in page
    assert "<h2>Training</h2>" in page
    assert "<h2>The best of the run</h2>" not in page
    assert content.untested[-2:] == ABSENT
    assert all(f"<dt>{name}</dt><dd>{reason}</dd>" in page for name, reason in ABSENT)
    assert to_pdf(content).startswith(b"%PDF-1.")


def test_a_checkpoint_without_a_history_has_no_training_and_says_so(of_file):
    content = of_file({})
    assert content.untested[-3:] == [("training", "no history of at least two epochs is on record"), *ABSENT]
    assert "<h2>Training</h2>" not in to_html(content).decode()


def test_percentages_are_rounded_down():
    assert shared_words.percent(0.919999) == "91.99\N{NO-BREAK SPACE}%"


def test_a_figure_without_an_interval_is_not_called_exact():
    sampled = Figure(
        name="hash coverage at 4 × beta",
        path="A",
        value="0.246123",
        low="0.246123",
        high="0.246123",
        relation=Relation.SHOWN,
        bound="0",
    )
    expected = ("hash coverage at 4 × beta, path A", "0.24612", "none", "shown only")
    assert shared_words.figure_cells(sampled) == expected


def test_a_share_under_noise_has_its_interval(content):
    figures = [
        figure
        for check in content.validation.checks
        for figure in check.figures
        if figure.name == "exact under noise of 0.2"
    ]
    assert [figure.path for figure in figures] == ["A", "B"]
    assert all(float(figure.low) < float(figure.value) < float(figure.high) for figure in figures)


def test_perfect_draws_are_spelt_as_everywhere_else(content):
    assert words.perfect(content) == "92.116 ± 0.170\N{NO-BREAK SPACE}%"


def of_space(content, space):
    return dataclasses.replace(content, signature=Signature(space, 8, ("A",)))


def test_what_an_operation_is_follows_from_the_space(content):
    told = {str(space): words.introduction(of_space(content, space)).partition(".")[0] for space in SPACES}
    assert told == {
        "3,2": "An operation is a table of 9 answers, each −1, 0 or +1, so there are 19,683 of them",
        "2,3": "An operation is a table of 8 answers, each 0 or 1, so there are 256 of them",
        "5,1": "An operation is a table of 5 answers, each −2, −1, 0, +1 or +2, so there are 3,125 of them",
    }
    assert [words.space_key(of_space(content, space)) for space in SPACES] == [
        "Columns: cells 0 to 4 of the table, rows: cells 5 to 8.",
        "Columns: cells 0 to 3 of the table, rows: cells 4 to 7.",
        "Columns: cells 0 to 2 of the table, rows: cells 3 to 4.",
    ]
    assert [of_space(content, space).headline for space in SPACES] == [50_000, 650, 7_938]
