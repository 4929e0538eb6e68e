"""
What a report on a model of a vast space tells: bounds, and the digits of draws in place of a picture of all
operations.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.certificates import statistics
from ternary_sdk._internal.certificates.evenness import Evenness
from ternary_sdk._internal.certificates.vast_path import VastPath
from ternary_sdk._internal.packages.package import Package
from ternary_sdk._internal.packages.validation import Validation
from ternary_trainer import vast_split
from ternary_trainer.compute import Price
from ternary_trainer.reporting.compressed import compressed
from ternary_trainer.reporting.reported import Reported, ReportedPath, provenance
from ternary_trainer.run import Run
from ternary_trainer.validation.vast_draws import Drawn, counted
from ternary_trainer.validation.vast_spectrum import SAMPLED, variances
from ternary_trainer.validation.vast_subject import VastSubject

_POINTS: Final = 10
_SPAN: Final = 256
"""The curve ends at so many times as many draws as it begins with."""


@dataclass(frozen=True, kw_only=True)
class VastPathContent(ReportedPath):
    """One path of a model of a vast space."""

    drawn: Drawn
    """Its prior draws, made for this report."""
    witnessed: int | None
    """Of the uniform operations that were tried, those that have a witness; None without an encoder."""
    claim: VastPath | None
    """What the signed certificate states; None without a package."""
    curve: tuple[Evenness, ...]
    """Counts of the first draws, of more and more of them."""

    @property
    def counts(self) -> Evenness:
        """Counts of all draws made for this report."""
        return self.drawn.counts


@dataclass(frozen=True, kw_only=True)
class VastContent(Reported):
    """A report on a model of a vast space."""

    paths: Mapping[str, VastPathContent]
    tried: int
    """Uniform operations that were encoded and decoded on each path."""

    def share(self, path: str) -> str | None:
        """Nine decimals: the share of the space that has a witness on a path, at least."""
        witnessed = self.paths[path].witnessed
        return None if witnessed is None else statistics.share_at_least(self.tried - witnessed, self.tried)

    @property
    def dependence(self) -> dict[str, npt.NDArray[np.float64]]:
        """Of each path the mutual information of each pair of cells, nats, shape (cells, cells)."""
        return {path: measured.drawn.tally.dependence.numpy() for path, measured in self.paths.items()}


def collect_vast(
    subject: VastSubject,
    validation: Validation,
    *,
    run: Run | None = None,
    package: Package | None = None,
    price: Price | None = None,
) -> VastContent:
    """Measure what the pictures show; draws and operations are those of the checks."""
    networks, sample = subject.networks, subject.sampled
    return VastContent(
        name=subject.name,
        signature=subject.signature,
        validation=validation,
        paths={
            path: VastPathContent(
                drawn=drawn,
                witnessed=subject.witnessed.get(path),
                claim=subject.certified.get(path),
                curve=_curve(drawn),
                spectrum=variances(networks[path], sample.first(SAMPLED)) if path in networks else None,
                compressed=compressed(subject, path, run),
            )
            for path, drawn in subject.drawn.items()
        },
        tried=len(sample),
        run=run,
        rule=subject.rule,
        traces=subject.traces,
        provenance=_provenance(subject, run, package),
        price=price,
    )


def _curve(drawn: Drawn) -> tuple[Evenness, ...]:
    most = len(drawn.indices)
    numbers = np.unique(np.geomspace(max(1, most // _SPAN), most, _POINTS).astype(int))
    return tuple(counted(drawn.indices[:number], 0, drawn.space) for number in numbers)


def _provenance(subject: VastSubject, run: Run | None, package: Package | None) -> dict[str, str]:
    space = subject.space
    families = ", ".join(subject.split.families) or "none"
    return provenance(subject, run, package) | {
        "operations": f"{space.size:,} in all; true holdout by the rule with sha256 {vast_split.rule(space)}",
        "families held out": families,
    }
