"""A plan whose trainings take a second, and a folder where it was conducted once."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.sharing import made_once

from ternary_trainer.ablation import plan as plans
from ternary_trainer.ablation.conducting import ablate
from ternary_trainer.ablation.plan import Plan

TEXT = """\
format = "ternary-ablation/1"
base = "boolean-3"
seeds = 3

[set]
epochs = 3
"separate.learn.epochs" = 1
"separate.learn.passes" = 4
"separate.paths.A.passes" = 2
"separate.paths.B.passes" = 2
"scoring.draws" = 4096
"scoring.report_draws" = 4096

[options.linear-a]
set = { "networks.A.decoder" = [] }

[options.low-beta]
set = { "separate.learn.beta" = 0.05 }
"""


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a plan and gives its file."""

    def write(text: str) -> Path:
        file = tmp_path / "plan.toml"
        file.write_text(text)
        return file

    return write


@pytest.fixture
def tiny_plan(written: Callable[[str], Path]) -> Plan:
    """Two options of three-input Boolean operations."""
    return plans.read(written(TEXT))


def _conduct(folder: Path) -> None:
    (folder / "plan.toml").write_text(TEXT)
    ablate(plans.read(folder / "plan.toml"), folder / "out", at_once=1)


@pytest.fixture
def conducted(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Path:
    """A copy of the folder that the plan was conducted in."""
    made = made_once("ablation", tmp_path_factory, _conduct)
    return Path(shutil.copytree(made / "out", tmp_path / "out"))
