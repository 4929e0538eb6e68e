"""Every command that runs a loss hook names the file and its SHA-256 before it does."""

import hashlib

import pytest
from tests.trainer.ablation.conftest import TEXT
from tests.trainer.test_loss_hook import TINY

FAILING = "raise ValueError('was run')\n"
ONCE = """\
if 'seed-2' in __file__:
    raise ValueError('was run')


def loss(batch):
    return batch.mean.square().sum(1).mean()
"""


@pytest.fixture
def hooked(tmp_path, monkeypatch):
    """Writes a recipe with a hook of some code, and gives the SHA-256 of the file."""
    monkeypatch.chdir(tmp_path)

    def write(code):
        (tmp_path / "my_loss.py").write_text(code)
        (tmp_path / "mine.toml").write_text('base = "boolean-3"\n[hook]\nfile = "my_loss.py"\n')
        return hashlib.sha256(code.encode()).hexdigest()

    return write


def test_ablate_names_a_hook_before_it_runs_it(ternary, hooked, tmp_path):
    sha256 = hooked(FAILING)
    (tmp_path / "plan.toml").write_text(TEXT.replace('base = "boolean-3"', 'base = "mine.toml"'))
    done = ternary("ablate", "plan.toml", "--out", "out", "--jobs", 1, "--device", "cpu")
    assert (done.status, done.text) == (1, "")
    first, *_, last = done.err.splitlines()
    assert first == f"my_loss.py: a term of the loss, run as code (sha256 {sha256})"
    assert last.endswith("my_loss.py: fails as it is run (ValueError: was run)")


def test_studies_name_a_hook_before_they_run_it(ternary, hooked, tmp_path):
    sha256 = hooked(ONCE)
    settings = [word for key, value in TINY.items() for word in ("--set", f"{key}={value}")]
    assert ternary("train", "--recipe", "mine.toml", "--out", "run", *settings).status == 0
    words = "--studies", "more", "--checks", "seed-variance", "--device", "cpu"
    done = ternary("validate", "run", *words)
    assert (done.status, done.text) == (1, "")
    named = f"run/my_loss.py: a term of the loss, run as code (sha256 {sha256})"
    lines = done.err.splitlines()
    assert named in lines
    assert lines.index(named) < next(number for number, line in enumerate(lines) if "seed-2" in line)
    assert lines[-1].endswith("my_loss.py: fails as it is run (ValueError: was run)")
