import hashlib
import pickle
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from ternary_sdk.errors import FormatError, InputError
from ternary_sdk.signature import Signature
from ternary_sdk.space import Space
from ternary_trainer import checkpoint
from ternary_trainer.architecture import NETWORKS, V55, Architecture
from ternary_trainer.model import initial

PUBLISHED = Path(__file__).parents[3] / "shared" / "data" / "v5_5_epoch104.pt"


def saved(path: Path, change: Callable[[dict[str, Any]], object] = lambda content: None) -> Path:
    content: dict[str, Any] = {"epoch": 4, "model": initial(1).state_dict()}
    change(content)
    torch.save(content, path)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(FormatError) as caught:
        checkpoint.load(path)
    return str(caught.value)


def test_what_is_saved_is_loaded_with_its_epoch_and_digest(tmp_path: Path) -> None:
    state = initial(7).state_dict()
    checkpoint.save(tmp_path / "a.pt", state=state, epoch=9, details={"note": "kept"})
    loaded = checkpoint.load(tmp_path / "a.pt")
    assert (loaded.epoch, loaded.details) == (9, {"note": "kept"})
    assert loaded.source == hashlib.sha256((tmp_path / "a.pt").read_bytes()).hexdigest()
    assert all(torch.equal(loaded.state[name], state[name]) for name in state)


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published checkpoint is not beside the repository")
def test_an_existing_v5_5_checkpoint_is_taken_as_it_is() -> None:
    loaded = checkpoint.load(PUBLISHED)
    assert loaded.epoch == 104
    assert loaded.source.startswith("52d722ac")
    assert loaded.source.endswith("615d")
    assert loaded.details["rho"] == pytest.approx(0.26)


def test_a_checkpoint_with_all_its_other_keys_is_taken(tmp_path: Path) -> None:
    def published_keys(content: dict[str, Any]) -> None:
        content |= {"optimizer": {"state": {}, "param_groups": []}, "best_val_loss": 0.36, "lambda1": 0.95}
        content |= {"coverage_A_history": [52, 13880], "grad_balance_achieved": True, "phase": 2}

    assert checkpoint.load(saved(tmp_path / "a.pt", published_keys)).details["phase"] == 2


