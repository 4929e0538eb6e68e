"""
``ternary verify`` and ``ternary info``: what a package is, and whether it is what it says.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from ternary_cli.options import JsonOption, PackageArgument, TrustOption, option

if TYPE_CHECKING:
    from ternary_cli.selection import Selection
    from ternary_sdk.packages.package import Package

ReplayOption = Annotated[bool, option("--replay", text="Also recompute the certified draws.")]
ModelOption = Annotated[
    Path | None, option("--model", metavar="DECODER.onnx", text="FILE is a certificate of this decoder.")
]
EncoderOption = Annotated[
    Path | None, option("--encoder", metavar="ENCODER.onnx", text="Prove the encodings too.")
]


def verify(
    package: PackageArgument = None,
    trust: TrustOption = None,
    replay: ReplayOption = False,
    model: ModelOption = None,
    encoder: EncoderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a package's signatures and prove its certificate."""
    from ternary_cli.facts import package_facts
    from ternary_cli.selection import select
    from ternary_cli.terminal import show, show_json

    if model is not None or encoder is not None:
        from ternary_cli.replaying import verify_certificate

        verify_certificate(package, model, encoder, trust, as_json=as_json)
        return
    selection = select(package, None, trust)
    read = selection.read()
    facts = package_facts(read, selection.trust, len(selection.package))
    reached = None if read.locked and selection.license is None else _reached(selection)
    draws = _replayed(read) if replay else []
    if as_json:
        show_json({"verified": True, "proved_reachable": reached, "replayed": replay, **facts})
        return
    lines = [
        f"{facts['name']} is what {facts['vendor']} signed (root {facts['root']})",
        f"sha256 {facts['digest']}",
    ]
    if reached is None:
        show([*lines, "signed; not re-proved: its graphs are encrypted, and only its license has the key"])
        return
    lines += [
        f"path {path}: {number:,} reachable operations proved on this machine"
        for path, number in reached.items()
    ]
    show(lines + draws)


def _reached(selection: "Selection") -> dict[str, int]:
    """How many operations each path was proved to reach, just now."""
    with selection.open() as model:
        return {claim.path: len(model.reachable(path=claim.path)) for claim in model.certificate.paths}


def _replayed(package: "Package") -> list[str]:
    from ternary_cli.replaying import replayed

    return replayed(package)


def info(package: PackageArgument = None, trust: TrustOption = None, as_json: JsonOption = False) -> None:
    """Show what a package is and what its certificate says."""
    from ternary_cli.facts import coverage_lines, package_facts, package_words
    from ternary_cli.selection import select
    from ternary_cli.terminal import pairs, show, show_json

    selection = select(package, None, trust)
    read = selection.read()
    facts = package_facts(read, selection.trust, len(selection.package))
    if as_json:
        show_json(facts)
        return
    show([*pairs(package_words(facts)), "", *coverage_lines(read.certificate)])


def unpack(
    out: Annotated[Path, option("--out", "-o", metavar="DIR", text="A folder that does not exist yet.")],
    package: PackageArgument = None,
    trust: TrustOption = None,
) -> None:
    """Write a verified package's files to a folder, where other tools can look at them."""
    from ternary_cli.files import write_folder
    from ternary_cli.selection import select
    from ternary_cli.terminal import show

    read = select(package, None, trust).read()
    write_folder(read.members, out)
    show([f"{out}: {len(read.members)} files of {read.manifest.label}"])
