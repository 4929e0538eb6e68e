"""
``ternary export``, ``certify`` and ``package``: from trained weights to a signed package.
"""

from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from ternary_cli.options import JsonOption, KeysOption, NewFileOption, argument, option
from ternary_cli.vendor_extra import vendor_extra

if TYPE_CHECKING:
    from ternary_sdk._internal.packages.validation import Validation

Source = Annotated[Path, argument("RUN|CHECKPOINT.pt", "What 'ternary train' made, or a v5.5 checkpoint.")]
NewFolder = Annotated[Path, option("--out", "-o", metavar="BUILD", text="A folder that does not exist yet.")]
Rule = Annotated[
    str | None,
    option("--best-by", metavar="RULE", text="Of a run's snapshots: coverage (the default), elbo or loss."),
]
BuildFolder = Annotated[Path, argument("BUILD", "What 'ternary export' made.")]
Name = Annotated[str, option("--name", metavar="N", text="Lowercase letters, digits and hyphens.")]
Version = Annotated[str, option("--version", metavar="V", text="MAJOR.MINOR.PATCH, such as 1.0.0.")]
Terms = Annotated[
    Path | None, option("--terms", metavar="FILE.md", text="License terms; default: the standard ones.")
]

ContentKey = Annotated[
    Path | None,
    option("--content-key", metavar="F", text="Encrypt the graphs under this release's key; made if new."),
]
ValidationFile = Annotated[
    Path | None,
    option(
        "--validation", metavar="F.json", text="Carry what 'ternary validate' found of the same snapshot."
    ),
]


def export(source: Source, out: NewFolder, rule: Rule = None, as_json: JsonOption = False) -> None:
    """Vendor: make graphs and a certificate of a run or of a v5.5 checkpoint."""
    from ternary_cli.facts import coverage_facts, coverage_lines
    from ternary_cli.terminal import note, pairs, show, show_json
    from ternary_sdk.errors import InputError

    with vendor_extra("ternary export"):
        from ternary_export import export as exporting
        from ternary_trainer import checkpoint, run
    if out.exists():
        raise InputError(f"{out}: exists already, expected a folder that does not")
    chosen = run.open(source) if source.is_dir() else checkpoint.load(source)
    if isinstance(chosen, checkpoint.Checkpoint):
        for changed in chosen.notes:
            note(f"{source}: {changed}")
    build = exporting.export(chosen, released=datetime.now(UTC), rule=rule, tell=note)
    build.write(out)
    origin = build.provenance.origin
    facts = {"build": str(out), "epoch": origin.epoch, "reason": origin.reason}
    if as_json:
        paths = {claim.path: coverage_facts(claim) for claim in build.certificate.paths}
        show_json(facts | {"weights": origin.weights, "paths": paths})
        return
    why = origin.reason
    if origin.kind == "checkpoint" and origin.epoch is not None:
        why = f"Epoch {origin.epoch}: {origin.reason}"
    words = {"build": str(out), "snapshot": why}
    show([*pairs(words), "", *coverage_lines(build.certificate)])


def certify(build: BuildFolder, as_json: JsonOption = False) -> None:
    """Vendor: compute a build's certificate, again if it has one; 'ternary package' signs it."""
    from ternary_cli.facts import coverage_facts, coverage_lines
    from ternary_cli.files import write
    from ternary_cli.terminal import note, show, show_json
    from ternary_sdk._internal.certificates.certificate import CERTIFICATE

    with vendor_extra("ternary certify"):
        from ternary_export import certifying
        from ternary_export.build import Draft
    certificate = certifying.certify(Draft.read(build), tell=note)
    file = build / CERTIFICATE
    state = certifying.compared(certificate, file)
    if state is not certifying.State.CONFIRMED:
        write(certificate.to_statement(), file)
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


def package(
    build: BuildFolder,
    name: Name,
    version: Version,
    keys: KeysOption,
    out: NewFileOption,
    terms: Terms = None,
    content_key: ContentKey = None,
    validation: ValidationFile = None,
    as_json: JsonOption = False,
) -> None:
    """Vendor: prove a build's certificate again, sign it, make one .ternary file of both."""
    from ternary_cli.facts import package_facts, package_words
    from ternary_cli.files import read_text, write_new
    from ternary_cli.terminal import pairs, show, show_json
    from ternary_sdk._internal.identity import format_version, parse_version
    from ternary_sdk._internal.packages.members import TERMS, cap
    from ternary_sdk._internal.packages.package import Package
    from ternary_sdk._internal.trust.trust import Role

    with vendor_extra("ternary package"):
        from ternary_export import packaging
        from ternary_export.build import Build
        from ternary_license_server.keys import content_key as content_keys
        from ternary_license_server.keys import keyring
    ring, release = keyring.load(keys), f"{name}-{format_version(parse_version(version))}"
    with content_keys.of(content_key, release) if content_key else nullcontext() as secret:
        data = packaging.package(
            Build.read(build),
            name=name,
            version=parse_version(version),
            signer=ring.signer(Role.PACKAGE),
            terms=read_text(terms, most=cap(TERMS)) if terms else None,
            content_key=secret,
            validation=_validation(validation) if validation else None,
        )
        facts = package_facts(Package.read(data, ring.trust), ring.trust, len(data))
        write_new(data, out)
    show_json(facts | {"file": str(out)}) if as_json else show(
        pairs({"file": str(out)} | package_words(facts))
    )


def _validation(file: Path) -> "Validation":
    from ternary_cli.files import read
    from ternary_sdk._internal.documents import outer
    from ternary_sdk._internal.packages.members import VALIDATION, cap
    from ternary_sdk._internal.packages.validation import Validation

    data, name = read(file, most=cap(VALIDATION))
    return Validation.read(outer.bare(data, name), name)
