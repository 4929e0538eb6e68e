"""Terms of the loss: what they are of simple networks whose value is known, and what they never show."""

import torch
from torch import Tensor, nn

from ternary_sdk.space import TERNARY_2
from ternary_trainer import split
from ternary_trainer.mechanisms import composition, withheld

RULE = withheld.of(TERNARY_2, None, 197, torch.device("cpu"))


class Table(nn.Module):
    """An encoder whose mean is the table, and which keeps what it has read."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[Tensor] = []

    def forward(self, tables: Tensor) -> tuple[Tensor, Tensor]:
        self.read.append(tables)
        return tables, torch.zeros_like(tables)


class Nearest(nn.Module):
    """A decoder to the nearest value of each latent."""

    def forward(self, latents: Tensor) -> Tensor:
        return (-20 * (latents[:, :, None] - torch.tensor([-1.0, 0.0, 1.0])).square()).flatten(1)


class Constant(nn.Module):
    """An encoder that reads nothing."""

    def forward(self, tables: Tensor) -> tuple[Tensor, Tensor]:
        return torch.zeros(len(tables), 9), torch.zeros(len(tables), 9)


def stream(seed: int = 7) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_latents_that_are_tables_add_and_withheld_operations_are_neither_c_nor_the_result() -> None:
    operations, encoder = split.training(count=3_000), Table()
    mean, _ = encoder(operations.tables)
    targets: list[Tensor] = []

    class Watched(Nearest):
        def forward(self, latents: Tensor) -> Tensor:
            targets.append(latents)
            logits: Tensor = super().forward(latents)
            return logits

    rule = withheld.of(TERNARY_2, None, None, torch.device("cpu"))
    found = composition.of_sums(encoder, Watched(), operations, mean, rule, stream())  # type: ignore[arg-type]
    assert found < 1e-6
    third, result = encoder.read[1].long() + 1, targets[0].long() + 1
    assert len(third) > 1_500
    assert ((result >= 0) & (result <= 2)).all()
    assert not (rule(third) | rule(result)).any()


def test_latents_that_do_not_add_cost_something() -> None:
    operations = split.training(count=1_000)
    mean, _ = Constant()(operations.tables)
    found = composition.of_sums(Constant(), Nearest(), operations, mean, RULE, stream())  # type: ignore[arg-type]
    assert found > 10
