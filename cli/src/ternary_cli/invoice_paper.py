"""
An invoice as a PDF, A4.
"""

from collections.abc import Container
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ternary_cli.invoice_table import order_words, rows
from ternary_sdk.errors import InputError

if TYPE_CHECKING:
    from fpdf import FPDF

    from ternary_sdk._internal.pricing.invoice import Invoice
    from ternary_sdk._internal.pricing.invoice_claims import Billed

INK: Final = (26, 26, 26)
MUTED: Final = (91, 98, 112)
_LABEL: Final = 34.0
_LATIN: Final = "Helvetica"
_WIDE: Final = "Sans"
_PUNCTUATION: Final = str.maketrans({"–": "-", "…": "..."})


def to_pdf(invoice: "Invoice") -> bytes:
    """Lay out an invoice on paper. The same invoice always gives the same bytes.

    Raises:
        InputError: If a name has letters that no font here has.
    """
    paper = _Paper(invoice)
    try:
        paper.head()
        paper.table()
        for billed in invoice.spaces:
            paper.billed(billed)
        paper.foot()
        return bytes(paper.pdf.output())
    finally:
        paper.close()


class _Paper:
    """A4 being written from top to bottom."""

    def __init__(self, invoice: "Invoice") -> None:
        from fpdf import FPDF

        self.invoice = invoice
        self.title = f"Invoice {invoice.number}" if invoice.number else "Preview of an invoice"
        self.pdf = FPDF(format="A4")
        self.font = _font(self.pdf)
        self.pdf.set_creation_date(invoice.issued)
        self.pdf.set_title(self.title)
        self.pdf.set_margins(20, 18)
        self.pdf.set_auto_page_break(True, 18)
        self.pdf.add_page()

    def close(self) -> None:
        """Close the files of fonts, which only putting the document out does by itself."""
        from fpdf.fonts import TTFFont

        for font in self.pdf.fonts.values():
            if isinstance(font, TTFFont):
                font.close()

    def head(self) -> None:
        """Whose invoice it is and for whom."""
        invoice = self.invoice
        self._text(self.title, size=17, bold=True)
        self._text(invoice.vendor, size=11, bold=True)
        self.pdf.ln(3)
        if invoice.number is None:
            self._text("This is a preview. It is not signed, and the month may still change it.", size=10)
            self.pdf.ln(2)
        self._pair("Customer", f"{invoice.customer.name} ({invoice.customer.id})")
        for joined in invoice.merged:
            after = f", after invoice {joined.previous.number}" if joined.previous else ""
            self._pair("With", f"{joined.customer.name} ({joined.customer.id}){after}")
        self._pair("Product", invoice.product)
        self._pair("Month", f"{invoice.month} (UTC)")
        self._pair("Issued" if invoice.number else "Computed", f"{invoice.issued:%Y-%m-%d %H:%M:%S} UTC")
        self._pair("License" if len(invoice.licenses) == 1 else "Licenses", ", ".join(invoice.licenses))
        for order in order_words(invoice):
            self._pair("Order", order)
        self.pdf.ln(4)

    def table(self) -> None:
        """The lines and the total."""
        invoice, pdf = self.invoice, self.pdf
        self._font(9.5)
        pdf.set_draw_color(201, 205, 212)
        money = f"Amount, {invoice.prices.currency}"
        total = invoice.prices.money(invoice.amount.total)
        with pdf.table(
            col_widths=(104, 28, 38),
            text_align=("LEFT", "RIGHT", "RIGHT"),
            borders_layout="HORIZONTAL_LINES",
            line_height=5.5,
            padding=1,
            v_align="TOP",
        ) as table:
            table.row(("Position", "Operations", money))
            for row in rows(invoice):
                what = f"{row.what}\n{row.price}" if row.price else row.what
                table.row((self._plain(what), row.operations, row.amount))
        pdf.ln(2)
        self._font(13, bold=True)
        word = "Credit" if invoice.amount.total < 0 else "Total"
        pdf.cell(104, 8, word)
        pdf.cell(0, 8, f"{invoice.prices.currency} {total}", align="R", new_x="LMARGIN", new_y="NEXT")

    def billed(self, billed: "Billed") -> None:
        """What is billed of one space, by numbers and digests."""
        self.pdf.ln(4)
        title = f"Operations billed, {billed.space.title} (space {billed.space})"
        self._text(title, size=10.5, bold=True)
        self._pair("Before this month", f"{billed.before:,}")
        self._pair("New in it", f"{billed.new.operations:,}", billed.new.sha256)
        if billed.credited.operations:
            self._pair("Taken back", f"{billed.credited.operations:,}", billed.credited.sha256)
        for times, again in enumerate(billed.repeated, 2):
            self._pair(f"Billed {times} times", f"{again.operations:,}, once from now on", again.sha256)
        whole = f"{billed.after.operations:,} of {billed.space.size:,}"
        self._pair("In all", whole, billed.after.sha256)

    def foot(self) -> None:
        """How it was computed and how to check it."""
        invoice = self.invoice
        self.pdf.ln(5)
        words = (
            "Each operation is billed once, in the month in which the server first received it. "
            f"Prices: {invoice.prices.words()}. Fractions of the smallest unit are not billed."
        )
        if invoice.number:
            words += (
                " The signed file of this invoice proves these figures without a network: "
                "ternary license invoice FILE. The machines that drew the operations state the same set: "
                "ternary license statement A B … --invoice FILE. "
                f"SHA-256 of what the invoice states: {invoice.sha256}"
            )
        self._text(words, size=8, colour=MUTED)

    def _pair(self, label: str, text: str, sha256: str | None = None) -> None:
        self._font(9.5, colour=MUTED)
        self.pdf.cell(_LABEL, 5.5, label)
        self._font(9.5)
        self.pdf.multi_cell(0, 5.5, self._plain(text), align="L", new_x="LMARGIN", new_y="NEXT")
        if sha256 is not None:
            self._font(7.5, colour=MUTED)
            self.pdf.cell(_LABEL, 4)
            self.pdf.cell(0, 4, f"sha256 {sha256}", new_x="LMARGIN", new_y="NEXT")

    def _text(
        self, text: str, *, size: float, bold: bool = False, colour: tuple[int, int, int] = INK
    ) -> None:
        self._font(size, bold=bold, colour=colour)
        self.pdf.multi_cell(0, size * 0.5, self._plain(text), align="L", new_x="LMARGIN", new_y="NEXT")

    def _font(self, size: float, *, bold: bool = False, colour: tuple[int, int, int] = INK) -> None:
        self.pdf.set_font(self.font, "B" if bold else "", size)
        self.pdf.set_text_color(*colour)

    def _plain(self, text: str) -> str:
        """Text that the font has.

        Raises:
            InputError: If it has letters that the font lacks.
        """
        if self.font == _LATIN:
            text = text.translate(_PUNCTUATION)
            missing = next((letter for letter in text if ord(letter) > 0xFF), None)
        else:
            known = _letters(self.pdf)
            missing = next((letter for letter in text if letter != "\n" and ord(letter) not in known), None)
        if missing is not None:
            remedy = "install matplotlib, whose fonts have more, or " if self.font == _LATIN else ""
            raise InputError(f"PDF: no font here has the letter {missing!r}; {remedy}take HTML")
        return text


def _letters(pdf: "FPDF") -> Container[int]:
    """The code points that the font of most scripts has."""
    from fpdf.fonts import TTFFont

    font = pdf.fonts[_WIDE.lower()]
    return font.cmap if isinstance(font, TTFFont) else ()


def _font(pdf: "FPDF") -> str:
    """A font of most scripts where matplotlib brings it, else one of Latin letters."""
    found = find_spec("matplotlib")
    if found is None or found.origin is None:
        return _LATIN
    folder = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"
    for style, name in (("", "DejaVuSans.ttf"), ("B", "DejaVuSans-Bold.ttf")):
        pdf.add_font(_WIDE, style, folder / name)
    return _WIDE
