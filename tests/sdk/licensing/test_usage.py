import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.licensing import installation, usage
from ternary_sdk._internal.licensing.counted import Acknowledged, Counted, Growth
from ternary_sdk._internal.licensing.installation import Installation
from ternary_sdk._internal.licensing.usage import FORMAT, TYP, Difference, Usage, report, reports
from ternary_sdk.errors import FormatError, SignatureError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Space

SOME = OperationSet.of([0, 7, 19682])


def counted(operations: OperationSet = SOME) -> Counted:
    """A set as a meter holds it."""
    return Counted(
        lease="S-1",
        owner="Initech",
        history="A" * 22,
        sequence=3,
        operations=operations,
        acknowledged=Acknowledged(operations=1, sha256=OperationSet.of([0]).digest),
    )


@pytest.fixture
def held(tmp_path: Path) -> Installation:
    return installation.draft(tmp_path)


def signed(held: Installation, claims: Json) -> bytes:
    token = held.sign_token(claims, typ=TYP).decode()
    return canonical.encode({"format": FORMAT, "key": held.public.jwk, "report": token})


def claims_of(data: bytes, held: Installation) -> dict[str, Json]:
    token = json.loads(data)["report"].encode()
    claims = held.read_token(token, typ=TYP, what="usage report")
    assert isinstance(claims, dict)
    return claims


def test_report_says_what_was_drawn_and_who_counted(held: Installation, now: datetime) -> None:
    assert Usage.read(report("L-17", counted(), held, now)) == Usage(
        license_id="L-17", issued=now, counted=counted(), operations=SOME, installation=held.public
    )


def test_report_of_everything_is_compact(held: Installation, now: datetime) -> None:
    assert len(report("L-17", counted(OperationSet.of(range(19683))), held, now)) < 5500


def test_reports_merge_by_union_and_show_a_lost_meter(held: Installation, now: datetime) -> None:
    first, second = (
        Usage.read(report("L-17", counted(OperationSet.of(indices)), held, now)).operations
        for indices in ([1, 2, 3], [3, 4])
    )
    assert len(first | second) == 4
    assert list(first - second) == [1, 2]


EMPTY = "usage report.sequence: an empty set has sequence 0 and no history, any other set has both"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"set": {"operations": 4}}, "usage report.set.operations: 4, expected 3"),
        ({"set": {"sha256": "0" * 64}}, None),
        ({"set": {"bitmap": "AAAA"}}, "bitmap: 3 bytes, expected 2461"),
        ({"set": {"kind": "difference"}}, "usage report.set.kind: 'difference', expected 'whole'"),
        ({"sequence": 0}, EMPTY),
        ({"history": None}, EMPTY),
        ({"history": "AAAA"}, "usage report.history: expected 16 bytes in base64url"),
        ({"sequence": -1}, f"usage report.sequence: -1, expected an integer from 0 to {2**53 - 1}"),
        ({"base": {"operations": 1}}, "usage report.base: member 'sha256' is missing"),
        ({"lease": "a b"}, None),
        ({"owner": "a\u202eb"}, None),
        (
            {"license": "a b"},
            "usage report.license: 'a b', expected text of the form [A-Za-z0-9][A-Za-z0-9._-]{0,63}",
        ),
        ({"extra": 1}, "usage report: unknown member 'extra'"),
    ],
)
def test_report_that_contradicts_itself_is_refused(
    held: Installation, now: datetime, change: dict[str, Json], message: str | None
) -> None:
    claims = claims_of(report("L-17", counted(), held, now), held)
    whole = {"set": claims["set"] | change["set"]} if "set" in change else {}  # type: ignore[operator]
    with pytest.raises(FormatError) as refusal:
        Usage.read(signed(held, claims | change | whole))
    assert message is None or str(refusal.value) == message


def test_report_by_another_installation_is_refused(held: Installation, now: datetime, tmp_path: Path) -> None:
    other = installation.draft(tmp_path)
    document = json.loads(report("L-17", counted(), held, now)) | {"key": other.public.jwk}
    with pytest.raises(SignatureError) as refusal:
        Usage.read(json.dumps(document, sort_keys=True, separators=(",", ":")).encode())
    assert str(refusal.value) == f"usage report: signed by key {held.kid}, it names {other.kid}"


def test_every_flipped_byte_of_a_report_is_refused(held: Installation, now: datetime) -> None:
    data = report("L-17", counted(), held, now)
    for position in range(0, len(data), 7):
        altered = bytearray(data)
        altered[position] ^= 1 << position % 8
        with pytest.raises((FormatError, SignatureError)):
            Usage.read(bytes(altered))


def test_file_of_any_size_is_not_read(held: Installation) -> None:
    with pytest.raises(FormatError) as refusal:
        Usage.read(bytes((12 << 20) + 1))
    assert str(refusal.value) == "usage report: 12582913 bytes, expected at most 12582912"


VAST = Space(3, 3)
BEFORE, NEW = OperationSet.of([5, 7], VAST), OperationSet.of([6, 2**40], VAST)
GROWTH = Growth(
    lease="S-1", owner="Initech", history="A" * 22, sequence=3, acknowledged=Acknowledged.of(BEFORE)
)


def vast(pending: OperationSet | None = NEW, acknowledged: Acknowledged | None = None) -> Counted:
    """A set of a vast space as a meter holds it."""
    return Counted(
        lease="S-1",
        owner="Initech",
        history="A" * 22,
        sequence=3,
        operations=BEFORE | NEW,
        pending=pending,
        acknowledged=acknowledged,
    )


