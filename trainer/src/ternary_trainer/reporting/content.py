"""
What a report tells: measured once, then laid out twice, as a page and on paper. Here of a listed space.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.packages.package import Package
from ternary_sdk._internal.packages.validation import Validation
from ternary_sdk.coverage import headline_draws, iid_limit
from ternary_sdk.space import TERNARY_2, Space
from ternary_trainer import split
from ternary_trainer.compute import Price
from ternary_trainer.reporting.compressed import compressed
from ternary_trainer.reporting.reported import Reported, ReportedPath, provenance
from ternary_trainer.reporting.vast_content import VastContent, collect_vast
from ternary_trainer.run import Run
from ternary_trainer.validation.checks import AnySubject
from ternary_trainer.validation.drawing import Counts, counted, draw, expected, expected_interval
from ternary_trainer.validation.spectrum import variances
from ternary_trainer.validation.subject import Floats, Subject
from ternary_trainer.validation.vast_subject import VastSubject


@dataclass(frozen=True, kw_only=True)
class PathContent(ReportedPath):
    """One path of a model of a listed space."""

    headline: int
    """Draws that coverage is quoted at."""
    counts: Counts
    margins: Floats
    """The margin of each operation's witness, 0 where it is not reachable, shape (size,)."""
    curve: npt.NDArray[np.float64]
    """Expected share of the space at each of `Content.draws`."""

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
class Content(Reported):
    """A report on a model of a listed space."""

    draws: npt.NDArray[np.int64]
    """Numbers of draws along the curves, ascending."""
    perfect: npt.NDArray[np.float64]
    """What perfect draws cover at each, on average."""
    paths: Mapping[str, PathContent]

    @property
    def headline(self) -> int:
        """Draws that coverage is quoted at."""
        return headline_draws(self.signature.space)

    @property
    def counted(self) -> int:
        """Draws that expected coverage is estimated from, on each path."""
        return counted(self.signature.space)


AnyContent = Content | VastContent
"""A report on a model of a listed space, or of a vast one."""


def collect(
    subject: AnySubject,
    validation: Validation,
    *,
    run: Run | None = None,
    package: Package | None = None,
    price: Price | None = None,
) -> AnyContent:
    """Measure what the pictures show.

    Args:
        subject: What was validated.
        validation: What was found.
        run: The subject's run, where it is one.
        package: The subject's package, where it is one.
        price: Of an hour of one core, where the training's cost is to be told.
    """
    if isinstance(subject, VastSubject):
        return collect_vast(subject, validation, run=run, package=package, price=price)
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
    told = provenance(subject, run, package)
    space = subject.space
    told["operations"] = f"{space.size:,} in all; true holdout sha256 {split.sets(space).holdout.digest}"
    if run is not None and run.recipe.holdout_family and (family := subject.split.family):
        told["also held out"] = (
            f"the {run.recipe.holdout_family} family, {len(family):,} operations, sha256 {family.digest}"
        )
    return told
