"""
The report as PDF, A4: the same content as the page, in the same order.
"""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ternary_sdk import atlas
from ternary_sdk._internal.packages.validation import Ending
from ternary_trainer.reporting import costs, words
from ternary_trainer.reporting.charts import SPECTRUM, charts, to_png
from ternary_trainer.reporting.content import Content

if TYPE_CHECKING:
    from fpdf import FPDF

_GOOD: Final = (20, 112, 60)
_BAD: Final = (180, 35, 24)
_INK: Final = (26, 26, 26)
_MUTED: Final = (107, 114, 128)
_COLOURS: Final = {Ending.PASSED: _GOOD, Ending.FAILED: _BAD}
_HALF: Final = 86.0
_PICTURE: Final = 58.0
"""Height of the operation space's picture at most, mm."""


class Paper:
    """A document being written from top to bottom."""

    def __init__(self, title: str) -> None:
        import matplotlib

        self.pdf = _numbered(title)
        fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
        self.pdf.add_font("Sans", "", fonts / "DejaVuSans.ttf")
        self.pdf.add_font("Sans", "B", fonts / "DejaVuSans-Bold.ttf")
        self.pdf.set_title(title)
        self.pdf.set_margins(18, 16)
        self.pdf.set_auto_page_break(True, 18)
        self.pdf.add_page()

    def text(
        self, sentence: str, *, size: float = 10, bold: bool = False, colour: tuple[int, int, int] = _INK
    ) -> None:
        """A paragraph."""
        self.pdf.set_font("Sans", "B" if bold else "", size)
        self.pdf.set_text_color(*colour)
        self.pdf.multi_cell(0, size * 0.52, sentence, align="L", new_x="LMARGIN", new_y="NEXT")
        self.pdf.ln(size * 0.12)

    def heading(self, sentence: str) -> None:
        """A section's title, kept with at least a little of what follows."""
        if self.pdf.will_page_break(40):
            self.pdf.add_page()
        self.pdf.ln(5)
        self.text(sentence, size=14, bold=True)

    def picture(self, image: bytes, *, width: float = 0) -> None:
        """A picture across the page, or of a width in millimetres."""
        self.pdf.image(io.BytesIO(image), w=width or self.pdf.epw)
        self.pdf.ln(2)

    def pair(self, images: Sequence[tuple[str, bytes]]) -> None:
        """One or two captioned pictures side by side."""
        if self.pdf.will_page_break(76):
            self.pdf.add_page()
        top, ends = self.pdf.y, []
        for number, (caption, image) in enumerate(images):
            left = self.pdf.l_margin + number * (_HALF + 2)
            self.pdf.image(io.BytesIO(image), x=left, y=top, w=_HALF)
            self.pdf.set_xy(left, top + _HALF * 3.1 / 4.4 + 1)
            self.pdf.set_font("Sans", "", 8)
            self.pdf.set_text_color(*_MUTED)
            self.pdf.multi_cell(_HALF, 4, caption, align="L", new_x="LMARGIN", new_y="NEXT")
            ends.append(self.pdf.y)
        self.pdf.set_y(max(ends) + 3)

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]) -> None:
        """A table whose first row repeats on every page."""
        self.pdf.set_font("Sans", "", 7.5)
        self.pdf.set_text_color(*_INK)
        self.pdf.set_draw_color(210, 213, 218)
        with self.pdf.table(
            col_widths=tuple(widths), text_align="LEFT", borders_layout="HORIZONTAL_LINES", line_height=4
        ) as table:
            for cells in (header, *rows):
                row = table.row()
                for cell in cells:
                    row.cell(cell)
        self.pdf.ln(2)


def _numbered(title: str) -> "FPDF":
    """A4 whose pages say what they are of."""
    from fpdf import FPDF

    class Numbered(FPDF):
        def footer(self) -> None:
            self.set_y(-13)
            self.set_font("Sans", "", 7.5)
            self.set_text_color(*_MUTED)
            self.cell(0, 4, f"{title}, page {self.page_no()} of {{nb}}", align="R")

    return Numbered(format="A4")


def to_pdf(content: Content) -> bytes:
    """Lay out a report on A4."""
    paper = Paper(f"{content.name}: {words.headline(content)}")
    paper.pdf.set_creation_date(content.validation.made)
    _first_page(paper, content)
    _coverage(paper, content)
    if content.traced:
        _training(paper, content)
    if content.run is not None:
        _best(paper, content)
    _compression(paper, content)
    _checks(paper, content)
    _ending(paper, content)
    return bytes(paper.pdf.output())


