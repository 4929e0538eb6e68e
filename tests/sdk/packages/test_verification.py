import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.packages.verification import Result, Verification
from ternary_sdk.errors import FormatError
from ternary_sdk.space import Space

VECTOR = Path(__file__).parents[2] / "vectors" / "evidence-1.json"


def test_evidence_is_read_and_written_byte_for_byte() -> None:
    data = VECTOR.read_bytes()
    found = Verification.read(data)
    assert found.to_bytes() == data
    assert found.subject is not None
    assert found.recount is not None
    assert (found.subject.label, found.subject.space) == ("acme-1.0.0", Space(4, 2))
    assert (found.recount.seed, found.recount.tried) == (2**63 + 7, (1_000_000, 1))
    assert [check.result for check in found.checks].count(Result.PASSED) == 3


REFUSED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another format": (
        lambda d: d.update(format="ternary-evidence/2"),
        "evidence.format: 'ternary-evidence/2', expected 'ternary-evidence/1'",
    ),
    "another result": (
        lambda d: d["checks"][0].update(result="skipped"),
        "evidence.checks[0].result: 'skipped', expected 'passed' or 'failed' or 'unknown'",
    ),
    "another basis": (
        lambda d: d["checks"][0].update(basis="hearsay"),
        "evidence.checks[0].basis: 'hearsay', expected 'signature' or 'recomputed'",
    ),
    "a path that is no letter": (
        lambda d: d["checks"][1].update(path="AB"),
        "evidence.checks[1].path: 'AB', expected text of the form [A-Z]",
    ),
    "no checks": (lambda d: d.update(checks=[]), "evidence.checks: 0 entries, expected 1 to 64"),
    "an effective number that does not follow": (
        lambda d: d["recount"]["evenness"].update(effective_number="4000000000"),
        "evidence.recount.evenness.effective_number: '4000000000', expected '2112125218'",
    ),
    "a share that does not follow": (
        lambda d: d["recount"]["uniform_operations"].update(share="1.000000000"),
        "evidence.recount.uniform_operations.share: '1.000000000', expected '0.999983311'",
    ),
    "more draws than a recount has": (
        lambda d: d["recount"]["evenness"].update(draws=10**12 + 1),
        "evidence.recount.evenness.draws: 1000000000001, expected an integer from 1 to 1000000000000",
    ),
    "a recount of a file that was refused": (
        lambda d: d.update(subject=None),
        "evidence.recount: an object, expected null, because the file was refused",
    ),
    "a member of nobody": (
        lambda d: d["trust"].update(more=1),
        "evidence.trust: unknown member 'more'",
    ),
    "a root of two lines": (
        lambda d: d["trust"].update(root="a\nb"),
        "evidence.trust.root: 'a\\nb', expected 1 to 64 printable characters",
    ),
}


@pytest.mark.parametrize(("change", "message"), REFUSED.values(), ids=REFUSED)
def test_evidence_that_is_not_of_the_format_is_refused(
    change: Callable[[dict[str, Any]], object], message: str
) -> None:
    document = json.loads(VECTOR.read_bytes())
    change(document)
    with pytest.raises(FormatError) as refusal:
        Verification.read(canonical.encode(document))
    assert str(refusal.value) == message


def test_evidence_in_another_layout_is_refused() -> None:
    with pytest.raises(FormatError, match="evidence: not in canonical form"):
        Verification.read(json.dumps(json.loads(VECTOR.read_bytes())).encode())
