"""
Verifying a package: its signatures, then what its graphs do on this machine.

What is printed tells apart what somebody signed and what was computed here, and says what was left open.
"""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ternary_cli.chosen import choose_to_verify, or_evaluation
from ternary_cli.facts import package_facts, signature_words
from ternary_cli.journal import COUNTS, DRAWS, PACKAGE, REACHABLE, RECOUNT, Journal
from ternary_cli.recounting import recount_facts, recount_lines, recount_path
from ternary_cli.replaying import draws_line, sampled_line
from ternary_cli.selection import Selection, fetched
from ternary_cli.terminal import not_proved_line, show, show_json
from ternary_cli.wanted import Wanted
from ternary_sdk._internal.certificates.path_coverage import PathCoverage
from ternary_sdk._internal.certificates.vast_path import VastPath
from ternary_sdk._internal.inference.vast_proof import Replayed
from ternary_sdk._internal.packages.package import Package
from ternary_sdk._internal.packages.verification import Result
from ternary_sdk.errors import InputError, ProofError
from ternary_sdk.model import Model

CLOSED: Final = "signed; not re-proved: its graphs are encrypted, and only its license has the key"
UNDRAWN: Final = "the certified draws; add --replay"
UNCOUNTED: Final = (
    "how many different operations the certified draws hold, which is the vendor's word; "
    "count draws of your own with --recount N"
)
OTHER_BLOCKS: Final = "the other blocks of the certified draws; leave --blocks out"
_NOT_ASKED: Final = "not asked for; add --replay"


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was computed here."""

    reached: dict[str, int]
    """Operations of each path of a listed space that were proved reachable."""

    lines: list[str]
    """All of it in words."""

    left: list[str]
    """What was certified and not computed here."""

    recount: dict[str, Any] | None
    """What the buyer's own draws gave."""


def verify_package(
    package: Path | None,
    license: Path | None,
    trust: Path | None,
    machine_id: str | None,
    state: Path | None,
    *,
    asked: Wanted,
    as_json: bool,
) -> None:
    """Verify a package and say what was found; evidence is written whatever that is.

    Raises:
        TernaryError: If something is not as it must be.
    """
    chosen = choose_to_verify(package, license, trust, machine_id, state=state)
    given = fetched(or_evaluation(chosen), state)
    journal = Journal(given, recount=asked.recount.draws is not None)
    with ExitStack() as held:
        if asked.evidence is not None:
            held.callback(journal.write, asked.evidence)
        with journal.checking(PACKAGE, None, "signatures, digests and form are as they must be"):
            selection = given.verified()
        journal.know(selection.package, _recounted_path(selection.package, asked))
        found = _computed(selection, asked, journal)
    _tell(selection, found, asked, as_json=as_json)


def _computed(selection: Selection, asked: Wanted, journal: Journal) -> Found | None:
    """What the graphs do; None where they are encrypted and there is no license."""
    read = selection.package
    if read.locked and selection.license is None:
        if asked.graphs is not None:
            raise InputError(
                f"{read.manifest.label}: its graphs are encrypted, and {asked.graphs} needs the license that "
                "has their key; add --license L"
            )
        for path in read.signature.paths:
            for name in (REACHABLE, DRAWS, COUNTS):
                journal.note(name, path, Result.UNKNOWN, CLOSED)
        return None
    try:
        model = selection.open()
    except ProofError as refusal:
        if refusal.path is not None:
            journal.note(REACHABLE, refusal.path, Result.FAILED, str(refusal))
        raise
    with model:
        return _proved(model, asked, journal)


def _proved(model: Model, asked: Wanted, journal: Journal) -> Found:
    claims: tuple[PathCoverage | VastPath, ...] = model.certificate.paths
    listed = model.space.listed
    reached = {claim.path: len(model.reachable(path=claim.path)) for claim in claims if listed}
    lines = [_opened_line(claim, reached) for claim in claims]
    for claim, line in zip(claims, lines, strict=True):
        journal.note(REACHABLE, claim.path, Result.PASSED, line)
        for name in () if asked.replay else (DRAWS, COUNTS):
            journal.note(name, claim.path, Result.UNKNOWN, _NOT_ASKED)
    counted = asked.replay
    for claim in claims if asked.replay else ():
        with journal.checking(DRAWS, claim.path, "replayed as certified"):
            replayed = model.replay(path=claim.path, blocks=asked.blocks)
        lines.append(draws_line(claim.path, replayed))
        journal.note(DRAWS, claim.path, Result.PASSED, lines[-1])
        if isinstance(replayed, Replayed) and not replayed.counted:
            counted = False
            journal.note(COUNTS, claim.path, Result.UNKNOWN, f"not proved: {UNCOUNTED}")
        else:
            journal.note(COUNTS, claim.path, Result.PASSED, lines[-1])
    left = [UNDRAWN] if not asked.replay else [OTHER_BLOCKS] if asked.blocks is not None else []
    if not listed and not counted:
        left.append(UNCOUNTED)
    if asked.recount.draws is None:
        return Found(reached=reached, lines=lines, left=left, recount=None)
    counted_here = f"{asked.recount.draws:,} draws counted here"
    with journal.checking(RECOUNT, _recounted_path(model.package, asked), counted_here):
        recounted = recount_path(model, asked.recount)
    journal.count(recounted)
    lines += recount_lines(recounted)
    return Found(reached=reached, lines=lines, left=left, recount=recount_facts(recounted))


def _recounted_path(package: Package, asked: Wanted) -> str | None:
    """The path that a recount is of; None if none is asked for, or the package has no such path."""
    path = package.manifest.default_path if asked.recount.path is None else asked.recount.path
    return path if asked.recount.draws is not None and path in package.signature.paths else None


def _opened_line(claim: PathCoverage | VastPath, reached: dict[str, int]) -> str:
    if isinstance(claim, VastPath):
        return sampled_line(claim)
    return f"path {claim.path}: {reached[claim.path]:,} reachable operations proved on this machine"


def _tell(selection: Selection, found: Found | None, asked: Wanted, *, as_json: bool) -> None:
    facts = package_facts(selection.package, selection.trust, selection.size)
    left = [CLOSED] if found is None else found.left
    if as_json:
        show_json(
            {
                "verified": True,
                "proved_reachable": None if found is None else found.reached,
                "replayed": asked.replay,
                "not_proved": left,
                "recount": None if found is None else found.recount,
                **facts,
            }
        )
        return
    signed = f"{facts['name']} is what {facts['vendor']} signed (root {facts['root']})"
    proofs = [CLOSED] if found is None else [*found.lines, *map(not_proved_line, left)]
    show([signed, f"sha256 {facts['digest']}", signature_words(facts, facts["paths"]), *proofs])
