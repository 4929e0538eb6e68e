"""
``ternary verify`` and ``ternary info``: what a package is, and whether it is what it says.
"""

from ternary_cli.options import JsonOption, PackageArgument, TrustOption


def verify(package: PackageArgument = None, trust: TrustOption = None, as_json: JsonOption = False) -> None:
    """Check a package's signatures and prove its certificate."""
    from ternary_cli.facts import package_facts
    from ternary_cli.selection import select
    from ternary_cli.terminal import show, show_json

    selection = select(package, None, trust)
    with selection.open() as model:
        facts = package_facts(model.package, selection.trust, len(selection.package))
        reached = {path: len(model.reachable(path=path)) for path in facts["paths"]}
    if as_json:
        show_json({"verified": True, "proved_reachable": reached, **facts})
        return
    show(
        [
            f"{facts['name']} is what {facts['vendor']} signed (root {facts['root']})",
            f"sha256 {facts['digest']}",
            *(
                f"path {path}: {count:,} reachable operations proved on this machine"
                for path, count in reached.items()
            ),
        ]
    )


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
