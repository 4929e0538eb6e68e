"""A model that is right by construction, and what a sound training of it would have left behind."""

import dataclasses
from statistics import NormalDist
from types import SimpleNamespace

import numpy as np
import pytest

from ternary_sdk.signature import Signature
from ternary_sdk.space import TERNARY_2, Space
from ternary_trainer import split
from ternary_trainer.report import PathReport
from ternary_trainer.validation.studies import Study, Trial
from ternary_trainer.validation.subject import Subject
from ternary_trainer.validation.traces import Traces
from ternary_trainer.validation.vast_subject import Effort, VastSubject
from ternary_trainer.vast_report import VastPathReport
from ternary_trainer.vast_split import VastSplit

VAST = Space(8, 1)

CUT = 0.4307273
"""A third of a normal distribution lies below -CUT, a third above CUT."""


class Ideal:
    """Nine dimensions hold a trit each, cut at the normal terciles; seven more repeat some of them."""

    space, size = TERNARY_2, 16

    def __init__(self, gain=1.1, cut=CUT):
        self.means_of_values, self.cuts = (-gain, 0.0, gain), (-cut, cut)

    def encode(self, inputs):
        mean = np.interp(inputs, self.space.values, self.means_of_values)
        return np.concatenate([mean, 0.8 * mean[:, : self.size - mean.shape[1]]], axis=1).astype(np.float32)

    def index(self, latents):
        digits = (latents[:, : self.space.cells, None] > np.array(self.cuts, np.float32)).sum(axis=2)
        return digits @ self.space.places


class IdealOf(Ideal):
    """The same for any space: a dimension for each cell, cut so that every value is drawn as often."""

    def __init__(self, signature):
        normal, radix = NormalDist(), signature.space.radix
        self.space, self.size = signature.space, signature.latent_size
        self.means_of_values = [normal.inv_cdf((digit + 0.5) / radix) for digit in range(radix)]
        self.cuts = [normal.inv_cdf(digit / radix) for digit in range(1, radix)]


class IdealOfVast(IdealOf):
    """The same with margins: how far a latent is from the nearest cut."""

    def decode(self, latents):
        gaps = np.abs(latents[:, : self.space.cells, None] - np.array(self.cuts, np.float32))
        return self.index(latents), gaps.min(axis=(1, 2))


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


def trial(seed=1, factor=1.0, paths=("A", "B"), **changes):
    report = dataclasses.replace(GOOD_REPORT, **changes)
    return Trial(seed=seed, factor=factor, paths=dict.fromkeys(paths, report))


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
        "unevened": frozenset(),
        "coupled": True,
    }
    return Traces(**(values | changes))


def subject(network=None, **changes):
    values = {
        "name": "ideal",
        "kind": "run",
        "digest": "ab" * 32,
        "paths": {"A": network or Ideal()},
        "margins": {"A": np.ones(TERNARY_2.size, np.float32)},
        "split": split.sets(),
        "traces": good_traces(),
        "seeds": Study(trials=tuple(trial(seed, coverage=0.91 + seed / 1000) for seed in (1, 2, 3))),
        "betas": Study(trials=tuple(trial(factor=factor) for factor in (0.5, 1.0, 2.0))),
    }
    values |= changes
    return Subject(**values | {"margins": dict.fromkeys(values["paths"], values["margins"]["A"])})


def of_space(space, paths=("A", "B"), latent_size=8, **changes):
    """A sound subject of any space."""
    signature = Signature(space, latent_size, tuple(paths))
    traces = good_traces(
        **{
            name: dict.fromkeys(paths, found["A"])
            for name, found in vars(good_traces()).items()
            if name in ("coverage", "entropy", "beta")
        }
    )
    values = {
        "signature": signature,
        "paths": dict.fromkeys(paths, IdealOf(signature)),
        "margins": {"A": np.ones(space.size, np.float32)},
        "split": split.sets(space),
        "traces": dataclasses.replace(traces, coupled=False),
        "seeds": Study(trials=tuple(trial(seed, paths=paths) for seed in (1, 2, 3))),
        "betas": Study(
            trials=tuple(
                trial(factor=factor, paths=paths, active=latent_size)
                for factor in (0.25, 0.5, 1.0, 2.0, 4.0, 16.0)
            )
        ),
    }
    return subject(**values | changes)


GOOD_VAST_REPORT = VastPathReport(
    draws=1000,
    near_ties=1,
    colliding_pairs=1,
    expected_pairs=1.0,
    kl_single=0.0,
    kl_pairs=0.001,
    kl_higher=0.002,
    operations=10_000,
    holdout_exact=1.0,
    families_exact={"balanced": 1.0},
    margin=1.0,
    active=8,
    least_variance=0.3,
    lost_cells=0,
)


def vast_trial(seed=1, factor=1.0, **changes):
    report = dataclasses.replace(GOOD_VAST_REPORT, **changes)
    return Trial(seed=seed, factor=factor, paths={"A": report})


def vast_traces():
    """Of path A alone, which grows even as a listed model's coverage grows."""
    traces = good_traces(quantity="evenness", entropy={}, coupled=False)
    coverage, beta = {"A": traces.coverage["A"]}, {"A": traces.beta["A"]}
    return dataclasses.replace(traces, coverage=coverage, beta=beta)


def of_vast(network=None, latent_size=8, **changes):
    """A sound subject of one input and eight values, 2^24 operations, with one path."""
    signature = Signature(VAST, latent_size, ("A",))
    values = {
        "name": "ideal",
        "kind": "run",
        "digest": "ab" * 32,
        "signature": signature,
        "paths": {"A": network or IdealOfVast(signature)},
        "split": VastSplit(VAST),
        "traces": vast_traces(),
        "seeds": Study(trials=tuple(vast_trial(seed) for seed in (1, 2, 3))),
        "betas": Study(trials=tuple(vast_trial(factor=factor) for factor in (0.5, 1.0, 2.0))),
        "effort": Effort(draws=60_000, operations=1000),
    }
    return VastSubject(**values | changes)


@pytest.fixture(scope="session")
def sound():
    """Makes sound things to spoil: a network, traces, a trial, a subject of them."""
    return SimpleNamespace(
        network=Ideal,
        traces=good_traces,
        trial=trial,
        subject=subject,
        of_space=of_space,
        vast_network=IdealOfVast,
        vast_trial=vast_trial,
        vast_traces=vast_traces,
        of_vast=of_vast,
    )
