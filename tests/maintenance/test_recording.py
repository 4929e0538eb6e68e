"""The recording of README is what its commands print now. Only their pauses are of the day it was made."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest
from maintenance.recording import COMMANDS, FILE, Typed, record, seconds, svg

ONE = Typed(command="ternary list --count", printed="36\na <b> & c\n", seconds=0.4)


@pytest.mark.slow
def test_the_recording_is_what_its_commands_print_now() -> None:
    kept = FILE.read_text("utf-8")
    pauses = seconds(kept)
    assert len(pauses) == len(COMMANDS)
    now = [replace(one, seconds=pause) for one, pause in zip(record(), pauses, strict=True)]
    assert kept == svg(now), "run 'python -m maintenance.recording'"


def texts(drawn: str) -> list[str]:
    return [
        mark.text or "" for mark in ElementTree.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")
    ]


def test_a_recording_has_every_word_and_every_line_once() -> None:
    assert texts(svg([ONE])) == ["$", "ternary", "list", "--count", "36", "a <b> & c"]
    assert seconds(svg([ONE, replace(ONE, seconds=1.5)])) == [0.4, 1.5]


def test_a_long_line_is_broken_where_a_terminal_breaks_it() -> None:
    assert texts(svg([replace(ONE, printed="x" * 119)]))[-2:] == ["x" * 118, "x"]


def test_an_output_comes_after_its_command_and_the_next_command_after_it() -> None:
    shown = [float(part.partition("s")[0]) for part in svg([ONE, ONE]).split("animation-delay:")[1:]]
    assert shown == sorted(shown)
    assert shown[4] - shown[3] == pytest.approx(0.4, abs=0.02)  # what the command took