def _first_page(paper: Paper, content: Content) -> None:
    sound = content.validation.sound
    paper.text(content.name, size=12, bold=True)
    paper.text(words.headline(content), size=28, bold=True, colour=_GOOD if sound else _BAD)
    paper.text(f"{content.validation.sentence}.")
    paper.pdf.ln(3)
    rows = [
        (
            f"path {path}",
            words.percent(measured.quoted),
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
    paper.text(words.WORD, colour=_MUTED)
    paper.pdf.ln(2)
    ended = [(check.name, str(check.ending), words.question(check)) for check in content.validation.checks]
    paper.table(("check", "ending", "question"), ended, (4, 3, 11))


def _coverage(paper: Paper, content: Content) -> None:
    available = charts(content)
    paper.pdf.add_page()
    paper.heading("Coverage beside perfect draws")
    paper.pair([_captioned(title, content) for title in list(available)[:2]])
    paper.heading("The operation space")
    paper.text(words.SPACE, size=9)
    rows, columns = words.picture_size(content)
    width = min(paper.pdf.epw, _PICTURE * columns / rows)
    for path, measured in content.paths.items():
        if paper.pdf.will_page_break(70):
            paper.pdf.add_page()
        paper.text(f"Path {path}. {atlas.summary(measured.margins)}.", size=8, colour=_MUTED)
        paper.picture(atlas.to_png(measured.margins, space=content.signature.space), width=width)
    paper.text(words.SPACE_COLOURS + words.space_key(content), size=8, colour=_MUTED)
    if content.spectra:
        paper.heading(SPECTRUM)
        paper.pair([_captioned(SPECTRUM, content)])


def _training(paper: Paper, content: Content) -> None:
    titles = [title for title in charts(content) if title.startswith("Training")]
    paper.heading("Training")
    for start in range(0, len(titles), 2):
        paper.pair([_captioned(title, content) for title in titles[start : start + 2]])


def _best(paper: Paper, content: Content) -> None:
    paper.heading("The best of the run")
    chosen = words.choices(content)
    if chosen:
        paper.text(words.chosen(content), size=9)
        paper.table(words.choices_header(content), chosen, (3, 2, *(3 for _ in content.paths), 4))
    else:
        paper.text(words.NOT_ENDED)
    paper.heading("Compute")
    for sentence in (*words.compute(content), *costs.compute(content)):
        paper.text(sentence)
    header = costs.compute_header(content)
    paper.table(header, costs.compute_rows(content), (6, 2, 3, 3, 3)[: len(header)])


def _compression(paper: Paper, content: Content) -> None:
    paper.heading("Compression")
    paper.text(costs.COMPRESSION, size=9)
    header = costs.compression_header(content)
    paper.table(header, costs.compression(content), (8, *(4 for _ in content.paths)))


def _checks(paper: Paper, content: Content) -> None:
    paper.heading("The checks")
    paper.text(f"{words.INTERVALS} {words.CONTROLS}", size=9)
    for check in content.validation.checks:
        if paper.pdf.will_page_break(26 + 4 * len(check.figures)):
            paper.pdf.add_page()
        colour = _COLOURS.get(check.ending, _MUTED)
        paper.text(f"{check.name}: {check.ending}", size=11, bold=True, colour=colour)
        paper.text(f"{words.question(check)} {check.reason}", size=8.5)
        if check.figures:
            paper.table(
                ("figure", "value", "95 % interval", "threshold"), words.rows(check.figures), (9, 3, 5, 4)
            )
        paper.text(
            f"Control that fails it: {words.control(check.name)}. It cannot see {words.blind(check.name)}.",
            size=8,
            colour=_MUTED,
        )
        paper.pdf.ln(2)


def _ending(paper: Paper, content: Content) -> None:
    if words.changed(content):
        paper.text(words.changed(content), colour=_BAD)
    paper.heading("Provenance")
    paper.table(("", ""), words.provenance(content), (3, 11))
    paper.heading("What was not tested")
    paper.table(("what", "why"), words.untested(content), (3, 11))


def _captioned(title: str, content: Content) -> tuple[str, bytes]:
    caption, chart = charts(content)[title]
    return f"{title}. {caption}", to_png(chart, content)
