"""
The report as PDF, A4: the same content as the page, in the same order.
"""

from typing import Final

from ternary_sdk._internal.packages.validation import Ending
from ternary_trainer.reporting import costs, listed_paper, shared_words, vast_paper, vast_words, words
from ternary_trainer.reporting.captions import captioned
from ternary_trainer.reporting.charts import SPECTRUM, charts
from ternary_trainer.reporting.content import AnyContent
from ternary_trainer.reporting.layout import BAD, GOOD, MUTED, Paper
from ternary_trainer.reporting.vast_content import VastContent

_COLOURS: Final = {Ending.PASSED: GOOD, Ending.FAILED: BAD}


def to_pdf(content: AnyContent) -> bytes:
    """Lay out a report on A4."""
    paper = Paper(f"{content.name}: {shared_words.headline(content)}")
    paper.pdf.set_creation_date(content.validation.made)
    _first_page(paper, content)
    _space(paper, content)
    if content.traced:
        _training(paper, content)
    if content.run is not None:
        _best(paper, content)
    _compression(paper, content)
    _checks(paper, content)
    _ending(paper, content)
    return bytes(paper.pdf.output())


def _first_page(paper: Paper, content: AnyContent) -> None:
    sound = content.validation.sound
    paper.text(content.name, size=12, bold=True)
    paper.text(shared_words.headline(content), size=28, bold=True, colour=GOOD if sound else BAD)
    paper.text(f"{content.validation.sentence}.")
    paper.pdf.ln(3)
    if isinstance(content, VastContent):
        vast_paper.first(paper, content)
    else:
        listed_paper.first(paper, content)
    paper.pdf.ln(2)
    ended = [
        (check.name, str(check.ending), shared_words.question(check)) for check in content.validation.checks
    ]
    paper.table(("check", "ending", "question"), ended, (4, 3, 11))


def _space(paper: Paper, content: AnyContent) -> None:
    paper.pdf.add_page()
    if isinstance(content, VastContent):
        vast_paper.space(paper, content)
    else:
        listed_paper.space(paper, content)
    if content.spectra:
        paper.heading(SPECTRUM)
        paper.pair([captioned(SPECTRUM, content)])


def _training(paper: Paper, content: AnyContent) -> None:
    titles = [title for title in charts(content) if title.startswith("Training")]
    paper.heading("Training")
    for start in range(0, len(titles), 2):
        paper.pair([captioned(title, content) for title in titles[start : start + 2]])


def _best(paper: Paper, content: AnyContent) -> None:
    paper.heading("The best of the run")
    if isinstance(content, VastContent):
        header, chosen = vast_words.choices_header(content), vast_words.choices(content)
    else:
        header, chosen = words.choices_header(content), words.choices(content)
    if chosen:
        paper.text(shared_words.chosen(content), size=9)
        paper.table(header, chosen, (3, 2, *(3 for _ in content.paths), 4))
    else:
        paper.text(shared_words.NOT_ENDED)
    paper.heading("Compute")
    for sentence in (*shared_words.compute(content), *costs.compute(content)):
        paper.text(sentence)
    header = costs.compute_header(content)
    paper.table(header, costs.compute_rows(content), (6, 2, 3, 3, 3)[: len(header)])


def _compression(paper: Paper, content: AnyContent) -> None:
    paper.heading("Compression")
    paper.text(costs.COMPRESSION, size=9)
    header = costs.compression_header(content)
    paper.table(header, costs.compression(content), (8, *(4 for _ in content.paths)))


def _checks(paper: Paper, content: AnyContent) -> None:
    paper.heading("The checks")
    paper.text(f"{shared_words.INTERVALS} {shared_words.CONTROLS}", size=9)
    for check in content.validation.checks:
        if paper.pdf.will_page_break(26 + 4 * len(check.figures)):
            paper.pdf.add_page()
        colour = _COLOURS.get(check.ending, MUTED)
        paper.text(f"{check.name}: {check.ending}", size=11, bold=True, colour=colour)
        paper.text(f"{shared_words.question(check)} {check.reason}", size=8.5)
        if check.figures:
            paper.table(
                ("figure", "value", "95 % interval", "threshold"),
                shared_words.rows(check.figures),
                (9, 3, 5, 4),
            )
        paper.text(
            f"Control that fails it: {shared_words.control(check.name)}. "
            f"It cannot see {shared_words.blind(check.name)}.",
            size=8,
            colour=MUTED,
        )
        paper.pdf.ln(2)


def _ending(paper: Paper, content: AnyContent) -> None:
    if shared_words.changed(content):
        paper.text(shared_words.changed(content), colour=BAD)
    paper.heading("Provenance")
    paper.table(("", ""), shared_words.provenance(content), (3, 11))
    paper.heading("What was not tested")
    paper.table(("what", "why"), shared_words.untested(content), (3, 11))
