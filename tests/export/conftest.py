from pathlib import Path

import pytest
import torch

from ternary_trainer import checkpoint
from ternary_trainer.model import initial


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint in the v5.5 format, as our own trainer writes it."""
    path = tmp_path_factory.mktemp("checkpoint") / "epoch3.pt"
    checkpoint.save(path, state=initial(5).state_dict(), epoch=3, details={"rho": 0.1})
    return path


@pytest.fixture
def content(written: Path) -> dict[str, object]:
    """What the written checkpoint holds, for a test to bend."""
    found: dict[str, object] = torch.load(written, weights_only=True)
    return found
