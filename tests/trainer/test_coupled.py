import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ternary_trainer import published, recipe, run, seeds, split
from ternary_trainer.coupled import (
    Balance,
    CoupledTraining,
    adapted,
    histogram_entropy,
    mean_entropy,
    repulsion,
)
from ternary_trainer.model import initial
from ternary_trainer.settings import Recipe
from ternary_trainer.train import train

V55 = recipe.load("v5.5")


@pytest.fixture(scope="module")
def short() -> Recipe:
    """The published recipe on larger batches and for two epochs."""
    sizes = {"epochs": "2", "batch": "1024"}
    sizes |= {f"scoring.{what}": "50_000" for what in ("draws", "report_draws", "sampling_draws")}
    return recipe.load("v5.5", sizes)


def test_schedules_take_their_published_values() -> None:
    assert [published.rate(epoch) for epoch in (0, 49, 50, 120, 399)] == [1e-3, 1e-3, 5e-4, 3e-4, 5e-6]
    assert [published.beta_a(epoch) for epoch in (0, 25, 50, 400)] == pytest.approx([0, 0.15, 0.3, 0.8])
    assert published.beta_b(49, 50) == 0
    assert published.beta_b(50, 50) == pytest.approx(0.212, abs=1e-3)
    assert published.temperature_a(0) == pytest.approx(1.1)
    assert published.temperature_a(15) == pytest.approx((1 - 0.7 * 15 / 400) * 0.9)
    assert published.temperature_a(399) >= 0.1
    assert [published.temperature_b(epoch) for epoch in (0, 30, 300)] == pytest.approx([0.9, 0.9, 0.3])
    assert [published.phase(epoch) for epoch in (0, 40, 120, 250)] == [
        "isolation",
        "consolidation",
        "coupling",
        "exploration",
    ]
    assert published.rho(104, 0.0, True) == pytest.approx(0.26)
    assert [published.rho(160, 0.31, balanced) for balanced in (True, False)] == pytest.approx([0.5, 0.31])


def test_l3_is_that_of_the_published_snapshot() -> None:
    # Its StateNet added 0.01 of its last correction, 0.0757636.
    assert published.l3(104) + 0.01 * 0.07576362788677216 == pytest.approx(0.26957088264689066, abs=1e-7)


def test_the_largest_step_of_beta_a_is_the_published_one() -> None:
    steps = [published.beta_a(epoch + 1) - published.beta_a(epoch) for epoch in range(400)]
    assert max(steps) == pytest.approx(0.006)


@pytest.mark.parametrize(
    ("ratio", "l1", "l2"), [(0.7, 0.72, 0.68), (1.3, 0.68, 0.72), (1.0, 0.7, 0.7), (0.8, 0.7, 0.7)]
)
def test_weights_follow_the_gradient_ratio(ratio: float, l1: float, l2: float) -> None:
    now = adapted(Balance(), 10, ratio, None)
    assert (now.l1, now.l2) == pytest.approx((l1, l2))


def test_weights_stay_within_bounds() -> None:
    now = Balance()
    for _ in range(40):
        now = adapted(now, 10, 0.1, None)
    assert (now.l1, now.l2) == (0.95, 0.5)


def test_the_loss_is_the_published_sum_and_b_never_moves_a() -> None:
    model = initial(1)
    assert V55.coupled is not None
    training = CoupledTraining(model, V55, V55.coupled, seed=1)
    training._dials = training._schedule(60, None)
    random = seeds.generator(1, "test")
    loss, a, b = training._loss(split.validation(), random)
    beta_a, beta_b = published.beta_a(60), published.beta_b(60, 50)
    of_a = a.ce + beta_a * a.paid
    of_b = b.ce + beta_b * b.paid - 0.05 * mean_entropy(b.logits) + 0.01 * repulsion(b.latents)
    torch.testing.assert_close(loss, 0.7 * of_a + 0.7 * of_b)
    of_b.backward()
    assert all(
        not parameter.grad.any() for parameter in model.parameters_of("A") if parameter.grad is not None
    )


def test_state_net_corrects_once_an_epoch_and_never_learns(short: Recipe, tmp_path: Path) -> None:
    trained = train(short, seed=1, out=tmp_path / "with")
    assert trained.history[0].paths["A"].rate != 1e-3
    assert trained.history[0].paths["A"].rate == pytest.approx(1e-3, rel=0.05)
    before = initial(seeds.derive(1, "initial weights")).state_dict()
    after = trained.best().state
    assert all(torch.equal(before[name], after[name]) for name in before if name.startswith("state_net"))
    assert short.coupled is not None
    without = replace(short, epochs=1, coupled=replace(short.coupled, state_net=False))
    assert train(without, seed=1, out=tmp_path / "without").history[0].paths["A"].rate == 1e-3


def test_a_coupled_run_resumes_to_the_same_weights(short: Recipe, tmp_path: Path) -> None:
    whole = train(short, seed=2, out=tmp_path / "whole")
    part = train(short, seed=2, out=tmp_path / "part", on_epoch=lambda _: signal.raise_signal(signal.SIGINT))
    assert len(part.history) == 1
    resumed = train(short, seed=2, out=part.path, resume=True)
    one, other = (
        torch.load(path / run.STATE, weights_only=True)["model"] for path in (whole.path, resumed.path)
    )
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


def test_a_class_that_died_out_has_a_finite_gradient() -> None:
    logits = torch.zeros(2, 27)
    logits[:, 0] = -1e4
    logits.requires_grad_()
    mean_entropy(logits).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_repulsion_is_the_mean_over_pairs() -> None:
    latents = torch.zeros(3, 16)
    latents[2, 0] = 0.5
    assert float(repulsion(latents)) == pytest.approx((1 + 2 * torch.tensor(-1.0).exp().item()) / 3)


def test_histogram_entropy_leaves_out_what_is_outside() -> None:
    inside = torch.full((10, 16), 0.05)
    inside[:5] = 1.0
    far = torch.full((30, 16), 9.0)
    assert histogram_entropy(inside) == pytest.approx(0.6931, abs=1e-4)
    assert histogram_entropy(torch.cat([inside, far])) == pytest.approx(0.6931, abs=1e-4)
