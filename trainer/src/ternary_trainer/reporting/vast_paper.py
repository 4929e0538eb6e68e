"""
The parts of the paper that only a model of a vast space has: bounds, cells and pairs of cells.
"""

from typing import Final

from ternary_trainer.reporting import shared_words, vast_words
from ternary_trainer.reporting.captions import captioned
from ternary_trainer.reporting.layout import MUTED, Paper
from ternary_trainer.reporting.vast_charts import EFFECTIVE, cells_title, pairs_title
from ternary_trainer.reporting.vast_content import VastContent

_WITH_CHARTS: Final = 86.0
"""Height of a sentence and two charts side by side, mm."""


def first(paper: Paper, content: VastContent) -> None:
    """The figures and sentences of the first page."""
    paper.table(("figure", "what"), vast_words.tiles(content), (3, 12))
    paper.text(vast_words.introduction(content), size=9)
    for title, means, found in (
        (vast_words.REACHABLE, vast_words.REACHABLE_MEANS, vast_words.reachable(content)),
        (vast_words.EFFECTIVE, vast_words.EFFECTIVE_MEANS, vast_words.effective(content)),
    ):
        paper.text(f"{title}.", size=9, bold=True)
        for sentence in (means, *found):
            paper.text(sentence, size=9)
    for sentence in shared_words.failures(content):
        paper.text(sentence, size=9)
    paper.text(vast_words.WORD, size=9, colour=MUTED)


def space(paper: Paper, content: VastContent) -> None:
    """What draws prove, and how even cells and pairs of cells are."""
    paper.heading("Effective number beside perfect draws")
    paper.pair([captioned(EFFECTIVE, content)])
    paper.heading("Cells and pairs of cells")
    paper.text(vast_words.CELLS, size=9)
    for path, measured in content.paths.items():
        if paper.pdf.will_page_break(_WITH_CHARTS):
            paper.pdf.add_page()
        paper.text(f"Path {path}. {vast_words.even(measured)}", size=9)
        paper.pair([captioned(title(path), content) for title in (cells_title, pairs_title)])
