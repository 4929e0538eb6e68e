"""The certificate of a vast space: its bytes, its figures, and what is refused."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.vectors import vast

from ternary_sdk._internal.certificates import evenness, reading
from ternary_sdk._internal.certificates.certificate import Certificate
from ternary_sdk._internal.certificates.evenness import Evenness
from ternary_sdk._internal.certificates.vast_certificate import VastCertificate
from ternary_sdk._internal.certificates.vast_path import entries_seed_of
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.streams.stream import AES
from ternary_sdk.errors import FormatError
from ternary_sdk.signature import Signature
from ternary_sdk.space import Space

VECTORS = Path(__file__).parents[2] / "vectors"
PINNED = (VECTORS / "coverage-statement-3-vast.json").read_bytes()
CERTIFICATE = VastCertificate.from_statement(PINNED)


def test_the_pinned_statement_is_what_the_formats_page_gives() -> None:
    assert vast.statement() == PINNED


def test_its_bytes_come_back() -> None:
    assert CERTIFICATE.to_statement() == PINNED
    assert reading.from_statement(PINNED) == CERTIFICATE


def test_it_says_what_it_is_of() -> None:
    assert CERTIFICATE.signature == Signature(Space(4, 2), 16, ("A", "B"))
    first, second = CERTIFICATE.paths
    assert (first.space, first.blocks, second.blocks) == (Space(4, 2), 4, 1)
    assert first.reachable is not None
    assert (first.reachable.share, second.reachable) == ("0.999808724", None)
    assert (first.evenness.effective_number, second.evenness.effective_number) == (317_338_519, 481)
    assert CERTIFICATE.best_path == first


def test_the_reader_of_one_kind_refuses_the_other() -> None:
    with pytest.raises(FormatError) as refusal:
        Certificate.from_statement(PINNED)
    assert str(refusal.value) == "coverage.json: is a certificate of kind 'vast', expected 'listed'"
    listed = (VECTORS / "coverage-statement-3.json").read_bytes()
    with pytest.raises(FormatError) as refusal:
        VastCertificate.from_statement(listed)
    assert str(refusal.value) == "coverage.json: is a certificate of kind 'listed', expected 'vast'"
    assert reading.from_statement(listed) == Certificate.from_statement(listed)


Change = Callable[[dict[str, Any]], object]


def even(name: str, value: object) -> Change:
    return lambda path: path["evenness"].update({name: value})


def reach(name: str, value: object) -> Change:
    return lambda path: path["reachable"].update({name: value})


WHAT = "coverage.json.predicate.paths[0]"
IMPOSSIBLE = f"{WHAT}.evenness: 199996 clear rows with {{}}, which no draws have"
REFUSED: dict[str, tuple[Change, str]] = {
    "a larger effective number": (
        even("effective_number", "317338520"),
        f"{WHAT}.evenness.effective_number: '317338520', expected '317338519'",
    ),
    "a smaller bound of repeats": (
        even("repeats_at_most", "63.008106"),
        f"{WHAT}.evenness.repeats_at_most: '63.008106', expected '63.008107'",
    ),
    "a smaller share of near ties": (
        even("near_tie_share_at_most", "0.000117151"),
        f"{WHAT}.evenness.near_tie_share_at_most: '0.000117151', expected '0.000117152'",
    ),
    "a share as a number": (
        even("near_tie_share_at_most", 1),
        f"{WHAT}.evenness.near_tie_share_at_most: 1, expected '0.000117152'",
    ),
    "more clear draws": (
        even("clear", 199_997),
        f"{WHAT}.evenness.clear: 199997, expected 199996",
    ),
    "perfect draws that are worse": (
        lambda path: path["evenness"]["perfect"].update(distinct=1),
        f"{WHAT}.evenness.perfect.distinct: 1, expected 199991",
    ),
    "a perfect number that is smaller": (
        lambda path: path["evenness"]["perfect"].update(effective_number="1"),
        f"{WHAT}.evenness.perfect.effective_number: '1', expected '308196564'",
    ),
    "an unknown figure": (
        even("chao1", 1),
        f"{WHAT}.evenness: unknown member 'chao1'",
    ),
    "more near ties than draws": (
        even("near_ties", 200_001),
        f"{WHAT}.evenness.near_ties: 200001, expected an integer from 0 to 200000",
    ),
    "more different operations than clear draws": (
        even("distinct", 199_997),
        f"{WHAT}.evenness.distinct: 199997, expected an integer from 0 to 199996",
    ),
    "no draws": (
        even("draws", 0),
        f"{WHAT}.evenness.draws: 0, expected an integer from 1 to 17179869184",
    ),
    "too many draws": (
        even("draws", 2**34 + 1),
        f"{WHAT}.evenness.draws: 17179869185, expected an integer from 1 to 17179869184",
    ),
    "uniform operations of another number": (
        reach("operations", 300_000),
        f"{WHAT}.reachable.operations: 300000, expected 1, 2 or 5, alone or with zeros after it",
    ),
    "fewer drawn once": (
        even("once", 199_987),
        IMPOSSIBLE.format("199992 different operations, 199987 once and 4 twice"),
    ),
    "more drawn twice": (
        even("twice", 5),
        IMPOSSIBLE.format("199992 different operations, 199988 once and 5 twice"),
    ),
    "draws that no operation has": (
        lambda path: path["evenness"].update(once=199_986, twice=6),
        IMPOSSIBLE.format("199992 different operations, 199986 once and 6 twice"),
    ),
    "fewer pairs": (
        even("pairs", "3"),
        f"{WHAT}.evenness.pairs: '3', expected 4 to 4 with these counts",
    ),
    "pairs that are no digits": (
        even("pairs", "04"),
        f"{WHAT}.evenness.pairs: '04', expected text of the form 0|[1-9][0-9]{{0,23}}",
    ),
    "a larger reachable share": (
        reach("share", "0.999808725"),
        f"{WHAT}.reachable.share: '0.999808725', expected '0.999808724'",
    ),
    "fewer failures": (
        reach("failures", 1),
        f"{WHAT}.reachable.share: '0.999808724', expected '0.999833128'",
    ),
    "more failures than operations": (
        reach("failures", 100_001),
        f"{WHAT}.reachable.failures: 100001, expected an integer from 0 to 100000",
    ),
    "no uniform operations": (
        reach("operations", 0),
        f"{WHAT}.reachable.operations: 0, expected an integer from 1 to 1099511627776",
    ),
    "a digest that is none": (
        lambda path: path["reachable"]["failed"].update(sha256="00"),
        f"{WHAT}.reachable.failed.sha256: '00', expected text of the form [0-9a-f]{{64}}",
    ),
    "an encoder without a reachable share": (
        lambda path: path.pop("reachable"),
        f"{WHAT}: has 'encoder' and no 'reachable', expected both or none",
    ),
    "a reachable share without an encoder": (
        lambda path: path.pop("encoder"),
        f"{WHAT}: has 'reachable' and no 'encoder', expected both or none",
    ),
    "smaller blocks": (
        lambda path: path["blocks"].update(rows=2048),
        f"{WHAT}.blocks.rows: 2048, expected 65536",
    ),
    "fewer blocks": (
        lambda path: path["blocks"].update(count=2),
        f"{WHAT}.blocks.count: 2, expected 4",
    ),
    "another seed": (
        lambda path: path.update(seed="00" * 8),
        "coverage.json: path A has the seed 0000000000000000, its decoder's digest gives 4308fc9c7d84ba76",
    ),
    "another seed of the uniform operations": (
        reach("seed", "00" * 8),
        "coverage.json: path A tries uniform operations of the seed 0000000000000000, "
        "its graphs' digests give 8848a6136cbe75ec",
    ),
    "the seed of the draws for the uniform operations": (
        lambda path: path["reachable"].update(seed=path["seed"]),
        "coverage.json: path A tries uniform operations of the seed 4308fc9c7d84ba76, "
        "its graphs' digests give 8848a6136cbe75ec",
    ),
    "a seed of the uniform operations that is none": (
        reach("seed", 7),
        f"{WHAT}.reachable.seed: 7, expected a string",
    ),
    "a near tie's file of no size": (
        lambda path: path["near_ties"].update(size=-1),
        f"{WHAT}.near_ties.size: -1, expected an integer from 0 to 9007199254740991",
    ),
}  # fmt: skip


@pytest.mark.parametrize("trick", REFUSED)
def test_a_path_that_contradicts_itself_is_refused(trick: str) -> None:
    change, sentence = REFUSED[trick]
    document = json.loads(PINNED)
    change(document["predicate"]["paths"][0])
    with pytest.raises(FormatError) as refusal:
        reading.from_statement(canonical.encode(document))
    assert str(refusal.value) == sentence


def test_draws_of_a_number_between_are_refused() -> None:
    """Of 31 numbers a vendor may pick the best after looking; of any number he may not."""
    first, second = CERTIFICATE.paths
    fewer = replace(first, evenness=replace(first.evenness, draws=199_999, near_ties=3))
    with pytest.raises(FormatError) as refusal:
        reading.from_statement(replace(CERTIFICATE, paths=(fewer, second)).to_statement())
    assert str(refusal.value) == (
        f"{WHAT}.evenness.draws: 199999, expected 1, 2 or 5, alone or with zeros after it"
    )


def test_another_encoder_gives_other_uniform_operations_and_the_same_draws() -> None:
    """Else a vendor could keep the decoder and train the encoder on what will be tried."""
    document = json.loads(PINNED)
    encoder = next(subject for subject in document["subject"] if subject["name"] == "encoder_A.onnx")
    encoder["digest"]["sha256"] = "00" * 32
    with pytest.raises(FormatError, match=r"^coverage.json: path A tries uniform operations of the seed "):
        reading.from_statement(canonical.encode(document))
    path = document["predicate"]["paths"][0]
    decoder = CERTIFICATE.subjects["decoder_A.onnx"]
    path["reachable"]["seed"] = f"{entries_seed_of(decoder, '00' * 32, AES):016x}"
    changed = reading.from_statement(canonical.encode(document))
    assert changed.paths[0].seed == CERTIFICATE.paths[0].seed


OF_PREDICATE: dict[str, tuple[Change, str]] = {
    "another alpha": (
        lambda predicate: predicate.update(alpha="0.05"),
        "coverage.json.predicate.alpha: '0.05', expected '0.000001'",
    ),
    "no alpha": (
        lambda predicate: predicate.pop("alpha"),
        "coverage.json.predicate: member 'alpha' is missing",
    ),
    "a listed space": (
        lambda predicate: predicate.update(space={"radix": 3, "inputs": 2}),
        "coverage.json.predicate: its kind is 'vast', expected 'listed': the space 3,2 has 19,683 operations",
    ),
    "a smaller vast space": (
        lambda predicate: predicate.update(space={"radix": 8, "inputs": 1}),
        f"{WHAT}.evenness.effective_number: '317338519', expected '16777216'",
    ),
}


@pytest.mark.parametrize("trick", OF_PREDICATE)
def test_a_predicate_with_one_fault_is_refused(trick: str) -> None:
    change, sentence = OF_PREDICATE[trick]
    document = json.loads(PINNED)
    change(document["predicate"])
    with pytest.raises(FormatError) as refusal:
        reading.from_statement(canonical.encode(document))
    assert str(refusal.value) == sentence


def test_counts_of_any_draws_agree_with_themselves() -> None:
    """Real draws of many shapes are never refused."""
    random, space = np.random.default_rng(5), Space(8, 1)
    for faces in (1, 3, 10, 10**6):
        for draws in (1, 3, 4, 100):
            _, counts = np.unique(random.integers(0, faces, draws), return_counts=True)
            counted = Evenness(
                space=space, draws=draws, near_ties=0, distinct=len(counts), once=int((counts == 1).sum()),
                twice=int((counts == 2).sum()), pairs=int((counts * (counts - 1) // 2).sum()),
            )  # fmt: skip
            stated = canonical.decode(canonical.encode(evenness.write(counted)), "evenness")
            assert evenness.read(Fields(stated, "evenness"), space) == counted


@pytest.mark.parametrize("distinct", [256, 1])
def test_counts_of_many_draws_of_a_small_space_come_back(distinct: int) -> None:
    """10^12 draws, as many as a recount may be of: their equal pairs have up to 24 digits."""
    each = 10**12 // distinct
    counted = Evenness(
        space=Space(2, 3), draws=10**12, near_ties=0, distinct=distinct, once=0, twice=0,
        pairs=distinct * (each * (each - 1) // 2),
    )  # fmt: skip
    stated = canonical.decode(canonical.encode(evenness.write(counted)), "evenness")
    assert evenness.read(Fields(stated, "evenness"), Space(2, 3), most=10**12) == counted
