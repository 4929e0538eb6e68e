"""
The settings of a training: frozen dataclasses, a line of meaning under each field.

The reader refuses a number outside the range beside its type. How settings depend on each other is in
`soundness`.

A run directory stores them as resolved; a field that is renamed or changes its meaning makes old runs
impossible to resume.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from ternary_sdk.signature import STANDARD, Signature
from ternary_sdk.space import TERNARY_2, Space
from ternary_trainer.architecture import Architecture, Network
from ternary_trainer.families import Family
from ternary_trainer.mechanism_settings import Composition, Permutation
from ternary_trainer.ranges import Within

Rate = Annotated[float, Within(1e-9, 1)]
Weight = Annotated[float, Within(1e-6, 1e6)]
Window = Annotated[float, Within(1, 1e12)]
Passes = Annotated[int, Within(1, 10_000)]
Steps = Annotated[int, Within(1, 1_000_000)]
Count = Annotated[int, Within(2, 100_000_000)]


@dataclass(frozen=True, kw_only=True)
class Surge:
    """A disruption: for a few epochs, four dials are turned away from their schedule.

    Each dial is multiplied by its factor to the power of the strength, so strength 0 changes nothing.
    """

    epoch: Annotated[int, Within(0, 100_000)]
    """First epoch, counted from 0."""
    epochs: Annotated[int, Within(1, 100_000)] = 1
    """How many."""
    strength: Annotated[float, Within(0, 10)] = 1.0
    """Exponent of the four factors, at least 0."""
    noise: Annotated[float, Within(1e-3, 1e3)] = 1.5
    """Factor on the standard deviation of the posterior's noise."""
    beta: Annotated[float, Within(1e-3, 1e3)] = 2.0
    """Factor on the weight of the KL to the prior."""
    exploration: Annotated[float, Within(1e-3, 1e3)] = 2.0
    """Factor on the prior's term: uniformity under `separate`, entropy and repulsion under `coupled`."""
    rate: Annotated[float, Within(1e-3, 1e3)] = 2.0
    """Factor on the learning rate."""

    def covers(self, epoch: int) -> bool:
        """Whether the surge is on in an epoch."""
        return self.epoch <= epoch < self.epoch + self.epochs


@dataclass(frozen=True, kw_only=True)
class Learn:
    """The first phase of `separate`: a plain VAE."""

    epochs: int
    """How many; the next phase follows."""
    passes: Passes | None = None
    """Passes over the training operations in each of them; of a listed space."""
    rate: Rate
    """Peak learning rate; it rises over the first tenth and falls by a cosine to 0.3 of it."""
    beta: Annotated[float, Within(0, 100)]
    """Weight of the KL, reached after 30 % of the phase."""
    steps: Steps | None = None
    """Steps in each of them, of a batch of fresh operations; of a vast space."""


@dataclass(frozen=True, kw_only=True)
class Spread:
    """The second phase of `separate`: the prior's draws are evened out."""

    beta: Annotated[float, Within(0, 100)]
    """Weight of the KL."""
    window: tuple[Window, Window]
    """Memory of the running distribution in draws, first and last, for four cells and more; in a vast space
    for pairs of cells."""
    low_window: tuple[Window, Window] | None = None
    """The same for single cells of a vast space."""


@dataclass(frozen=True, kw_only=True)
class Effort:
    """What one path does in an epoch of the second phase of `separate`."""

    passes: Passes | None = None
    """Passes over the training operations; of a listed space."""
    draws: Annotated[int, Within(1, 1e7)]
    """Prior draws decoded in each step."""
    pushed: int
    """Of these, how many are pushed: those that a push moves most."""
    rate: tuple[Rate, Rate]
    """Learning rate, peak and last; it rises over the first tenth and falls by a cosine."""
    weight: tuple[Weight, Weight]
    """Weight of uniformity after the first tenth, and at the end; constant to 30 %, then geometric."""
    low_window: Window | None = None
    """Longest memory for single cells of a listed space, in draws: few settle them, and a long memory would
    make them swing."""
    steps: Steps | None = None
    """Steps, each of a batch of fresh operations; of a vast space."""


@dataclass(frozen=True, kw_only=True)
class Separate:
    """Each path for itself, side by side: ELBO first, then uniform draws."""

    free_bits: Annotated[float, Within(0, 100)]
    """Nats of KL a dimension that cost nothing."""
    active_variance: Annotated[float, Within(0, 1)]
    """Variance of the mean below which a dimension is pulled back, over the batch."""
    active_weight: Annotated[float, Within(0, 1e6)]
    """Weight of that pull."""
    learn: Learn
    spread: Spread
    paths: Mapping[str, Effort]
    """By the path's letter."""
    permutation: Permutation | None = None
    composition: Composition | None = None


