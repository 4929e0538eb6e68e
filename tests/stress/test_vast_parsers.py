"""Random damage to certificates of vast spaces and to their binary members: a refusal of ours, soon."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.stress.test_parsers import PLACES, Edit, edited, edits, effort, feed, replanted, tree_edits
from tests.vectors import vast

from ternary_sdk._internal.certificates import reading
from ternary_sdk._internal.certificates.records import Records
from ternary_sdk._internal.certificates.vast_certificate import VastCertificate

STATEMENT = vast.statement()
MEMBERS = vast.binary()
CLAIM = VastCertificate.from_statement(STATEMENT).paths[0]


@effort
@given(changes=edits)
def test_statements_as_bytes(changes: list[Edit]) -> None:
    feed(
        "vast certificate, bytes",
        reading.from_statement,
        (edited(STATEMENT, changes, shift) for shift in range(PLACES)),
    )


@effort
@given(changes=tree_edits)
def test_statements_as_trees(changes: list[tuple[str, float, Any]]) -> None:
    feed(
        "vast certificate, trees",
        reading.from_statement,
        (replanted(STATEMENT, changes, shift) for shift in range(PLACES)),
    )


@effort
@given(changes=edits, name=st.sampled_from(["blocks_A.bin", "near_ties_A.bin", "failures_A.bin"]))
def test_binary_members(changes: list[Edit], name: str) -> None:
    feed(
        "binary member",
        lambda data: Records.read(CLAIM, MEMBERS | {name: data}),
        (edited(MEMBERS[name], changes, shift) for shift in range(PLACES)),
    )
