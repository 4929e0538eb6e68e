"""
Paper: an A4 document of paragraphs, tables and pictures, written from top to bottom.
"""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from fpdf import FPDF

GOOD: Final = (20, 112, 60)
BAD: Final = (180, 35, 24)
INK: Final = (26, 26, 26)
MUTED: Final = (107, 114, 128)
_HALF: Final = 86.0


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
        self, sentence: str, *, size: float = 10, bold: bool = False, colour: tuple[int, int, int] = INK
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
            self.pdf.set_text_color(*MUTED)
            self.pdf.multi_cell(_HALF, 4, caption, align="L", new_x="LMARGIN", new_y="NEXT")
            ends.append(self.pdf.y)
        self.pdf.set_y(max(ends) + 3)

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]) -> None:
        """A table whose first row repeats on every page."""
        self.pdf.set_font("Sans", "", 7.5)
        self.pdf.set_text_color(*INK)
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
            self.set_text_color(*MUTED)
            self.cell(0, 4, f"{title}, page {self.page_no()} of {{nb}}", align="R")

    return Numbered(format="A4")
