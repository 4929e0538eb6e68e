"""
The parts of the paper that only a model of a listed space has: coverage, and a picture of all operations.
"""

from typing import Final

from ternary_sdk import atlas
from ternary_trainer.reporting import shared_words, words
from ternary_trainer.reporting.captions import captioned
from ternary_trainer.reporting.charts import charts
from ternary_trainer.reporting.content import Content
from ternary_trainer.reporting.layout import MUTED, Paper

_PICTURE: Final = 58.0
"""Height of the operation space's picture at most, mm."""


def first(paper: Paper, content: Content) -> None:
    """The figures and sentences of the first page."""
    rows = [
        (
            f"path {path}",
            shared_words.percent(measured.quoted),
            words.perfect(content),
            f"{measured.reachable:,}",
        )
        for path, measured in content.paths.items()
    ]
    paper.table(
        (
            "",
            f"expected coverage at {content.headline:,} draws",
            "perfect draws, on average",
            f"operations it can produce, of {content.signature.space.size:,}",
        ),
        rows,
        (2, 4, 4, 5),
    )
    for sentence in (words.introduction(content), *words.first_words(content)):
        paper.text(sentence)
    paper.text(words.WORD, colour=MUTED)


def space(paper: Paper, content: Content) -> None:
    """Coverage over draws, and the operation space."""
    available = charts(content)
    paper.heading("Coverage beside perfect draws")
    paper.pair([captioned(title, content) for title in list(available)[:2]])
    paper.heading("The operation space")
    paper.text(words.SPACE, size=9)
    rows, columns = words.picture_size(content)
    width = min(paper.pdf.epw, _PICTURE * columns / rows)
    for path, measured in content.paths.items():
        if paper.pdf.will_page_break(70):
            paper.pdf.add_page()
        paper.text(f"Path {path}. {atlas.summary(measured.margins)}.", size=8, colour=MUTED)
        paper.picture(atlas.to_png(measured.margins, space=content.signature.space), width=width)
    paper.text(words.SPACE_COLOURS + words.space_key(content), size=8, colour=MUTED)