def test_report_of_a_vast_set_states_what_its_base_lacks(held: Installation, now: datetime) -> None:
    assert Usage.read(report("L-17", vast(acknowledged=Acknowledged.of(BEFORE)), held, now)) == Usage(
        license_id="L-17",
        issued=now,
        counted=GROWTH,
        operations=NEW,
        installation=held.public,
        difference=Difference(after=Acknowledged.of(BEFORE | NEW), complete=True),
    )


def test_report_without_a_base_states_all_of_a_vast_set(held: Installation, now: datetime) -> None:
    read = Usage.read(report("L-17", vast(pending=None), held, now))
    assert read.counted is not None
    assert (read.counted.acknowledged, read.operations) == (None, BEFORE | NEW)


def test_settled_vast_set_is_reported_with_an_empty_difference(held: Installation, now: datetime) -> None:
    none, whole = OperationSet.of([], VAST), Acknowledged.of(BEFORE | NEW)
    settled = vast(pending=none, acknowledged=whole)
    read = Usage.read(report("L-17", settled, held, now))
    assert (read.operations, read.difference) == (none, Difference(after=whole, complete=True))
    assert settled.settled
    assert not vast().settled


def test_large_difference_is_several_reports_each_based_on_the_one_before(
    held: Installation, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage, "MOST_ADDED", 2)
    many = OperationSet.of([1, 2**20, 3, 2**30, 2**42], VAST)
    counted = replace(vast(pending=many), operations=many | BEFORE, acknowledged=Acknowledged.of(BEFORE))
    made = list(reports("L-17", counted, held, now))
    read = [Usage.read(one.document) for one in made]
    assert [one.operations.indices.tolist() for one in read] == [[1, 3], [2**20, 2**30], [2**42]]
    assert [one.confirms for one in made] == [one.operations for one in read]
    assert [one.difference and one.difference.complete for one in read] == [False, False, True]
    reached = [one.difference and one.difference.after for one in read]
    assert [one.after for one in made] == reached
    assert [one.counted and one.counted.acknowledged for one in read] == [
        Acknowledged.of(BEFORE),
        *reached[:2],
    ]
    assert reached[-1] == Acknowledged.of(many | BEFORE)


def test_largest_report_fits(held: Installation, now: datetime) -> None:
    widest = Space(15, 1)
    spread = OperationSet.of(
        np.arange(1, usage.MOST_ADDED + 1) * (widest.size // usage.MOST_ADDED - 1), widest
    )
    document = report("L-17", replace(vast(pending=None), operations=spread), held, now)
    assert len(document) < usage.MAX_REPORT
    assert Usage.read(document).operations == spread


ONE_OF_TWO = OperationSet.of([5], VAST).digest


@pytest.mark.parametrize(
    ("change", "base", "message"),
    [
        ({"kind": "whole"}, BEFORE, "usage report.set.kind: 'whole', expected 'difference'"),
        ({"operations": 3}, BEFORE, "usage report.set.operations: 3, expected 4"),
        ({"operations": 4}, None, "usage report.set.operations: 4, expected 2"),
        (
            {"operations": 2, "sha256": "0" * 64},
            None,
            f"usage report.set.sha256: '{'0' * 57}…', expected '{NEW.digest}'",
        ),
        ({"added": 3}, BEFORE, "usage report.set.added: 3, expected 2"),
        ({"gaps": "gA=="}, BEFORE, "usage report.set.gaps: ends within a number"),
        (
            {"gaps": "", "added": 0, "operations": 2},
            BEFORE,
            f"usage report.set.sha256: '{(BEFORE | NEW).digest[:57]}…', expected '{BEFORE.digest}'",
        ),
        (
            {"gaps": "", "added": 0, "complete": False},
            BEFORE,
            "usage report.set.complete: adds nothing and is not complete",
        ),
        ({"complete": 1}, BEFORE, "usage report.set.complete: 1, expected true or false"),
        ({"bitmap": ""}, BEFORE, "usage report.set: unknown member 'bitmap'"),
    ],
)
def test_difference_that_contradicts_itself_is_refused(
    held: Installation, now: datetime, change: dict[str, Json], base: OperationSet | None, message: str
) -> None:
    acknowledged = None if base is None else Acknowledged.of(base)
    claims = claims_of(report("L-17", vast(acknowledged=acknowledged), held, now), held)
    stated = claims["set"]
    assert isinstance(stated, dict)
    with pytest.raises(FormatError) as refusal:
        Usage.read(signed(held, claims | {"set": stated | change}))
    assert str(refusal.value) == message


def test_difference_of_a_listed_space_is_refused(held: Installation, now: datetime) -> None:
    claims = claims_of(report("L-17", vast(), held, now), held)
    with pytest.raises(FormatError) as refusal:
        Usage.read(signed(held, claims | {"space": {"inputs": 2, "radix": 3}}))
    assert str(refusal.value) == "usage report.set.kind: 'difference', expected 'whole'"


def test_vast_set_in_a_report_of_version_3_is_refused(held: Installation, now: datetime) -> None:
    token = held.sign_token(claims_of(report("L-17", vast(), held, now), held), typ=TYP).decode()
    older = canonical.encode({"format": "ternary-usage/3", "key": held.public.jwk, "report": token})
    with pytest.raises(FormatError) as refusal:
        Usage.read(older)
    assert str(refusal.value) == (
        "usage report: is of 3,3, a space of 7,625,597,484,987 operations; "
        "this release reads reports of version 3 of spaces of up to 2^20"
    )
