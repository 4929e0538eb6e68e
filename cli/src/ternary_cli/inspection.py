"""
``ternary verify`` and ``ternary info``: what a package is, and whether it is what it says.
"""

from typing import TYPE_CHECKING

from ternary_cli.options import JsonOption, PackageArgument, TrustOption

if TYPE_CHECKING:
    from ternary_cli.selection import Selection


def verify(package: PackageArgument = None, trust: TrustOption = None, as_json: JsonOption = False) -> None:
    """Check a package's signatures and prove its certificate."""
    from ternary_cli.facts import package_facts
    from ternary_cli.selection import select
    from ternary_cli.terminal import show, show_json

    selection = select(package, None, trust)
    read = selection.read()
    facts = package_facts(read, selection.trust, len(selection.package))
    reached = None if read.locked and selection.license is None else _reached(selection)
    if as_json:
        show_json({"verified": True, "proved_reachable": reached, **facts})
        return
    lines = [
        f"{facts['name']} is what {facts['vendor']} signed (root {facts['root']})",
        f"sha256 {facts['digest']}",
    ]
    if reached is None:
        show([*lines, "signed; not re-proved: its graphs are encrypted, and only its license has the key"])
        return
    show(
        lines
        + [
            f"path {path}: {number:,} reachable operations proved on this machine"
            for path, number in reached.items()
        ]
    )


def _reached(selection: "Selection") -> dict[str, int]:
    """How many operations each path was proved to reach, just now."""
    with selection.open() as model:
        return {claim.path: len(model.reachable(path=claim.path)) for claim in model.certificate.paths}


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
