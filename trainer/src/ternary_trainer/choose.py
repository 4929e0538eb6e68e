"""
Which epoch of a run to ship, and when a run is done: decisions over the history alone.

The published validation loss contains an annealed beta, so it is lowest early, when the model is worst; it
is kept as a named comparison. The default rule, `coverage`, means the same at every epoch. In a vast
space, where coverage cannot be counted, it goes by the evenness of cells, pairs and triples.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from ternary_sdk.coverage import headline_draws, percent, perfect_percent
from ternary_sdk.errors import InputError
from ternary_sdk.space import Space
from ternary_trainer.history import EpochRecord
from ternary_trainer.orders import uniform_entropy_shown
from ternary_trainer.settings import Recipe

Score = Callable[[EpochRecord, Recipe], float]


def _coverage(record: EpochRecord, recipe: Recipe) -> float:
    # An epoch that reconstructs too little ranks below all others, by how much it reconstructs.
    return record.headline if record.exact >= recipe.scoring.exact else record.exact - 1


def _elbo(record: EpochRecord, _: Recipe) -> float:
    return -record.elbo


def _loss(record: EpochRecord, _: Recipe) -> float:
    return -record.loss


RULES: Final[Mapping[str, Score]] = MappingProxyType({"coverage": _coverage, "elbo": _elbo, "loss": _loss})
"""Each rule's score, higher is better. `coverage`: of the weaker path, given reconstruction; in a vast space
evenness in its place. `elbo`: negative ELBO at beta 1; `loss`: the recipe's own validation loss."""


def score_by(rule: str) -> Score:
    """The score of a rule.

    Raises:
        InputError: If there is no such rule.
    """
    if rule not in RULES:
        raise InputError(f"rule is {rule!r}, expected one of {', '.join(RULES)}")
    return RULES[rule]


def best_epoch(history: Sequence[EpochRecord], recipe: Recipe, rule: str) -> int:
    """The epoch a rule chooses, the first of equals; history is not empty."""
    score = score_by(rule)
    return max(history, key=lambda record: (score(record, recipe), -record.epoch)).epoch


def is_done(history: Sequence[EpochRecord], recipe: Recipe) -> bool:
    """Whether the plateau's score has not improved by its least amount for its patience."""
    score, best, since = score_by(recipe.plateau.score), float("-inf"), 0
    for record in history:
        value = score(record, recipe)
        if value > best + recipe.plateau.least:
            best, since = value, 0
        else:
            since += 1
    return since >= recipe.plateau.patience


def reason(record: EpochRecord, recipe: Recipe, rule: str) -> str:
    """One sentence: which epoch a rule chose, and by which figures."""
    floor = uniform_entropy_shown(recipe.space)
    weakest = "weaker path" if len(record.paths) == 2 else "weakest path" if len(record.paths) > 2 else "path"
    quantity = "coverage" if recipe.space.listed else "evenness"
    exact = f"reconstruction of validation operations {percent(record.exact)} % or better"
    why = {
        "coverage": f"the highest {quantity} of the {weakest}, given {recipe.scoring.exact:.1%} exact",
        "elbo": f"the lowest negative ELBO at beta 1, {record.elbo:.3f} nats (floor {floor})",
        "loss": f"the lowest validation loss, {record.loss:.4f}, whose annealed beta favours early epochs",
    }[rule]
    return f"Epoch {record.epoch}, chosen for {why}; {_drawn(record, recipe.space)}; {exact}."


def _drawn(record: EpochRecord, space: Space) -> str:
    if not space.listed:
        shares = [f"{figures.evenness:.4f} on {path}" for path, figures in record.paths.items()]
        return f"evenness of cells, pairs and triples is {' and '.join(shares)} (perfect draws 1)"
    draws = headline_draws(space)
    shares = [f"{percent(figures.headline)} % on {path}" for path, figures in record.paths.items()]
    return (
        f"hash coverage at {draws:,} draws is {' and '.join(shares)} "
        f"(perfect draws, on average {perfect_percent(draws, space)} %)"
    )