def test_a_missing_tensor_is_named(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.pt", lambda content: content["model"].pop("encoder_B.fc_mu.bias"))
    assert refusal(path) == f"{path}: tensor 'encoder_B.fc_mu.bias' is missing, expected shape (16,)"


def test_a_tensor_of_another_shape_is_named_with_both_shapes(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.pt", lambda c: c["model"].update({"decoder_A.decoder.4.bias": torch.zeros(9)}))
    assert refusal(path) == f"{path}: tensor 'decoder_A.decoder.4.bias' has shape (9,), expected (27,)"


def test_a_tensor_of_another_type_is_named(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.pt", lambda c: c["model"].update({"grad_norm_A_ema": torch.tensor(1)}))
    expected = "tensor 'grad_norm_A_ema' is torch.int64 (torch.strided), expected dense torch.float32"
    assert refusal(path) == f"{path}: {expected}"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_tensor_that_is_not_finite_is_named(tmp_path: Path, value: float) -> None:
    path = saved(tmp_path / "a.pt", lambda c: c["model"]["decoder_B.fc_out.weight"][3].fill_(value))
    assert refusal(path) == f"{path}: tensor 'decoder_B.fc_out.weight' has values that are not finite"


def test_a_tensor_of_some_other_model_is_named(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.pt", lambda c: c["model"].update({"decoder_C.bias": torch.zeros(1)}))
    assert refusal(path) == f"{path}: tensor 'decoder_C.bias' has no place in the model of the others"


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.pt", lambda content: content.pop("model"))
    assert refusal(path) == f"{path}: lacks key 'model'"


def test_a_model_that_is_no_state_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.pt", lambda content: content.update(model=[1]))
    assert refusal(path) == f"{path}: key 'model' is list, expected a dictionary of tensors"


@pytest.mark.parametrize("epoch", [-1, True, "4", 4.0])
def test_an_epoch_that_is_no_count_is_refused(tmp_path: Path, epoch: object) -> None:
    path = saved(tmp_path / "a.pt", lambda content: content.update(epoch=epoch))
    assert refusal(path) == f"{path}: epoch is {epoch!r}, expected a whole number from 0"


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "empty"),
        (b"hello there", "begins with 68656c6c, expected a ZIP archive as torch.save writes it"),
        (pickle.dumps([1, 2]), "begins with 80049509, expected a ZIP archive as torch.save writes it"),
        (b"PK\x03\x04", "cut short or damaged (4 bytes)"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_what_was_found(
    tmp_path: Path, data: bytes, found: str
) -> None:
    path = tmp_path / "a.pt"
    path.write_bytes(data)
    assert refusal(path) == f"{path}: not a file of tensors written by torch.save ({found})"


def test_a_damaged_file_is_refused_wherever_it_is_cut(tmp_path: Path) -> None:
    whole = saved(tmp_path / "a.pt").read_bytes()
    path = tmp_path / "b.pt"
    for part in (0.1, 0.5, 0.9, 0.999):
        path.write_bytes(whole[: (size := int(part * len(whole)))])
        found = f"cut short or damaged ({size:,} bytes)"
        assert refusal(path) == f"{path}: not a file of tensors written by torch.save ({found})"


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file or directory, expected a checkpoint file"):
        checkpoint.load(tmp_path / "none.pt")


class Malicious:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.write_text, (self.target, "the pickle ran")


@pytest.mark.parametrize("key", ["model", "optimizer"])
def test_no_code_in_a_checkpoint_ever_runs(tmp_path: Path, key: str) -> None:
    target = tmp_path / "evidence"
    path = saved(tmp_path / "a.pt", lambda content: content.update({key: Malicious(target)}))
    names = "builtins.getattr, pathlib.Path, pathlib.PosixPath"
    found = f"refers to code ({names}), which no checkpoint needs; nothing was run"
    assert refusal(path) == f"{path}: not a file of tensors written by torch.save ({found})"
    assert not target.exists()


def test_a_full_disk_leaves_the_last_good_snapshot_intact(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    checkpoint.save(path, state=initial(1).state_dict(), epoch=1)
    before, (soft, hard) = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(InputError) as caught:
            checkpoint.save(path, state=initial(2).state_dict(), epoch=2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert str(caught.value) == f"{path}: cannot be written (File too large)"
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.pt"]


def test_a_state_that_is_not_finite_is_never_written(tmp_path: Path) -> None:
    state = initial(1).state_dict()
    state["grad_norm_B_ema"] = torch.tensor(float("nan"))
    with pytest.raises(FormatError, match="grad_norm_B_ema"):
        checkpoint.save(tmp_path / "a.pt", state=state, epoch=0)
    assert not list(tmp_path.iterdir())


BOOLEAN = Architecture.of(Signature(Space(2, 3), 8, ("A", "B")), NETWORKS)


def boolean(path: Path, change: Callable[[dict[str, Any]], object] = lambda content: None) -> Path:
    return saved(
        path, lambda content: change(content.update(model=initial(1, BOOLEAN).state_dict()) or content)
    )


def test_a_checkpoint_of_another_space_is_read_with_its_architecture(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "a.pt", state=initial(1, BOOLEAN).state_dict(), epoch=0)
    assert checkpoint.load(tmp_path / "a.pt").architecture == BOOLEAN
    checkpoint.save(tmp_path / "b.pt", state=initial(1).state_dict(), epoch=0)
    assert checkpoint.load(tmp_path / "b.pt").architecture == V55


def test_a_model_with_one_path_is_read(tmp_path: Path) -> None:
    alone = Architecture.of(Signature(Space(5, 1), 8, ("A",)), {"A": NETWORKS["A"]})
    checkpoint.save(tmp_path / "a.pt", state=initial(1, alone).state_dict(), epoch=0)
    assert checkpoint.load(tmp_path / "a.pt").architecture == alone


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"encoder_A.encoder.2.weight": None},
            "tensor 'encoder_A.encoder.2.weight' is missing, expected shape (128, 256)",
        ),
        (
            {"decoder_B.residual2.block.0.weight": torch.zeros(128, 7)},
            "tensor 'decoder_B.residual2.block.0.weight' has shape (128, 7), expected (128, 128)",
        ),
        (
            {name: None for path in "AB" for name in (f"encoder_{path}.encoder.0.weight",)},
            "tensor 'encoder_A.encoder.0.weight' is missing or no matrix",
        ),
        (
            {f"encoder_{path}.encoder.0.weight": torch.zeros(256, 7) for path in "AB"},
            "tensor 'encoder_A.encoder.0.weight' takes 7 values and 'decoder_A.decoder.4.weight' gives 16 "
            "logits, expected r^k values and r·r^k logits, for a radix r and k inputs",
        ),
        (
            {"encoder_A.encoder.98.weight": torch.zeros(1, 1)},
            "tensor 'encoder_A.encoder.6.weight' is missing or no matrix",
        ),
        (
            {"state_net.x": torch.zeros(1)},
            "tensor 'state_net.x' has no place in the model of the others",
        ),
        (
            {"encoder_A.encoder.100000000.weight": torch.zeros(1, 1)},
            "tensor 'encoder_A.encoder.100000000.weight' has no place in the model of the others",
        ),
    ],
)
def test_a_state_that_shows_no_model_is_refused_by_the_name_of_a_tensor(
    tmp_path: Path, changes: dict[str, torch.Tensor | None], problem: str
) -> None:
    def change(content: dict[str, Any]) -> None:
        content["model"].update(changes)
        content["model"] = {name: tensor for name, tensor in content["model"].items() if tensor is not None}

    path = boolean(tmp_path / "a.pt", change)
    assert refusal(path) == f"{path}: {problem}"


def test_latents_of_a_size_that_there_is_not_are_refused(tmp_path: Path) -> None:
    path, odd = tmp_path / "a.pt", torch.zeros
    state = initial(1, BOOLEAN).state_dict()
    for head in ("fc_mu", "fc_logvar"):
        for letter in "AB":
            state |= {f"encoder_{letter}.{head}.weight": odd(9, 64), f"encoder_{letter}.{head}.bias": odd(9)}
    torch.save({"model": state, "epoch": 0}, path)
    assert refusal(path) == f"{path}: latent size: 9, expected a multiple of 8 from 8 to 64"


def test_a_file_without_a_path_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.pt", lambda content: content.update(model={"x": torch.zeros(1)}))
    assert refusal(path) == f"{path}: has no tensor of a path, expected 'encoder_A.fc_mu.weight' and others"
