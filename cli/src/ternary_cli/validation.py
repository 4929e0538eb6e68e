"""
``ternary validate`` and ``ternary report``: is a model as good as it looks, and the page that says so.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ternary_cli.hooks import name_hooks
from ternary_cli.options import (
    Device,
    DeviceOption,
    ForceOption,
    JsonOption,
    LicenseOption,
    StateOption,
    TrustOption,
    argument,
    large,
    option,
    whole,
)
from ternary_cli.prices import CurrencyOption, PriceOption, priced
from ternary_cli.vendor_extra import vendor_extra

if TYPE_CHECKING:
    import torch

    from ternary_sdk._internal.executing.cluster import Cluster
    from ternary_sdk._internal.packages.package import Package
    from ternary_sdk._internal.packages.validation import Validation
    from ternary_trainer.compute import Price
    from ternary_trainer.run import Run
    from ternary_trainer.validation.studies import Study
    from ternary_trainer.validation.subject import Subject
    from ternary_trainer.validation.vast_subject import Effort, VastSubject

SubjectFile = Annotated[
    Path, argument("RUN|CHECKPOINT.pt|FILE.ternary", "A training's folder, a v5.5 checkpoint, or a package.")
]
Checks = Annotated[str | None, option("--checks", metavar="A,B", text="Only these checks; default: all.")]
Bounds = Annotated[
    Path | None, option("--thresholds", metavar="F.toml", text="Thresholds that differ from the standard.")
]
Studies = Annotated[
    Path | None,
    option(
        "--studies", metavar="DIR", text="Retrain with other seeds and betas there; reuses what is there."
    ),
]
Seeds = Annotated[
    int | None, whole("--seeds", metavar="N", text="Seeds that --studies compares, 3 to 10; default: 3.")
]
Draws = Annotated[
    int | None,
    large("--draws", metavar="N", text="Of a vast space: draw N of each path; default: 4194304."),
]
Operations = Annotated[
    int | None,
    large("--operations", metavar="M", text="Of a vast space: encode M of each kind; default: 131072."),
]
ClusterOption = Annotated[
    str | None,
    option("--cluster", metavar="ADDRESS", text="Retrain on a Dask cluster whose workers see --studies."),
]
Out = Annotated[Path | None, option("--out", "-o", metavar="F.json", text="Also write validation.json here.")]
Folder = Annotated[Path | None, option("--report", metavar="DIR", text="Also write the report there.")]
ReportFolder = Annotated[
    Path, option("--out", "-o", metavar="DIR", text="Where report.html and report.pdf go.")
]


def validate(
    subject: SubjectFile,
    checks: Checks = None,
    thresholds: Bounds = None,
    studies: Studies = None,
    seeds: Seeds = None,
    draws: Draws = None,
    operations: Operations = None,
    cluster: ClusterOption = None,
    out: Out = None,
    report: Folder = None,
    license: LicenseOption = None,
    trust: TrustOption = None,
    state: StateOption = None,
    device: DeviceOption = None,
    per_core_hour: PriceOption = None,
    currency: CurrencyOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Vendor: run the checks; exit status 1 if one fails."""
    from ternary_cli.files import expect_place, write
    from ternary_cli.terminal import note, show, show_document
    from ternary_sdk.errors import InputError

    with vendor_extra("ternary validate"):
        from ternary_trainer.reporting.write import check_installed
        from ternary_trainer.validation import checks as known
        from ternary_trainer.validation import thresholds as bounds
        from ternary_trainer.validation.verdict import verdict
    only = known.chosen([name.strip() for name in checks.split(",")] if checks else [])
    held = bounds.load(thresholds) if thresholds else bounds.Thresholds()
    price = _priced(per_core_hour, currency, subject)
    expect_place(out, force=force)
    if report is not None:
        check_installed()
        _refuse_kept(report, force=force)
    elif price is not None:
        raise InputError("--price-per-core-hour: is told in the report; add --report DIR")
    retraining = Retraining(
        folder=studies, seeds=seeds, checks=only, place=_place(device, subject), cluster=cluster
    )
    effort = _effort(draws, operations)
    with _opened(subject, retraining, license, trust, state, effort) as opened:
        outcomes = known.validate(opened.subject, held, only=only, tell=lambda name: note(f"checking {name}"))
        found = verdict(opened.subject, outcomes, held, made=datetime.now(UTC))
        if report is not None:
            found = dataclasses.replace(found, report=_written(opened, found, report, price))
    if out is not None:
        write(found.to_bytes(), out)
    show_document(found.to_bytes()) if as_json else show(lines(opened.subject.name, found))
    if not found.sound:
        raise typer.Exit(1)


