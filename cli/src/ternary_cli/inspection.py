"""
``ternary info`` and ``ternary unpack``: what a package is, and its files.
"""

from pathlib import Path
from typing import Annotated

from ternary_cli.options import JsonOption, PackageArgument, StateOption, TrustOption, option


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
