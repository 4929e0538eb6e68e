import json
from datetime import datetime
from pathlib import Path

import pytest

from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.licensing import installation
from ternary_sdk._internal.licensing.counted import Acknowledged, Counted
from ternary_sdk._internal.licensing.installation import Installation
from ternary_sdk._internal.licensing.usage import FORMAT, TYP, Usage, report
from ternary_sdk.errors import FormatError, SignatureError
from ternary_sdk.operations import OperationSet

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
        Usage.read(bytes(262_145))
    assert str(refusal.value) == "usage report: 262145 bytes, expected at most 262144"
