"""
The terminal recording of README: what real commands print, as one animated file of SVG.

    python -m maintenance.recording

types ``COMMANDS`` in an empty folder with the evaluation package and writes ``docs/pictures/recording.svg``.
It needs bash and no network. A test types them again and draws the same file. The pause before an output is
the processor time of its command, which other programs on the machine hardly change. The animation plays
once. Where motion is switched off or not supported, the last picture stands there from the beginning.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

FILE: Final = Path(__file__).parents[1] / "docs" / "pictures" / "recording.svg"
COMMANDS: Final = (
    'ternary list --where "commutative & balanced" --count',
    'ternary sample --where "commutative & balanced" -n 36 --unique --seed 7 --out gates.csv',
    "ternary library gates.csv --format verilog --out gates",
    "ternary verify --recount 5e4 --seed 8 2> messages.txt",
)
"""No margin of a draw with seed 8 is within 2e-5 of 0.001, so other processors count the same near ties."""

_COLUMNS: Final = 118
_LETTER: Final = 7.8
"""Width of a letter. ``textLength`` keeps it in whatever font the reader has."""
_LINE: Final = 20
_EDGE: Final = 16
_LETTERS_A_SECOND: Final = 30
_READING: Final = 1.2
"""Seconds from an output to the next command."""
_STYLE: Final = (
    "text{fill:#1f2328;white-space:pre}.page{fill:#f6f8fa;stroke:#d1d9e0}.typed{fill:#0550ae}.prompt{fill:#59636e}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.page{fill:#151b23;stroke:#3d444d}"
    ".typed{fill:#79c0ff}.prompt{fill:#9198a1}}"
    "@keyframes show{from{opacity:0}}text{animation:show 1ms backwards}"
    "@media(prefers-reduced-motion:reduce){text{animation:none}}"
)
_SECONDS: Final = re.compile(r'data-seconds="([0-9.]+)"')


@dataclass(frozen=True, kw_only=True)
class Typed:
    """A command, what it prints, and how long it takes."""

    command: str
    printed: str
    seconds: float


def record() -> list[Typed]:
    """Type the commands in an empty folder, as a user who has used nothing before.

    Raises:
        subprocess.CalledProcessError: If a command fails.
    """
    with TemporaryDirectory() as empty:
        return [_typed(command, Path(empty)) for command in COMMANDS]


def _typed(command: str, folder: Path) -> Typed:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    home = {"HOME": str(folder / "home"), "XDG_DATA_HOME": str(folder / "home" / "data")}
    before = os.times()
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={"PATH": path, "LANG": "C.UTF-8", **home},
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    after = os.times()
    spent = after.children_user - before.children_user + after.children_system - before.children_system
    return Typed(command=command, printed=done.stdout, seconds=round(spent, 1))


def seconds(drawn: str) -> list[float]:
    """The pauses of a recording that was drawn before, one for each command."""
    return [float(pause) for pause in _SECONDS.findall(drawn)]


def svg(typed: Sequence[Typed]) -> str:
    """Draw a recording: each word of a command when it is typed, then the output."""
    marks, height = [], _EDGE
    start = 0.5
    for one in typed:
        words = list(_words(one.command, height + _LINE, start))
        start += len(one.command) / _LETTERS_A_SECOND + one.seconds
        lines = [part for line in one.printed.splitlines() for part in _wrapped(line)]
        marks += [f'<g data-seconds="{one.seconds}">', *words]
        marks += [_text(0, height + _LINE * (row + 2), line, start) for row, line in enumerate(lines)]
        marks.append("</g>")
        height += _LINE * (len(lines) + 1) + _LINE // 2
        start += _READING
    return _document("\n".join(marks), round(_COLUMNS * _LETTER) + 2 * _EDGE, height + _EDGE)


def _words(command: str, base: int, start: float) -> Iterator[str]:
    yield _text(0, base, "$", start, "prompt")
    for word in re.finditer(r"\S+", command):
        shown = start + word.end() / _LETTERS_A_SECOND
        yield _text(word.start() + 2, base, word[0], shown, "typed")


def _wrapped(line: str) -> Iterator[str]:
    """As a terminal breaks it."""
    yield from (line[at : at + _COLUMNS] for at in range(0, max(1, len(line)), _COLUMNS))


def _text(column: int, base: int, text: str, shown: float, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return (
        f'<text{named} x="{_EDGE + column * _LETTER:g}" y="{base}" textLength="{len(text) * _LETTER:g}" '
        f'lengthAdjust="spacingAndGlyphs" style="animation-delay:{shown:.2f}s">{escape(text)}</text>'
    )


def _document(marks: str, width: int, height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="13">'
        f"<title>{len(COMMANDS)} commands and what they print</title><style>{_STYLE}</style>\n"
        f'<rect class="page" x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="6"/>\n'
        f"{marks}\n</svg>\n"
    )


if __name__ == "__main__":
    FILE.write_text(svg(record()), "utf-8")
