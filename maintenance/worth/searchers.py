"""
Ways to look for a cheap operation, each a generator: it gives tables and is sent their costs.

All propose tables that meet the specification, know no more than the costs that they are sent, and go on for
ever; who drives them counts. Those that move through latents complete what was decoded with the given cells.
"""

import math
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from maintenance.worth.specifications import Digits, Specification

Floats = npt.NDArray[np.float64]
Costs = npt.NDArray[np.int64]
Search = Generator[Digits, Costs, None]

STEP: Final = 0.3
LEAST_STEP, MOST_STEP = 0.05, 1.0
POOL: Final = 300
BATCH: Final = 10
RIDGE: Final = 1.0
TIE: Final = 1e-3


@dataclass(frozen=True)
class Latents:
    """A model as a search sees it."""

    size: int
    encode: Callable[[Digits], Floats]
    """Digits, shape (n, cells), to posterior means, shape (n, size)."""
    decode: Callable[[Floats], Digits]
    """Latents, shape (n, size), to digits, shape (n, cells)."""


def at_random(wanted: Specification, random: np.random.Generator) -> Search:
    """Uniform operations."""
    while True:
        yield wanted.uniform(random, 1)


def by_cells(wanted: Specification, random: np.random.Generator) -> Search:
    """Local search on tables: change one free cell, keep what is not dearer, start again where it sticks."""
    free = wanted.free
    patience = 4 * len(free)
    while True:
        here = wanted.uniform(random, 1)
        cost, stuck = int((yield here)[0]), 0
        while stuck < patience:
            near = here.copy()
            cell = random.choice(free)
            near[0, cell] = (near[0, cell] + random.integers(1, wanted.space.radix)) % wanted.space.radix
            found = int((yield near)[0])
            stuck = 0 if found < cost else stuck + 1
            if found <= cost:
                here, cost = near, found


def by_latents(wanted: Specification, random: np.random.Generator, model: Latents) -> Search:
    """The same with steps in latent space from the encoded table; steps that change nothing grow.

    A step mixes the latent with noise so that the prior stays the prior: √(1 - s²)·z + s·ξ.
    """
    patience = 4 * len(wanted.free)
    while True:
        here = wanted.completed(model.decode(random.normal(size=(1, model.size))))
        cost, stuck, step = int((yield here)[0]), 0, STEP
        latent = model.encode(here)
        while stuck < patience:
            moved = math.sqrt(1 - step**2) * latent + step * random.normal(size=latent.shape)
            near = wanted.completed(model.decode(moved))
            if (near == here).all():
                step = min(MOST_STEP, step * 1.2)
                stuck += step == MOST_STEP
                continue
            step = max(LEAST_STEP, step * 0.95)
            found = int((yield near)[0])
            stuck = 0 if found < cost else stuck + 1
            if found <= cost:
                here, cost, latent = near, found, model.encode(near)


def by_cma_es(wanted: Specification, random: np.random.Generator, model: Latents) -> Search:
    """CMA-ES on latents with its published default settings (Hansen, arXiv:1604.00772), restarted.

    Costs are whole numbers, so ties go to the latent nearer to the prior's middle.
    """
    n = model.size
    children = 4 + int(3 * math.log(n))
    parents = children // 2
    weights = math.log(parents + 0.5) - np.log(np.arange(1, parents + 1))
    weights /= weights.sum()
    mass = 1 / float(np.square(weights).sum())
    c_sigma = (mass + 2) / (n + mass + 5)
    damping = 1 + 2 * max(0.0, math.sqrt((mass - 1) / (n + 1)) - 1) + c_sigma
    c_c = (4 + mass / n) / (n + 4 + 2 * mass / n)
    c_1 = 2 / ((n + 1.3) ** 2 + mass)
    c_mu = min(1 - c_1, 2 * (mass - 2 + 1 / mass) / ((n + 2) ** 2 + mass))
    length = math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n**2))
    while True:
        mean, sigma, covariance = random.normal(size=n), 0.5, np.eye(n)
        path_sigma, path_c = np.zeros(n), np.zeros(n)
        best, since, generation = math.inf, 0, 0
        while since < 10 and sigma > 0.02:
            generation += 1
            values, axes = np.linalg.eigh(covariance)
            root = np.sqrt(np.maximum(values, 1e-12))
            steps = random.normal(size=(children, n)) * root @ axes.T
            points = mean + sigma * steps
            cost = yield wanted.completed(model.decode(points))
            order = np.argsort(cost + TIE * np.square(points).sum(1), kind="stable")[:parents]
            move = weights @ steps[order]
            mean = mean + sigma * move
            path_sigma = (1 - c_sigma) * path_sigma + math.sqrt(c_sigma * (2 - c_sigma) * mass) * (
                axes @ ((axes.T @ move) / root)
            )
            norm = float(np.linalg.norm(path_sigma))
            short = norm / math.sqrt(1 - (1 - c_sigma) ** (2 * generation)) < (1.4 + 2 / (n + 1)) * length
            path_c = (1 - c_c) * path_c + short * math.sqrt(c_c * (2 - c_c) * mass) * move
            covariance = (
                (1 - c_1 - c_mu + (not short) * c_1 * c_c * (2 - c_c)) * covariance
                + c_1 * np.outer(path_c, path_c)
                + c_mu * (steps[order].T * weights) @ steps[order]
            )
            sigma *= math.exp(min(1.0, c_sigma / damping * (norm / length - 1)))
            since = 0 if cost.min() < best else since + 1
            best = min(best, float(cost.min()))


def by_surrogate(
    wanted: Specification, random: np.random.Generator, features: Callable[[Digits], Floats]
) -> Search:
    """Ridge regression of the costs so far: of 300 uniform tables, the ten that look cheapest come next."""
    tables = wanted.uniform(random, 2 * BATCH)
    costs = yield tables
    while True:
        pool = np.unique(wanted.uniform(random, POOL), axis=0)
        old = {row.tobytes() for row in tables}
        fresh = pool[[row.tobytes() not in old for row in pool]]
        if len(fresh):
            seen, unseen = features(tables), features(fresh)
            centre, spread = seen.mean(0), seen.std(0) + 1e-6
            design, target = (seen - centre) / spread, costs - costs.mean()
            pull = RIDGE * np.eye(design.shape[1])
            slopes = np.linalg.solve(design.T @ design + pull, design.T @ target)
            fresh = fresh[np.argsort((unseen - centre) / spread @ slopes, kind="stable")[:BATCH]]
        else:
            fresh = wanted.uniform(random, BATCH)
        found = yield fresh
        tables, costs = np.vstack([tables, fresh]), np.concatenate([costs, found])


def one_hot(digits: Digits) -> Floats:
    """Shape (n, cells) to (n, cells·3)."""
    columns: Floats = (digits[:, :, None] == np.arange(3)).reshape(len(digits), -1).astype(np.float64)
    return columns


def methods(model: Latents) -> Mapping[str, Callable[[Specification, np.random.Generator], Search]]:
    """All that are compared, by name."""
    return {
        "random": at_random,
        "table, local": by_cells,
        "table, surrogate": lambda wanted, random: by_surrogate(wanted, random, one_hot),
        "latents, local": lambda wanted, random: by_latents(wanted, random, model),
        "latents, CMA-ES": lambda wanted, random: by_cma_es(wanted, random, model),
        "latents, surrogate": lambda wanted, random: by_surrogate(wanted, random, model.encode),
    }
