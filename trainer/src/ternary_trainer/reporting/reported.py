"""
What reports of either kind of space have in common, before they have a form.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.packages.package import Package
from ternary_sdk._internal.packages.validation import Ending, Validation
from ternary_sdk.signature import Signature
from ternary_trainer.compute import Price
from ternary_trainer.reporting.compressed import Compressed
from ternary_trainer.run import Run
from ternary_trainer.validation.checks import CHECKS
from ternary_trainer.validation.subject import Validated
from ternary_trainer.validation.traces import Traces


@dataclass(frozen=True, kw_only=True)
class ReportedPath:
    """One path."""

    spectrum: npt.NDArray[np.float64] | None
    """Variance of the posterior mean in each dimension, shape (latent size,); None without an encoder."""
    compressed: Compressed
    """Bits of a latent and bytes of the decoder."""


@dataclass(frozen=True, kw_only=True)
class Reported:
    """A report of a model of a space of either kind."""

    name: str
    signature: Signature
    """What it is a model of."""
    validation: Validation
    paths: Mapping[str, ReportedPath]
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


def provenance(subject: Validated, run: Run | None, package: Package | None) -> dict[str, str]:
    """Where a model came from, as far as that does not depend on its space."""
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
    return told
