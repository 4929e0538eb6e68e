"""
``ternary export`` and ``certify``: from trained weights to a certified build.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from ternary_cli.options import JsonOption, argument, large, large_by_path, option
from ternary_cli.vendor_extra import vendor_extra

if TYPE_CHECKING:
    from ternary_export.build import Build
    from ternary_export.vast_certifying import Effort

Source = Annotated[
    Path | None, argument("[RUN|CHECKPOINT.pt]", "What 'ternary train' made, or a v5.5 checkpoint.")
]
NewFolder = Annotated[Path, option("--out", "-o", metavar="BUILD", text="A folder that does not exist yet.")]
Rule = Annotated[
    str | None,
    option("--best-by", metavar="RULE", text="Of a run's snapshots: coverage (the default), elbo or loss."),
]
Onnx = Annotated[
    Path | None,
    option("--onnx", metavar="F.onnx", text="In place of a run: a decoder of others, latents to logits."),
]
SpaceOption = Annotated[
    str | None,
    option(
        "--space", metavar="R,K", text="With --onnx: its operations, K inputs over R values, such as 3,2."
    ),
]
EncoderFile = Annotated[
    Path | None,
    option("--encoder", metavar="F.onnx", text="With --onnx: its encoder, tables to mean and log-variance."),
]
ClassFirst = Annotated[
    bool,
    option("--class-first", text="With --onnx: flat logits are ordered value by value, not cell by cell."),
]
BuildFolder = Annotated[Path, argument("BUILD", "What 'ternary export' made.")]

Draws = Annotated[
    Any,  # typer knows no union of types
    large_by_path(
        "--draws",
        metavar="N|P=N,…",
        text="Of a vast space: count N draws of each path, as 1e9, or of each path its own, as A=1e9,B=1e8; "
        "default: 1e7.",
    ),
]
Operations = Annotated[
    int | None,
    large("--operations", metavar="M", text="Of a vast space: try M uniform operations; default: 1e7."),
]

_Asked = tuple[int | dict[str, int] | None, int | None]
"""Draws and uniform operations, where the command says how many."""


def export(
    out: NewFolder,
    source: Source = None,
    rule: Rule = None,
    onnx: Onnx = None,
    space: SpaceOption = None,
    encoder: EncoderFile = None,
    class_first: ClassFirst = False,
    draws: Draws = None,
    operations: Operations = None,
    as_json: JsonOption = False,
) -> None:
    """Vendor: make graphs and a certificate of a run, of a v5.5 checkpoint, or of a model of others."""
    from ternary_sdk.errors import InputError

    if onnx is not None:
        if source is not None or rule is not None:
            surplus = source if source is not None else "--best-by"
            raise InputError(
                f"{surplus}: a build is of a training or of --onnx {onnx}, not of both; leave one out"
            )
        if space is None:
            raise InputError(
                "--onnx needs --space, the operations that it decodes to, as RADIX,INPUTS: "
                "--space 3,2 for two-input ternary ones"
            )
        asked = draws, operations
        _export_onnx(onnx, encoder, space, out, asked, class_first=class_first, as_json=as_json)
        return
    for name, given in (("--space", space), ("--encoder", encoder), ("--class-first", class_first)):
        if given:
            raise InputError(f"{name}: belongs to a model that was brought; add --onnx DECODER.onnx")
    if source is None:
        raise InputError(
            "nothing to export: name a run or a checkpoint, "
            "or bring a model with --onnx DECODER.onnx --space 3,2"
        )
    _export_training(source, rule, out, (draws, operations), as_json=as_json)


@contextmanager
def _effort(draws: int | dict[str, int] | None, operations: int | None, build: Path) -> "Iterator[Effort]":
    """What is asked for of a vast space, with a line on a terminal that says how far it has come.

    A count that is cut short is kept beside the build and goes on from there when the command is given
    again; whoever has written what was made removes it (``vast_certifying.forget``).

    Raises:
        InputError: If a number is out of range.
    """
    from ternary_cli.progress_line import progress_line
    from ternary_export.vast_certifying import Effort

    folder = build.parent / f"{build.name}.counting"
    with progress_line() as watch:
        yield Effort(draws=draws, operations=operations, folder=folder, watch=watch)


def _export_training(source: Path, rule: str | None, out: Path, asked: _Asked, *, as_json: bool) -> None:
    from ternary_cli.terminal import note

    with vendor_extra("ternary export"):
        from ternary_export import export as exporting
        from ternary_export import vast_certifying
        from ternary_trainer import checkpoint, run
    _expect_new(out)
    chosen = run.open(source) if source.is_dir() else checkpoint.load(source)
    if isinstance(chosen, checkpoint.Checkpoint):
        for changed in chosen.notes:
            note(f"{source}: {changed}")
    with _effort(*asked, out) as effort:
        build = exporting.export(chosen, released=datetime.now(UTC), rule=rule, effort=effort, tell=note)
        build.write(out)
        vast_certifying.forget(build, effort)
    origin = build.provenance.origin
    why = origin.reason
    if origin.kind == "checkpoint" and origin.epoch is not None:
        why = f"Epoch {origin.epoch}: {origin.reason}"
    facts = {"build": str(out), "epoch": origin.epoch, "reason": origin.reason, "weights": origin.weights}
    _show_build(build, facts, {"build": str(out), "snapshot": why}, as_json=as_json)


def _export_onnx(
    decoder: Path,
    encoder: Path | None,
    space: str,
    out: Path,
    asked: _Asked,
    *,
    class_first: bool,
    as_json: bool,
) -> None:
    from ternary_cli.files import read
    from ternary_cli.terminal import note
    from ternary_sdk.space import Space

    with vendor_extra("ternary export"):
        from ternary_export import bringing, vast_certifying
        from ternary_export.foreign.reading import MAX_FILE
    chosen = Space.parse(space)
    _expect_new(out)
    given = bringing.File(*read(decoder, most=MAX_FILE))
    given_encoder = bringing.File(*read(encoder, most=MAX_FILE)) if encoder is not None else None
    with _effort(*asked, out) as effort:
        build = bringing.bring(
            given,
            given_encoder,
            space=chosen,
            released=datetime.now(UTC),
            class_first=class_first,
            effort=effort,
            tell=note,
        )
        build.write(out)
        vast_certifying.forget(build, effort)
    origin, signature = build.provenance.origin, build.provenance.signature
    facts = {
        "build": str(out),
        "space": chosen.to_json(),
        "latent_size": signature.latent_size,
        "reason": origin.reason,
        "decoder": origin.file,
        "encoder": origin.encoder_file,
        "weights": origin.weights,
        "compared": [bringing.compared(parity) for parity in build.provenance.parity],
    }
    words = {"build": str(out), "model": str(signature), **bringing.words(build)}
    _show_build(build, facts, words, as_json=as_json)


def _expect_new(out: Path) -> None:
    from ternary_sdk.errors import InputError

    if out.exists():
        raise InputError(f"{out}: exists already, expected a folder that does not")


def _show_build(build: "Build", facts: dict[str, Any], words: dict[str, str], *, as_json: bool) -> None:
    from ternary_cli.certified import coverage_facts, coverage_lines
    from ternary_cli.terminal import pairs, show, show_json

    if as_json:
        show_json(facts | {"paths": {claim.path: coverage_facts(claim) for claim in build.certificate.paths}})
        return
    show([*pairs(words), "", *coverage_lines(build.certificate), *_more(build, Path(words["build"]))])


def _more(build: "Build", folder: Path) -> list[str]:
    """How a certificate of a vast space that took few draws can be made to say more."""
    from ternary_export.vast_certifying import QUICK
    from ternary_sdk._internal.certificates.vast_path import VastPath

    draws = [claim.evenness.draws for claim in build.certificate.paths if isinstance(claim, VastPath)]
    if not draws or max(draws) > QUICK:
        return []
    return [f"A quick certificate. More draws prove more: ternary certify {folder} --draws 1e9"]


def certify(
    build: BuildFolder, draws: Draws = None, operations: Operations = None, as_json: JsonOption = False
) -> None:
    """Vendor: compute a build's certificate, again if it has one; 'ternary package' signs it."""
    from ternary_cli.certified import coverage_facts, coverage_lines
    from ternary_cli.files import write
    from ternary_cli.terminal import note, show, show_json
    from ternary_sdk._internal.certificates.statement import CERTIFICATE

    with vendor_extra("ternary certify"):
        from ternary_export import certifying, vast_certifying
        from ternary_export.build import Draft
    with _effort(draws, operations, build) as effort:
        done = certifying.completed(Draft.read(build), effort, tell=note)
        certificate, file = done.certificate, build / CERTIFICATE
        state = certifying.compared(certificate, file)
        if state is not certifying.State.CONFIRMED:
            for name, data in done.binary.items():
                write(data, build / name)
            write(certificate.to_statement(), file)
        vast_certifying.forget(done, effort)
    if as_json:
        paths = {claim.path: coverage_facts(claim) for claim in certificate.paths}
        show_json({"certificate": str(file), "state": state, "paths": paths})
        return
    words = {
        certifying.State.WRITTEN: "written; the build had none",
        certifying.State.CONFIRMED: "computed again and confirmed",
        certifying.State.REPLACED: "replaced; it said something else",
    }
    show([f"{file}: {words[state]}", "", *coverage_lines(certificate)])
