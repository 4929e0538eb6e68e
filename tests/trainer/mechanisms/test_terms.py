"""Terms of the loss: what they are of simple networks whose value is known, and what they never show."""

import math

import pytest
import torch
from torch import Tensor, nn

from ternary_sdk.space import TERNARY_2
from ternary_trainer import split
from ternary_trainer.mechanism_settings import KlSchedule
from ternary_trainer.mechanisms import composition, consistency, kl_schedule, withheld

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


def shown(encoder: Table) -> Tensor:
    return torch.cat(encoder.read).long() + 1


def test_noise_costs_half_of_the_squared_distance_of_the_means() -> None:
    operations, encoder = split.training(), Table()
    mean, logvar = encoder(operations.tables)
    found = consistency.of_noise(encoder, operations, mean, logvar, stream())  # type: ignore[arg-type]
    apart = (encoder.read[1] - encoder.read[0]).square().sum(1).mean() / 2
    assert float(found) == pytest.approx(float(apart))
    assert 0.9 < found < 1.1  # one cell in the mean, by a step of 1 or 2


def test_an_encoder_that_reads_nothing_is_consistent_under_noise() -> None:
    operations = split.training(count=500)
    mean, logvar = Constant()(operations.tables)
    assert consistency.of_noise(Constant(), operations, mean, logvar, stream()) == 0  # type: ignore[arg-type]


def test_maps_that_are_affine_in_the_table_are_explained_and_others_are_not() -> None:
    operations, encoder = split.training(count=300), Table()
    mean, _ = encoder(operations.tables)
    found = [
        float(consistency.of_symmetry(encoder, operations, mean, RULE, stream(seed)))  # type: ignore[arg-type]
        for seed in range(40)
    ]
    assert min(found) < 0.01  # an exchange of cells, or a mirror
    assert max(found) == pytest.approx(0.75, abs=0.05)  # a cycle of the result has correlation -1/2
    assert not RULE(torch.cat(encoder.read[1:]).long() + 1).any()


def test_too_few_images_that_may_be_shown_cost_nothing() -> None:
    operations, encoder = split.training(count=197), Table()
    mean, _ = encoder(operations.tables)

    def everything(digits: Tensor) -> Tensor:
        return torch.ones(len(digits), dtype=torch.bool)

    assert consistency.of_symmetry(encoder, operations, mean, everything, stream()) == 0  # type: ignore[arg-type]
    assert len(encoder.read) == 1


def test_draws_that_come_back_cost_nothing_and_withheld_ones_are_never_shown() -> None:
    encoder = Table()
    latents = torch.randn(20_000, 9, generator=stream())
    operations = split.training(count=197)
    found = consistency.of_draws(encoder, Nearest(), operations, latents, RULE)  # type: ignore[arg-type]
    assert found < 1e-6
    read = shown(encoder)
    assert not RULE(read).any()
    places = torch.from_numpy(TERNARY_2.places.copy())
    assert len((read * places).sum(1).unique()) > 10_000  # far more than the 197 that training has


def test_draws_that_are_lost_cost_the_entropy_of_a_guess() -> None:
    latents = torch.randn(4_000, 9, generator=stream())
    operations = split.training()

    class Guess(nn.Module):
        def forward(self, latents: Tensor) -> Tensor:
            return torch.zeros(len(latents), 27)

    def nothing(digits: Tensor) -> Tensor:
        return torch.zeros(len(digits), dtype=torch.bool)

    found = consistency.of_draws(Constant(), Guess(), operations, latents, nothing)  # type: ignore[arg-type]
    assert float(found) == pytest.approx(9 * math.log(3), rel=1e-5)  # ties decode to the lower digit


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


@pytest.mark.parametrize(
    ("settings", "progress", "factor"),
    [
        (KlSchedule(kind="constant"), 0.0, 1.0),
        (KlSchedule(kind="cyclical"), 0.0, 0.0),
        (KlSchedule(kind="cyclical"), 1 / 16, 0.5),
        (KlSchedule(kind="cyclical"), 0.2, 1.0),
        (KlSchedule(kind="cyclical"), 0.25, 0.0),
        (KlSchedule(kind="cyclical", cycles=1), 0.25, 0.5),
    ],
)
def test_the_weight_of_the_kl_follows_its_schedule(
    settings: KlSchedule, progress: float, factor: float
) -> None:
    assert kl_schedule.factor(settings, progress) == pytest.approx(factor)
