"""
``ternary verify`` and ``ternary info``: what a package is, and whether it is what it says.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from ternary_cli.options import (
    JsonOption,
    LicenseOption,
    MachineOption,
    PackageArgument,
    StateOption,
    TrustOption,
    argument,
    large,
    option,
    size,
    whole,
)

if TYPE_CHECKING:
    from ternary_cli.recounting import Wish
    from ternary_cli.selection import Selection
    from ternary_sdk._internal.packages.package import Package

CLOSED: Final = "signed; not re-proved: its graphs are encrypted, and only its license has the key"
_UNDRAWN: Final = "the certified draws; add --replay"
_UNCOUNTED: Final = "the counts of draws, which the vendor signed; add --recount N for your own"

VerifiedArgument = Annotated[
    Path | None,
    argument("FILE", "A .ternary package, else the pinned or evaluation one; or a signed folder."),
]
ReplayOption = Annotated[bool, option("--replay", text="Also recompute the certified draws.")]
ModelOption = Annotated[
    Path | None, option("--model", metavar="DECODER.onnx", text="FILE is a certificate of this decoder.")
]
RecountOption = Annotated[
    int | None, large("--recount", metavar="N", text="Draw N rows with a seed of your own, such as 1e8.")
]
SeedOption = Annotated[
    int | None, whole("--seed", metavar="S", text="Of the recount, 0 to 2^64 - 1; default: a random one.")
]
RecountedPathOption = Annotated[
    str | None,
    option("--path", metavar="P", text="The path to recount; default: the package's default path."),
]
ClusterOption = Annotated[
    str | None,
    option("--cluster", metavar="ADDRESS", text="Recount on a Dask cluster: its scheduler's address."),
]
FolderOption = Annotated[
    Path | None,
    option("--folder", metavar="DIR", text="For the recount's files; default: a temporary one."),
]
ResumeOption = Annotated[bool, option("--resume", text="Go on with an interrupted recount's files.")]
MemoryOption = Annotated[
    int | None, size("--memory", metavar="SIZE", text="Of all workers, as 2G; default: 256M each.")
]
EncoderOption = Annotated[
    Path | None, option("--encoder", metavar="ENCODER.onnx", text="Prove the encodings too.")
]


def verify(
    package: VerifiedArgument = None,
    trust: TrustOption = None,
    license: LicenseOption = None,
    machine_id: MachineOption = None,
    state: StateOption = None,
    replay: ReplayOption = False,
    model: ModelOption = None,
    encoder: EncoderOption = None,
    recount: RecountOption = None,
    seed: SeedOption = None,
    path: RecountedPathOption = None,
    cluster: ClusterOption = None,
    folder: FolderOption = None,
    resume: ResumeOption = False,
    memory: MemoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a package's signatures and prove its certificate."""
    of_packages: Mapping[str, object] = {
        "--license": license,
        "--machine-id": machine_id,
        "--replay": replay,
        "--recount": recount,
    }
    graphs: Mapping[str, object] = {"--model": model, "--encoder": encoder}
    if package is not None and package.is_dir():
        from ternary_cli.signed_folder import verify_folder

        _refuse({**of_packages, **graphs}, "of a folder only the signature is verified")
        verify_folder(package, trust, state, as_json=as_json)
    elif any(graphs.values()):
        from ternary_cli.replaying import verify_certificate

        _refuse(of_packages, "a certificate needs no license and its draws are always replayed")
        verify_certificate(package, model, encoder, trust, state, as_json=as_json)
    else:
        from ternary_cli.recounting import Wish

        wish = Wish(
            draws=recount,
            seed=seed,
            path=path,
            cluster=cluster,
            folder=folder,
            resume=resume,
            memory=memory,
        )
        wish.check()
        _verify_package(package, license, trust, machine_id, state, replay=replay, wish=wish, as_json=as_json)


def _refuse(given: Mapping[str, object], why: str) -> None:
    """Refuse options that would otherwise be passed over in silence."""
    from ternary_sdk.errors import InputError

    for name, value in given.items():
        if value:
            raise InputError(f"{name}: {why}; leave it out")


