"""
Every threshold of the checks, in one table that a TOML file can change.

The defaults are fixed before a model is measured, and none is weaker than the targets the product was first
built to; docs/validation.md says why each is what it is. A changed table is named in the verdict.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ternary_sdk.errors import InputError
from ternary_trainer import toml_file


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """The bounds that figures are held against."""

    latent_variance: float = 0.1
    """Least variance of the posterior mean in any dimension."""
    reconstruction: float = 0.99
    """Least share of operations, trained on or held out, that decode exactly from their posterior mean."""
    beta_step: float = 0.01
    """Largest rise of beta from one epoch to the next outside declared disruptions."""
    hash_coverage: float = 0.85
    """Least expected share of the space at the headline number of prior draws; 50,000 for (3, 2)."""
    sampling_coverage: float = 0.95
    """Least expected share of the space at the highest quoted number of prior draws; 195,000 for (3, 2)."""
    reachable: float = 1.0
    """Least share of the space for which a latent is known that decodes to it."""
    evenness: float = 0.9
    """Least evenness of prior draws of a vast space: the perplexity of their cells, pairs and triples as a
    share of the space. With an effective number of so many operations a listed space would be covered by
    85 % at its headline draws."""
    equal_pairs: float = 1.25
    """Most pairs of equal prior draws of a vast space, as a multiple of what perfect draws give."""
    witnesses: float = 0.9999
    """Least share of a vast space that decodes from its own posterior mean with a margin of 0.001."""
    phase_lead: float = 0.0
    """Least number of epochs by which the surge of A precedes that of B."""
    settled: float = 0.05
    """Largest standard deviation of a path's entropy over the last 20 epochs, nats."""
    shuffled_exact: float = 0.005
    """Largest share that may still decode to its target when the inputs are shuffled; stated for 1,969
    operations, of which one is left in its place on average."""
    shuffled_trits: float = 0.36
    """Largest share of trits that may agree with their target when the inputs are shuffled; stated for radix
    3, where chance is 1/3."""
    shuffle_gap: float = 0.5
    """Least share of trits that must be lost by shuffling the inputs; stated for radix 3, where a perfect
    model loses 2/3."""
    family: float = 0.8
    """Least share of each structural family's held-out members that decode exactly."""
    corrupted: float = 0.99
    """Least share of inputs with 1, 2 or 3 replaced trits that decode to exactly what was put in."""
    off_grid: float = 0.8
    """Least share of inputs recovered exactly after noise of standard deviation 0.1 on every trit."""
    permuted: float = 0.99
    """Least share of held-out operations that decode exactly after a permutation of inputs or a relabelling
    of values."""
    coverage_drop: float = 0.05
    """Largest fall of coverage from one epoch to the next outside declared disruptions."""
    evenness_drop: float = 0.1
    """Largest fall of evenness, in a vast space, from one epoch to the next outside declared disruptions. It
    is as strict as ``coverage_drop``: with a mean of 2.54 draws an operation a KL of 0.1 nats takes 5 % from
    coverage and 10 % from evenness."""
    stall: float = 0.5
    """Largest share of the epochs that may pass without a better score, counted in one stretch."""
    seed_spread: float = 0.02
    """Largest difference in coverage between retrainings with other seeds."""
    collapse_factor: float = 2.0
    """Factor on beta, and its inverse, that must leave all dimensions active."""


_SHARE: Final = (0.0, 1.0)
_MOST: Final = 1e6
_RANGES: Final = {
    "latent_variance": (0.0, _MOST),
    "beta_step": (0.0, _MOST),
    "phase_lead": (-_MOST, _MOST),
    "settled": (0.0, _MOST),
    "collapse_factor": (1.0, _MOST),
    "equal_pairs": (1.0, _MOST),
}
"""Of those that are no share."""


def load(path: Path) -> Thresholds:
    """Read a table of thresholds; what it does not name keeps its default.

    Raises:
        InputError: If the file cannot be read, is no TOML, or a key is unknown, or its value no number or out
            of range.
    """
    values = toml_file.parse(toml_file.read(path), str(path))
    known = {field.name for field in dataclasses.fields(Thresholds)}
    for key, value in values.items():
        if key not in known:
            raise InputError(
                f"{path}: threshold '{key}' is unknown, expected one of {', '.join(sorted(known))}"
            )
        if type(value) not in (int, float):
            raise InputError(f"{path}: threshold '{key}' is {value!r}, expected a number")
        low, high = _RANGES.get(key, _SHARE)
        if not low <= value <= high:  # and so no nan either
            raise InputError(
                f"{path}: threshold '{key}' is {value}, expected a number from {low:,.0f} to {high:,.0f}"
            )
    return Thresholds(**{key: float(value) for key, value in values.items()})


def changed(thresholds: Thresholds) -> dict[str, float]:
    """What differs from the defaults, by name."""
    defaults = dataclasses.asdict(Thresholds())
    return {key: value for key, value in dataclasses.asdict(thresholds).items() if value != defaults[key]}