def report(
    subject: SubjectFile,
    out: ReportFolder,
    studies: Studies = None,
    seeds: Seeds = None,
    draws: Draws = None,
    operations: Operations = None,
    license: LicenseOption = None,
    trust: TrustOption = None,
    state: StateOption = None,
    device: DeviceOption = None,
    per_core_hour: PriceOption = None,
    currency: CurrencyOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Vendor: validate, and write the report as HTML and PDF."""
    from ternary_cli.terminal import note, show, show_json

    with vendor_extra("ternary report"):
        from ternary_trainer.reporting.write import check_installed
        from ternary_trainer.validation import checks as known
        from ternary_trainer.validation.thresholds import Thresholds
        from ternary_trainer.validation.verdict import verdict
    price = _priced(per_core_hour, currency, subject)
    check_installed()
    _refuse_kept(out, force=force)
    retraining = Retraining(
        folder=studies, seeds=seeds, checks=known.chosen([]), place=_place(device, subject)
    )
    effort = _effort(draws, operations)
    with _opened(subject, retraining, license, trust, state, effort) as opened:
        outcomes = known.validate(opened.subject, Thresholds(), tell=lambda name: note(f"checking {name}"))
        found = verdict(opened.subject, outcomes, Thresholds(), made=datetime.now(UTC))
        page = _written(opened, found, out, price)
    name, html, pdf = opened.subject.name, out / "report.html", out / "report.pdf"
    if as_json:
        verdict_of = {"subject": name, "sound": found.sound, "sentence": found.sentence}
        show_json(verdict_of | {"html": str(html), "html_sha256": page, "pdf": str(pdf)})
    else:
        show([f"{name}: {found.sentence}", f"{html}  sha256 {page}", str(pdf)])


def lines(name: str, found: "Validation") -> list[str]:
    """A verdict for people: a line a check, the reason under those that did not pass."""
    told = []
    for check in found.checks:
        told.append(f"{check.name:<24}{check.ending}")
        if check.ending != "passed":
            told.append(f"{'':<24}{check.reason}")
    return [*told, "", f"{name}: {'sound' if found.sound else 'not sound'}; {found.sentence}"]


@dataclass(frozen=True, kw_only=True)
class Retraining:
    """What was asked for of studies."""

    folder: Path | None
    seeds: int | None
    checks: Sequence[str]
    """What is to be checked; trainings that no check needs are not made."""
    place: "torch.device"
    """Where these and the checks compute."""
    cluster: str | None = None
    """Address of the cluster that trains; None for this machine."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """What is validated, and what a report tells of where it came from."""

    subject: "Subject | VastSubject"
    run: "Run | None" = None
    package: "Package | None" = None


def _refuse_kept(folder: Path, *, force: bool) -> None:
    from ternary_cli.files import refuse_kept
    from ternary_trainer.reporting.write import PAGE, PAPER

    refuse_kept((folder / PAGE, folder / PAPER), force=force, other="folder")


def _place(device: Device | None, source: Path) -> "torch.device":
    """Where to compute; a package's own graphs compute on the processor."""
    from ternary_cli.terminal import note
    from ternary_sdk.errors import InputError
    from ternary_trainer.device import CPU, choose

    if source.suffix != ".ternary":
        return choose(device or Device.AUTO, tell=note)
    if device is not None:
        raise InputError(f"--device: {source} is a package, which computes on the processor; leave it out")
    return CPU


@contextmanager
def _opened(
    source: Path,
    retraining: Retraining,
    license: Path | None,
    trust: Path | None,
    state: Path | None,
    effort: "Effort | None",
) -> Iterator[Opened]:
    from ternary_cli.selection import select
    from ternary_cli.terminal import note
    from ternary_export.reach import margins
    from ternary_sdk.errors import InputError
    from ternary_trainer import checkpoint, run
    from ternary_trainer.validation import opening

    if retraining.folder is not None and not source.is_dir():
        raise InputError(f"--studies: {source} is no run, and only a run says how to train it again")
    if retraining.folder is None and retraining.seeds is not None:
        raise InputError("--seeds: is of retrainings, and there is no folder for them; add --studies DIR")
    if retraining.folder is None and retraining.cluster is not None:
        raise InputError("--cluster: is for retrainings, and there is no folder for them; add --studies DIR")
    if source.is_dir():
        trained = run.open(source)
        seeds, betas = _studied(trained, retraining.folder, retraining) if retraining.folder else (None, None)
        subject = opening.run_subject(
            trained, margins, seeds=seeds, betas=betas, place=retraining.place, effort=effort
        )
        yield Opened(subject=subject, run=trained)
    elif source.suffix == ".ternary":
        with (
            select(source, license, trust, state=state).open() as model,
            opening.package_subject(model, effort) as subject,
        ):
            yield Opened(subject=subject, package=model.package)
    else:
        loaded = checkpoint.load(source)
        for changed in loaded.notes:
            note(f"{source}: {changed}")
        found = opening.checkpoint_subject(loaded, source, margins, retraining.place, effort)
        yield Opened(subject=found)


def _effort(draws: int | None, operations: int | None) -> "Effort | None":
    """What is asked of a vast space; None if nothing is."""
    from ternary_trainer.validation.vast_subject import DRAWS, OPERATIONS, Effort

    if draws is None and operations is None:
        return None
    return Effort(
        draws=DRAWS if draws is None else draws,
        operations=OPERATIONS if operations is None else operations,
    )


def _studied(trained: "Run", folder: Path, retraining: Retraining) -> "tuple[Study | None, Study | None]":
    from ternary_cli.terminal import note
    from ternary_trainer.validation import studies

    count = studies.SEEDS if retraining.seeds is None else retraining.seeds
    folder = folder.absolute()  # a cluster's workers have another working folder
    jobs = {
        "seed-variance": studies.seed_jobs(trained, folder, count),
        "collapse-sweep": studies.beta_jobs(trained, folder),
    }
    name_hooks([trained.recipe])
    with _trainers(folder, retraining.cluster) as found:
        executor, workers = (None, None) if found is None else (found.executor, found.workers)
        seeds, betas = (
            studies.conduct(needed, executor=executor, workers=workers, tell=note, place=retraining.place)
            if check in retraining.checks
            else None
            for check, needed in jobs.items()
        )
    return seeds, betas


@contextmanager
def _trainers(folder: Path, address: str | None) -> "Iterator[Cluster | None]":
    """The cluster that trains, whose workers all see the studies' folder; nothing for this machine."""
    from ternary_sdk._internal.executing.cluster import connected

    if address is None:
        yield None
        return
    with connected(address) as found:
        found.expect_folder(folder)
        yield found


def _priced(per_core_hour: float | None, currency: str | None, source: Path) -> "Price | None":
    """The price, where what is validated says what its training took."""
    from ternary_sdk.errors import InputError

    price = priced(per_core_hour, currency)
    if price is not None and not source.is_dir():
        raise InputError(
            f"--price-per-core-hour: {source} is no run, and only a run says what its training took"
        )
    return price


def _written(opened: Opened, found: "Validation", folder: Path, price: "Price | None") -> str:
    from ternary_trainer.reporting.content import collect
    from ternary_trainer.reporting.write import write

    content = collect(opened.subject, found, run=opened.run, package=opened.package, price=price)
    return write(content, folder)
