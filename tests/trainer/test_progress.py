import contextlib
import io
import os
import re
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from ternary_sdk.coverage import percent
from ternary_sdk.signature import STANDARD
from ternary_trainer import progress
from ternary_trainer.run import Run
from ternary_trainer.tensorboard import figures


def test_without_a_terminal_there_is_one_plain_line_an_epoch(finished: Run) -> None:
    stream = io.StringIO()
    with progress.watching(STANDARD, stream) as on_epoch:
        for record in finished.history:
            on_epoch(record)
    told = stream.getvalue().splitlines()
    lines = [line for line in told if line.startswith("epoch")]
    assert len(lines) == 4
    assert all(
        line.startswith("path ") for line in set(told) - set(lines)
    )  # what is lost, told as it changes
    assert "\x1b" not in stream.getvalue()
    assert re.fullmatch(
        r"epoch 2 \(3 of 4\) spread  surge 0\.5  A \d+\.\d\d % exact \d+\.\d\d % KL \d+\.\d active \d+"
        r"  B \d+\.\d\d % exact \d+\.\d\d % KL \d+\.\d active \d+"
        r"  perfect 92\.116 %  loss \d+\.\d{3}  \d+:\d\d left",
        lines[2],
    )
    assert lines[3].endswith("0:00 left")


def test_the_view_of_a_terminal_shows_both_paths_beside_perfect_draws(finished: Run) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100, color_system=None)
    record = finished.history[2]
    console.print(progress.view(record, 75.0, STANDARD))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    for expected in (
        "epoch 2 (3 of 4)",
        "surge 0.5 (recipe)",
        f"{percent(record.paths['A'].headline)} %",
        "perfect draws, on average 92.116 %",
        "1:15 left",
    ):
        assert expected in text
    assert any(line.startswith("path") for line in text.splitlines())  # the bar above ends its own line


def test_nothing_is_written_to_standard_output(finished: Run) -> None:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), progress.watching(STANDARD, io.StringIO()) as on_epoch:
        on_epoch(finished.history[0])
    assert out.getvalue() == ""


def test_a_stream_without_a_reader_and_a_full_one_end_no_training(finished: Run) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    for stream in (os.fdopen(writer, "w"), Path("/dev/full").open("w")):  # noqa: SIM115
        with progress.watching(STANDARD, stream) as on_epoch:
            for record in finished.history:
                on_epoch(record)
        with contextlib.suppress(OSError):
            stream.close()


def test_time_left_follows_the_recent_epochs(finished: Run) -> None:
    clock = progress.Remaining()
    seconds = [100.0, 2.0, 2.0, 2.0, 2.0, 2.0]
    left = [
        clock.after(replace(finished.history[0], epoch=epoch, epochs=16, seconds=value))
        for epoch, value in enumerate(seconds)
    ]
    assert left[0] == 1500.0
    assert left[-1] == 20.0


def test_tensorboard_gets_every_figure_of_a_record(finished: Run) -> None:
    record = finished.history[1]
    named = figures(record)
    assert named["coverage/A"] == record.paths["A"].coverage
    assert named["kl/B"] == record.paths["B"].kl
    assert len(named) == 4 + 2 * 15
