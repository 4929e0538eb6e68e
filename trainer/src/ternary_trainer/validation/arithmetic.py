"""
Check `latent-arithmetic`: does zA + zB - zC decode to a + b - c more often than chance, and to the family of
a, b and c?

*Right* is a + b - c cell by cell in ordinary arithmetic, of triples where every cell of it is a value. Chance
is the same with every latent taken from another operation of the same kind.

That is a low bar. Where a is c in a cell, b is right there, in any code that holds cells apart and is decoded
linearly; in (3, 2) that makes (15/19)^9, 12 % of such triples, exact without any order among the values. So
the cells in which neither a nor b is c are counted apart.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.packages.validation import Figure, Relation
from ternary_sdk.space import Space, Tables
from ternary_trainer import vast_split
from ternary_trainer.families import Family, belongs, defined, members
from ternary_trainer.validation import intervals
from ternary_trainer.validation import triples as made
from ternary_trainer.validation.novelty import LEAST_MEMBERS
from ternary_trainer.validation.outcome import Method, Outcome, decided, share, shown
from ternary_trainer.validation.subject import Floats, Network, Subject
from ternary_trainer.validation.thresholds import Thresholds
from ternary_trainer.validation.triples import Triples
from ternary_trainer.validation.vast_subject import VastSubject

UNIFORM: Final = "uniform"
ORDERED: Final = "uniform, cells right where neither a nor b is c"
_FEW: Final = f"No kind has {LEAST_MEMBERS} operations and {LEAST_MEMBERS} triples whose result is one."


def latent_arithmetic(subject: Subject, _: Thresholds) -> Outcome:
    """Triples of all operations, and of each family."""
    space = subject.space
    pools = {
        family: space.from_index(members(family, space).indices)
        for family in defined(space)
        if len(members(family, space))
    }
    shares = {family: len(pool) / space.size for family, pool in pools.items()}
    return _asked(subject.networks, pools, shares, space, intervals.share)


def of_vast(subject: VastSubject, _: Thresholds) -> Outcome:
    """Triples of uniform operations, and of members of the families that are held out as a whole."""
    space, sampled = subject.space, subject.sampled.tables.astype(np.int8)
    families = vast_split.held_families(space)
    pools = {family: subject.members(family).tables.astype(np.int8) for family in families}
    shares = {family: float(belongs(family, sampled, space).mean()) for family in families}
    return _asked(subject.networks, pools, shares, space, intervals.exact)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Kind:
    """Triples of one kind of operation."""

    name: Family | None
    """None of all operations."""
    several: bool
    """Whether there are enough operations of the kind to decide anything."""
    free: Triples
    """Any of them."""
    within: Triples
    """Those whose result is an operation."""
    chance: float = 1.0
    """Share of all operations that are of the kind."""
    by_tables: float = 1.0
    """Share of rounded a + b - c that are of the kind: what the arithmetic gives without a model."""


def _asked(
    networks: Mapping[str, Network],
    pools: Mapping[Family, Tables],
    shares: Mapping[Family, float],
    space: Space,
    of: Method,
) -> Outcome:
    every = _uniform(space)
    kinds = [_of(family, pool, shares[family], space) for family, pool in pools.items()]
    exact: list[Figure] = []
    order: list[Figure] = []
    inside: list[Figure] = []
    above = 0
    for path, network in networks.items():
        exact += [figure for kind in (every, *kinds) for figure in _exact(kind, path, network, space, of)]
        order.append(_ordered(every, path, network, space, of))
        of_kinds = [_inside(kind, path, network, space, of) for kind in kinds]
        above += sum(float(figure.low) > kind.by_tables for kind, figure in zip(kinds, of_kinds, strict=True))
        inside += of_kinds
    few = "" if any(figure.relation is not Relation.SHOWN for figure in exact) else _FEW
    return decided([*exact, *order, *inside], _found(exact, order, above), few=few, shares=exact)


def _found(exact: list[Figure], order: list[Figure], above: int) -> str:
    """What a model that adds better than by chance does."""
    least = min((float(figure.value) for figure in exact), default=0.0)
    telling = [f"{float(figure.value):.4g} on path {figure.path}" for figure in order]
    many = f"{above} times" if above else "never"
    return (
        f"zA + zB - zC decodes to a + b - c in a share of at least {least:.4g}, more often than by chance. "
        "Codes without an order get all cells right where a or b is c; of the others are right: "
        f"{', '.join(telling)}. "
        f"Results stay in a family more often than those of rounded tables do: {many}."
    )


def _uniform(space: Space) -> _Kind:
    return _Kind(
        name=None,
        several=space.size >= LEAST_MEMBERS,
        free=made.uniform(space),
        within=made.uniform_within(space),
    )


def _of(family: Family, pool: Tables, chance: float, space: Space) -> _Kind:
    drawn = made.drawn(pool)
    free = drawn.first(made.USED)
    by_tables = belongs(family, made.rounded(free.sums, space), space).mean() if len(free) else 1.0
    return _Kind(
        name=family,
        several=len(pool) >= LEAST_MEMBERS,
        free=free,
        within=drawn.within(space).first(made.USED),
        chance=chance,
        by_tables=float(by_tables),
    )


def _exact(kind: _Kind, path: str, network: Network, space: Space, of: Method) -> Iterator[Figure]:
    total = len(kind.within)
    if not total:
        return
    encoded, wanted = _Encoded.of(kind.within, network, space), space.to_index(kind.within.sums)
    right, by_chance = (
        int((network.index(latents) == wanted).sum()) for latents in (encoded.results, encoded.exchanged)
    )
    name = f"{kind.name or UNIFORM}, a + b - c exact, of {total:,}"
    if kind.several and total >= LEAST_MEMBERS:
        yield share(name, path, right, total, of(by_chance, total)[1], of=of)
    else:
        yield shown(name, path, right / total, interval=of(right, total))


def _ordered(kind: _Kind, path: str, network: Network, space: Space, of: Method) -> Figure:
    """How often cells are right in which neither a nor b is c: only they show that values have an order."""
    first, second, third = kind.within.operations
    telling = (first != third) & (second != third)
    total = int(telling.sum())
    if not total:
        return shown(f"{ORDERED} (none)", path, 0)
    found = space.from_index(network.index(_Encoded.of(kind.within, network, space).results))
    right = int((found == kind.within.sums)[telling].sum())
    return shown(f"{ORDERED}, of {total:,}", path, right / total, interval=of(right, total))


def _inside(kind: _Kind, path: str, network: Network, space: Space, of: Method) -> Figure:
    """How often results are of the family."""
    total = len(kind.free)
    others = f"of all operations {kind.chance:.4g}, of rounded tables {kind.by_tables:.4g}"
    name = f"result {kind.name}, of {total:,} ({others})"
    if kind.name is None or not total:
        return shown(name, path, 0)
    found = network.index(_Encoded.of(kind.free, network, space).results)
    right = int(belongs(kind.name, space.from_index(found), space).sum())
    return shown(name, path, right / total, interval=of(right, total))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Encoded:
    """Posterior means of the operations in some triples."""

    latents: Floats
    """Of each different operation, shape (m, latent size)."""
    places: npt.NDArray[np.int64]
    """Which of them a, b and c are, shape (3, n)."""

    @classmethod
    def of(cls, triples: Triples, network: Network, space: Space) -> "_Encoded":
        """Encode every operation once."""
        indices = space.to_index(triples.operations.reshape(-1, space.cells))
        different, places = np.unique(indices, return_inverse=True)
        latents = network.encode(space.from_index(different).astype(np.float32))
        return cls(latents=latents, places=places.reshape(3, -1))

    @property
    def results(self) -> Floats:
        """zA + zB - zC of each triple, shape (n, latent size)."""
        return self._combined(self.latents)

    @property
    def exchanged(self) -> Floats:
        """The same with each latent taken from another operation, by lot."""
        return self._combined(np.random.default_rng(0).permutation(self.latents))

    def _combined(self, latents: Floats) -> Floats:
        first, second, third = latents[self.places]
        result: Floats = first + second - third
        return result
