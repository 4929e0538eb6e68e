from dataclasses import replace

import pytest

from ternary_sdk.errors import InputError
from ternary_trainer import choose, recipe
from ternary_trainer.history import EpochRecord, PathRecord

PATH = PathRecord(
    reconstruction=0.1, kl=20.0, rate=1e-3, beta=0.1, noise=1.0, weight=1.0, coverage=0.9, entropy=9.8,
    kl_single=0.0, kl_pairs=0.0, kl_higher=0.01, exact=1.0, elbo=20.0, active=16,
)  # fmt: skip
RECIPE = recipe.load("coverage")


def record(epoch: int, *, a: float = 0.9, b: float = 0.9, exact: float = 1.0, **more: float) -> EpochRecord:
    elbo, loss = more.get("elbo", 20.0), more.get("loss", 1.0)
    return EpochRecord(
        epoch=epoch, epochs=36, phase="spread", seconds=1.0, limit=0.92116, loss=loss, surge=0.0,
        surge_origin="",
        paths={"A": replace(PATH, coverage=a, exact=exact, elbo=elbo),
               "B": replace(PATH, coverage=b, elbo=elbo)},
    )  # fmt: skip


def test_the_weaker_path_decides() -> None:
    history = [record(0, a=0.915, b=0.80), record(1, a=0.90, b=0.89), record(2, a=0.92, b=0.85)]
    assert choose.best_epoch(history, RECIPE, "coverage") == 1


def test_coverage_counts_only_with_exact_reconstruction() -> None:
    history = [record(0, a=0.80, b=0.80), record(1, exact=0.9995, a=0.919, b=0.919)]
    assert choose.best_epoch(history, RECIPE, "coverage") == 0


def test_without_any_exact_epoch_the_most_exact_is_chosen() -> None:
    history = [record(0, exact=0.5), record(1, exact=0.9), record(2, exact=0.6, a=0.919, b=0.919)]
    assert choose.best_epoch(history, RECIPE, "coverage") == 1


def test_the_trap_an_early_epoch_with_the_lowest_annealed_loss_is_not_what_is_shipped() -> None:
    early = record(4, a=0.68, b=0.47, loss=0.36, exact=0.09)
    late = record(104, a=0.868, b=0.864, loss=5.6)
    assert choose.best_epoch([early, late], RECIPE, "loss") == 4
    assert choose.best_epoch([early, late], RECIPE, "coverage") == 104


def test_of_equals_the_first_is_chosen() -> None:
    assert [choose.best_epoch([record(0), record(1)], RECIPE, rule) for rule in choose.RULES] == [0, 0, 0]


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(InputError, match="rule is 'luck', expected one of coverage, elbo, loss"):
        choose.score_by("luck")


def test_a_plateau_needs_its_whole_patience() -> None:
    patience = RECIPE.plateau.patience
    flat = [record(0, a=0.8, b=0.8)] + [record(i) for i in range(1, patience + 1)]
    assert not choose.is_done(flat, RECIPE)
    assert choose.is_done([*flat, record(patience + 1)], RECIPE)


def test_an_improvement_below_the_least_is_none() -> None:
    least, patience = RECIPE.plateau.least, RECIPE.plateau.patience
    creeping = [record(i, a=0.8 + i * least / 2 / patience, b=0.9) for i in range(patience + 1)]
    assert choose.is_done(creeping, RECIPE)
    rising = [record(i, a=0.8 + i * least * 1.01, b=0.9) for i in range(patience + 1)]
    assert not choose.is_done(rising, RECIPE)


def test_the_published_stop_watches_the_published_loss() -> None:
    published = recipe.load("v5.5", {"plateau.patience": "3"})
    losses = [1.0, 0.36, 0.5, 0.4, 0.37]
    history = [record(i, a=0.5 + i / 50, loss=loss) for i, loss in enumerate(losses)]
    assert not choose.is_done(history[:4], published)
    assert choose.is_done(history, published)


def test_the_reason_names_epoch_rule_and_figures() -> None:
    assert choose.reason(record(7, a=0.916, b=0.918), RECIPE, "coverage") == (
        "Epoch 7, chosen for the highest coverage of the weaker path, given 100.0% exact; hash coverage at"
        " 50,000 draws is 91.60 % on A and 91.80 % on B (perfect draws, on average 92.116 ± 0.170 %);"
        " reconstruction of validation operations 100.00 % or better."
    )
