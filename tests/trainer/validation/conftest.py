"""A model that is right by construction, and what a sound training of it would have left behind."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from ternary_sdk.operations import OPERATIONS
from ternary_trainer import split
from ternary_trainer.report import PathReport
from ternary_trainer.validation.studies import Study, Trial
from ternary_trainer.validation.subject import Subject
from ternary_trainer.validation.traces import Traces

CUT = 0.4307273
"""A third of a normal distribution lies below -CUT, a third above CUT."""


class Ideal:
    """Nine dimensions hold a trit each, cut at the normal terciles; seven more repeat some of them."""

    def __init__(self, gain=1.1, cut=CUT):
        self.gain, self.cut = gain, cut

    def encode(self, inputs):
        return np.concatenate([self.gain * inputs, 0.8 * inputs[:, :7]], axis=1).astype(np.float32)

    def logits(self, latents):
        value = 4 * latents[:, :9].astype(np.float32)
        cut = 4 * self.cut
        return np.stack([-value - cut, np.zeros_like(value), value - cut], axis=-1)


GOOD_REPORT = PathReport(
    coverage=0.91,
    entropy=9.87,
    kl_single=0.0,
    kl_pairs=0.0,
    kl_higher=0.01,
    sampling_coverage=0.999,
    holdout_exact=1.0,
    all_exact=1.0,
    margin=1.0,
    active=16,
    least_variance=0.3,
)


def trial(seed=1, factor=1.0, **changes):
    report = dataclasses.replace(GOOD_REPORT, **changes)
    return Trial(seed=seed, factor=factor, paths={"A": report, "B": report})


def good_traces(**changes):
    epoch = np.arange(100)
    rising = 0.91 * (1 - np.exp(-(epoch + 1) / 15))
    entropies = {
        path: 1.5 + 1.5 / (1 + np.exp(-(epoch - centre) / 2.0)) for path, centre in (("A", 10), ("B", 40))
    }
    beta = np.minimum(0.006 * epoch, 0.3)
    values = {
        "coverage": {"A": rising, "B": rising},
        "entropy": entropies,
        "beta": {"A": beta, "B": beta},
        "declared": frozenset(),
        "coupled": True,
    }
    return Traces(**(values | changes))


def subject(network=None, **changes):
    values = {
        "name": "ideal",
        "kind": "run",
        "digest": "ab" * 32,
        "paths": {"A": network or Ideal()},
        "margins": {"A": np.ones(OPERATIONS, np.float32)},
        "split": split.sets(),
        "traces": good_traces(),
        "seeds": Study(trials=tuple(trial(seed, coverage=0.91 + seed / 1000) for seed in (1, 2, 3))),
        "betas": Study(trials=tuple(trial(factor=factor) for factor in (0.5, 1.0, 2.0))),
    }
    values |= changes
    return Subject(**values | {"margins": dict.fromkeys(values["paths"], values["margins"]["A"])})


@pytest.fixture(scope="session")
def sound():
    """Makes sound things to spoil: a network, traces, a trial, a subject of them."""
    return SimpleNamespace(network=Ideal, traces=good_traces, trial=trial, subject=subject)