@dataclass(frozen=True, kw_only=True)
class Coupled:
    """The published recipe: both paths in one loss, with cross-injection; `coupled` has the formulas."""

    free_bits: Annotated[float, Within(0, 100)]
    """Nats of KL a dimension that cost nothing."""
    entropy: Annotated[float, Within(0, 100)]
    """Weight of the entropy of path B's mean softmax."""
    repulsion: Annotated[float, Within(0, 100)]
    """Weight of the mean pairwise exp(-d²/0.25) of path B's latents."""
    disruption: Annotated[int, Within(0, 100_000)]
    """Epoch at which beta B jumps from 0, and the first halving of the rate happens."""
    state_net: bool
    """Whether StateNet's corrections are applied, once an epoch; as published it has no gradient."""
    state_net_rate: Rate | None = None
    """Learning rate of StateNet itself, by the hypergradient of the rate; left out, it never learns."""


@dataclass(frozen=True, kw_only=True)
class Scoring:
    """How an epoch is scored."""

    draws: int
    """Prior draws decoded after each epoch: for coverage, at least those that it is quoted at.

    In a vast space, for the divergence of cells, pairs and triples."""
    exact: Annotated[float, Within(0, 1)]
    """Share of the validation operations that each path must reconstruct for an epoch to be eligible."""
    sampling_draws: Annotated[int, Within(1, 1e9)] | None = None
    """Prior draws for the older figure, sampling coverage, of a listed space; 195,000 where it was
    published."""
    report_draws: int
    """Prior draws decoded for each kept snapshot at the end of the run, for the summary.

    In a vast space for the default rule's alone, and `draws` for the others."""
    operations: Count | None = None
    """Validation operations of a vast space; a listed one has its tenth."""
    report_operations: Count | None = None
    """Operations of the true holdout, and of each family held out, for the summary; of a vast space."""


@dataclass(frozen=True, kw_only=True)
class Plateau:
    """When a run is done."""

    score: Literal["coverage", "elbo", "loss"]
    """Which score must improve, as named in `choose.RULES`."""
    patience: Annotated[int, Within(1, 100_000)]
    """Epochs without improvement after which the run ends."""
    least: Annotated[float, Within(0, 1e9)]
    """What counts as an improvement, in the score's unit."""


@dataclass(frozen=True, kw_only=True)
class Hook:
    """A term of one's own in the loss, as code: see `loss_hook` for what it is given."""

    file: str
    """Python file with a function `loss`, relative to the recipe's file; a training runs it as code."""
    weight: Weight = 1.0
    """Factor on what the function gives."""
    sha256: str = ""
    """Of the file, 64 lowercase hex digits; where stated, a file with another is refused."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All that decides a training, besides the seed and the machine."""

    name: str
    """As listed by `ternary recipes`, or the file's stem."""
    about: str
    """One sentence."""
    space: Space = TERNARY_2
    """That the model learns, as in `2,3`."""
    latent_size: int = STANDARD.latent_size
    """Dimensions of a latent, a multiple of 8 from 8 to 64."""
    networks: Mapping[str, Network] = field(default_factory=dict)
    """Of each path, by its letter; what a file leaves out of A and B is as in v5.5."""
    epochs: Annotated[int, Within(1, 100_000)]
    """At most so many."""
    batch: int
    """Training operations in a step."""
    weight_decay: Annotated[float, Within(0, 1)]
    """AdamW's."""
    clip: Annotated[float, Within(1e-6, 1e6)]
    """Largest norm of a step's gradient."""
    scoring: Scoring
    plateau: Plateau
    separate: Separate | None = None
    coupled: Coupled | None = None
    surge: tuple[Surge, ...] = ()
    """Disruptions, one at a time."""
    hook: Hook | None = None
    """A term of one's own in the loss of every path."""
    holdout_family: Family | None = None
    """Operations of this family are neither trained on nor selected on, as the true holdout is not."""
    training_operations: Count | None = None
    """Training operations that weights are fitted to, the first ones of the split's order; of a listed space.

    An eighth as many are chosen by. Left out, all are used."""

    @property
    def signature(self) -> Signature:
        """What a model of this recipe is of.

        Raises:
            InputError: If the latent size or a path is none that there can be.
        """
        return Signature(self.space, self.latent_size, tuple(self.networks))

    @property
    def architecture(self) -> Architecture:
        """Which networks a model of this recipe has.

        Raises:
            InputError: As ``signature``, or if a width or number of layers is out of range.
        """
        return Architecture.of(self.signature, self.networks)