def _verify_package(
    package: Path | None,
    license: Path | None,
    trust: Path | None,
    machine_id: str | None,
    state: Path | None,
    *,
    replay: bool,
    wish: "Wish",
    as_json: bool,
) -> None:
    from ternary_cli.chosen import choose_to_verify, or_evaluation
    from ternary_cli.facts import package_facts, signature_words
    from ternary_cli.selection import selected
    from ternary_cli.terminal import not_proved_line, show, show_json
    from ternary_sdk.errors import InputError

    chosen = choose_to_verify(package, license, trust, machine_id, state=state)
    selection = selected(or_evaluation(chosen), state)
    read = selection.package
    closed = read.locked and selection.license is None
    if closed and (replay or wish.draws):
        raise InputError(
            f"{read.manifest.label}: its graphs are encrypted, and {'--replay' if replay else '--recount'} "
            "needs the license that has their key; add --license L"
        )
    reached, proofs, recounted = (None, [CLOSED], None) if closed else _proved(selection, replay, wish)
    left = [CLOSED] if closed else _left(read, replay, wish)
    facts = package_facts(read, selection.trust, selection.size)
    if as_json:
        found = {"verified": True, "proved_reachable": reached, "replayed": replay, "not_proved": left}
        show_json(found | {"recount": recounted} | facts)
        return
    signed = f"{facts['name']} is what {facts['vendor']} signed (root {facts['root']})"
    open_ends = [] if closed else map(not_proved_line, left)
    show([signed, f"sha256 {facts['digest']}", signature_words(facts, facts["paths"]), *proofs, *open_ends])


def _left(package: "Package", replay: bool, wish: "Wish") -> list[str]:
    """What a verified package claims by its signature alone: draws, and in a vast space their counts."""
    from ternary_sdk._internal.certificates.vast_certificate import VastCertificate
    from ternary_sdk._internal.inference.vast_proof import COUNTED

    left = [] if replay else [_UNDRAWN]
    if isinstance(package.certificate, VastCertificate) and wish.draws is None:
        most = max(claim.evenness.draws for claim in package.certificate.paths)
        left += [] if replay and most <= COUNTED else [_UNCOUNTED]
    return left


def _proved(
    selection: "Selection", replay: bool, wish: "Wish"
) -> tuple[dict[str, int], list[str], dict[str, Any] | None]:
    """How many operations each path of a listed space was proved to reach, just now; what was proved, in
    words; and what was recounted, if that was asked for."""
    from ternary_cli.recounting import recount_facts, recount_lines, recount_path
    from ternary_cli.replaying import draws_line, sampled_line

    with selection.open() as model:
        claims, listed = model.certificate.paths, model.space.listed
        reached = {one.path: len(model.reachable(path=one.path)) for one in claims if listed}
        sampled = [sampled_line(claim) for claim in claims if not listed]
        draws = [draws_line(one.path, model.replay(path=one.path)) for one in claims if replay]
        recounted = None if wish.draws is None else recount_path(model, wish)
    proofs = sampled + [
        f"path {path}: {number:,} reachable operations proved on this machine"
        for path, number in reached.items()
    ]
    if recounted is None:
        return reached, proofs + draws, None
    return reached, proofs + draws + recount_lines(recounted), recount_facts(recounted)


def info(
    package: PackageArgument = None,
    trust: TrustOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a package is and what its certificate says."""
    from ternary_cli.certified import AS_SIGNED, coverage_lines
    from ternary_cli.facts import package_facts, package_words
    from ternary_cli.selection import select
    from ternary_cli.terminal import pairs, show, show_json

    selection = select(package, None, trust, state=state)
    read = selection.package
    facts = package_facts(read, selection.trust, selection.size)
    if as_json:
        show_json(facts)
        return
    told = [*pairs(package_words(facts)), "", *coverage_lines(read.certificate)]
    show(told if read.signature.space.listed else [*told, AS_SIGNED])


def unpack(
    out: Annotated[Path, option("--out", "-o", metavar="DIR", text="A folder that does not exist yet.")],
    package: PackageArgument = None,
    trust: TrustOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a verified package's files to a folder, where other tools can look at them."""
    from ternary_cli.selection import select
    from ternary_cli.terminal import show, show_json
    from ternary_sdk._internal import folder

    read = select(package, None, trust, state=state).package
    folder.write(read.members, out)
    if as_json:
        show_json({"folder": str(out), "package": read.manifest.label, "files": sorted(read.members)})
    else:
        show([f"{out}: {len(read.members)} files of {read.manifest.label}"])
