"""
What a report tells: measured once, then laid out twice, as a page and on paper.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.packages.package import Package
from ternary_sdk._internal.packages.validation import Ending, Validation
from ternary_sdk.coverage import headline_draws, iid_limit
from ternary_sdk.signature import Signature
from ternary_sdk.space import TERNARY_2, Space
from ternary_trainer import split
from ternary_trainer.compute import Price
from ternary_trainer.reporting.compressed import Compressed, compressed
from ternary_trainer.run import Run
from ternary_trainer.validation.checks import CHECKS
from ternary_trainer.validation.drawing import Counts, counted, draw, expected, expected_interval
from ternary_trainer.validation.spectrum import variances
from ternary_trainer.validation.subject import Floats, Subject
from ternary_trainer.validation.traces import Traces


@dataclass(frozen=True, kw_only=True)
class PathContent:
    """One path."""

    headline: int
    """Draws that coverage is quoted at."""
    counts: Counts
    margins: Floats
    """The margin of each operation's witness, 0 where it is not reachable, shape (size,)."""
    spectrum: npt.NDArray[np.float64] | None
    """Variance of the posterior mean in each dimension, shape (latent size,); None without an encoder."""
    curve: npt.NDArray[np.float64]
    """Expected share of the space at each of `Content.draws`."""
    compressed: Compressed
    """Bits of a latent and bytes of the decoder."""

    @property
    def quoted(self) -> float:
        """Expected share of the space at the headline draws."""
        return expected(self.counts, self.headline)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of ``quoted``."""
        return expected_interval(self.counts, self.headline)

    @property
    def reachable(self) -> int:
        """How many operations have a witness, as the certificate counts them."""
        return int(np.count_nonzero(self.margins))


@dataclass(frozen=True, kw_only=True)
class Content:
    """A report before it has a form."""

    name: str
    signature: Signature
    """What it is a model of."""
    validation: Validation
    draws: npt.NDArray[np.int64]
    """Numbers of draws along the curves, ascending."""
    perfect: npt.NDArray[np.float64]
    """What perfect draws cover at each, on average."""
    paths: Mapping[str, PathContent]
    run: Run | None
    """Where it came from, if that is a run of ours."""
    rule: str
    """By which a run's snapshot was chosen."""
    traces: Traces | None
    """How its training went, where that is on record: of a run, or in a checkpoint file."""
    provenance: Mapping[str, str]
    """Where it came from, in words."""
    price: Price | None = None
    """Of an hour of one core, where the training's cost is to be told."""

    @property
    def headline(self) -> int:
        """Draws that coverage is quoted at."""
        return headline_draws(self.signature.space)

    @property
    def counted(self) -> int:
        """Draws that expected coverage is estimated from, on each path."""
        return counted(self.signature.space)

    @property
    def spectra(self) -> dict[str, npt.NDArray[np.float64]]:
        """The spectrum of each path that has an encoder."""
        return {path: found.spectrum for path, found in self.paths.items() if found.spectrum is not None}

    @property
    def untested(self) -> list[tuple[str, str]]:
        """What this report cannot say: checks that were not made, and sections that have nothing to show."""
        ended = {check.name: check for check in self.validation.checks}
        absent = [
            (name, f"{check.ending}: {check.reason}")
            for name, check in ended.items()
            if check.ending in (Ending.NOT_APPLICABLE, Ending.NOT_RUN)
        ]
        left_out = [(name, "was not asked for") for name in CHECKS if name not in ended]
        return absent + left_out + self._without

    @property
    def _without(self) -> list[tuple[str, str]]:
        what = f"a {self.validation.kind} without its run"
        told = [] if self.traced else [("training", "no history of at least two epochs is on record")]
        if self.run is None:
            told += [
                ("the best of the run", f"{what} is one snapshot; what other rules would ship is not known"),
                ("compute", f"{what} does not say what its training took"),
            ]
        return told

    @property
    def traced(self) -> bool:
        """Whether there is a history to draw."""
        return self.traces is not None and len(self.traces) > 1


def collect(
    subject: Subject,
    validation: Validation,
    *,
    run: Run | None = None,
    package: Package | None = None,
    price: Price | None = None,
) -> Content:
    """Measure what the pictures show.

    Args:
        subject: What was validated.
        validation: What was found.
        run: The subject's run, where it is one.
        package: The subject's package, where it is one.
        price: Of an hour of one core, where the training's cost is to be told.
    """
    space, networks = subject.space, subject.networks
    headline = headline_draws(space)
    draws = np.unique(np.geomspace(headline // 50, _most_drawn(space), 40).astype(np.int64))
    paths = {}
    for path, decoder in subject.paths.items():
        counts = draw(subject, decoder)
        paths[path] = PathContent(
            headline=headline,
            counts=counts,
            margins=subject.margins[path],
            spectrum=variances(networks[path], space) if path in networks else None,
            curve=np.array([expected(counts, int(number)) for number in draws]),
            compressed=compressed(subject, path, run),
        )
    return Content(
        name=subject.name,
        signature=subject.signature,
        validation=validation,
        draws=draws,
        perfect=np.array([iid_limit(int(number), space) for number in draws]),
        paths=paths,
        run=run,
        rule=subject.rule,
        traces=subject.traces,
        provenance=_provenance(subject, run, package),
        price=price,
    )


def _most_drawn(space: Space) -> int:
    """Where the curves end: 262,144 draws for (3, 2), and as many for each operation of another space."""
    return round(space.size * counted(TERNARY_2) / TERNARY_2.size)


def _provenance(subject: Subject, run: Run | None, package: Package | None) -> dict[str, str]:
    told = {"validated": f"{subject.kind} {subject.name}", "sha256": subject.digest}
    if run is not None:
        best = run.best(subject.rule)
        told |= {
            "recipe": f"{run.recipe.name}: {run.recipe.about}",
            "seed": str(run.seed),
            "snapshot": best.reason,
            "trained with": ", ".join(f"{name} {value}" for name, value in run.facts.items()),
        }
    if package is not None:
        manifest = package.manifest
        told |= {
            "package": f"{manifest.label}, signed by key {package.signed_by}",
            "released": f"{manifest.released:%Y-%m-%d %H:%M:%S} UTC",
        }
        told |= {f"certified {name}": digest for name, digest in package.certificate.subjects.items()}
    space = subject.space
    told["operations"] = f"{space.size:,} in all; true holdout sha256 {split.sets(space).holdout.digest}"
    if run is not None and run.recipe.holdout_family and (family := subject.split.family):
        told["also held out"] = (
            f"the {run.recipe.holdout_family} family, {len(family):,} operations, sha256 {family.digest}"
        )
    return told
