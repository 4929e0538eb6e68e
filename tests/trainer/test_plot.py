import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from ternary_sdk.errors import InputError
from ternary_trainer import plot
from ternary_trainer.run import Run

needs_matplotlib = pytest.mark.skipif(
    find_spec("matplotlib") is None, reason="the extra `plot` is not installed"
)


@needs_matplotlib
def test_a_run_is_drawn_as_png_and_svg(finished: Run, tmp_path: Path) -> None:
    for suffix, start in ((".png", b"\x89PNG"), (".svg", b"<?xml")):
        path = tmp_path / f"run{suffix}"
        plot.draw(finished, path)
        assert path.read_bytes().startswith(start)
    drawn = (tmp_path / "run.svg").read_text()
    for expected in (
        "perfect draws 92.116 %",
        "hash coverage at 50,000, %",
        "learn",
        "floor 9.887",
        "the recipe's own loss",
        "coverage, seed 3: 4 epochs",
    ):
        assert f"<!-- {expected}" in drawn or f"<!--  {expected}" in drawn


def test_another_suffix_is_refused(finished: Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"suffix is '\.gif', expected \.png or \.svg"):
        plot.draw(finished, tmp_path / "run.gif")


@needs_matplotlib
def test_a_folder_that_is_not_there_is_refused(finished: Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        plot.draw(finished, tmp_path / "none" / "run.png")


def test_without_matplotlib_the_refusal_says_what_to_install(
    finished: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "meta_path", [])
    with pytest.raises(
        InputError, match=r"run: pip install 'wheels/ternary_trainer-0.1.0-py3-none-any.whl\[plot\]' "
    ):
        plot.draw(finished, tmp_path / "run.png")
