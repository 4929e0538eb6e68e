"""Every version of every format in docs/formats.md is read: a stored document of each one is opened."""

import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from ternary_cli.pins import Pins
from ternary_export.provenance import Provenance
from ternary_sdk._internal.certificates.certificate import Certificate
from ternary_sdk._internal.exchange import gate_library
from ternary_sdk._internal.exchange.choices import LibraryFormat
from ternary_sdk._internal.exchange.gates import Gates
from ternary_sdk._internal.licensing import installation
from ternary_sdk._internal.licensing.counted import Acknowledged
from ternary_sdk._internal.licensing.ledger import Ledger
from ternary_sdk._internal.licensing.usage import Usage
from ternary_sdk._internal.online import state
from ternary_sdk._internal.online.request import Request
from ternary_sdk._internal.packages.manifest import Manifest
from ternary_sdk._internal.packages.validation import Validation
from ternary_sdk._internal.packages.verification import Verification
from ternary_sdk._internal.pricing.invoice import Invoice
from ternary_sdk._internal.pricing.price_list import PriceList
from ternary_sdk._internal.pricing.statement import Statement
from ternary_sdk._internal.trust.trust import Trust
from ternary_sdk.operations import OperationSet
from ternary_sdk.signature import STANDARD
from ternary_sdk.space import TERNARY_2, Space
from ternary_trainer import run
from ternary_trainer.ablation import plan

ROOT: Final = Path(__file__).parents[2]
VECTORS: Final = ROOT / "tests" / "vectors"
COUNTED: Final = OperationSet.of([0, 9841, 19_682])
_VERSION: Final = re.compile(r"[1-9][0-9]*|`ternary-[a-z]+/[1-9][0-9]*`")


def listed(page: str) -> list[tuple[str, str]]:
    """The pairs (format, version) of the page's first table; a row without a format is of the one above."""
    pairs, format = [], ""
    table = page[page.index("| format | version |") :].split("\n\n")[0]
    for line in table.splitlines()[2:]:
        name, version = (cell.strip() for cell in line.split("|")[1:3])
        format = name or format
        if version != "–":  # a claim of a token, which has no version
            assert _VERSION.fullmatch(version), f"{line}: expected one version in each row"
            pairs.append((format, version.strip("`")))
    return pairs


PAIRS: Final = listed((ROOT / "docs" / "formats.md").read_text("utf-8"))


def stored(name: str) -> bytes:
    return (VECTORS / name).read_bytes()


def vector(file: str, name: str) -> Any:
    return json.loads(stored(file))[name]


def opens_manifest(name: str, version: str) -> None:
    assert Manifest.read(stored(name)).format == version


def opens_certificate(version: int) -> None:
    assert Certificate.from_statement(stored(f"coverage-statement-{version}.json")).version == version


def opens_build(version: int) -> None:
    build = Provenance.read(stored(f"build-{version}.json"))
    assert (build.signature, build.origin.epoch, build.origin.seed) == (STANDARD, 3, 1)
    assert [graph.member for graph in build.graphs] == [
        "decoder_A.onnx", "decoder_B.onnx", "encoder_A.onnx", "encoder_B.onnx",
    ]  # fmt: skip
    assert [(one.path, one.mean, one.operations) for one in build.parity] == [
        ("A", "0.000001192", 19_683),
        ("B", "0.000001192", 19_683),
    ]


def opens_usage(name: str, version: str) -> None:
    report = vector("licensing.json", name)
    assert json.loads(report)["format"] == version
    assert Usage.read(report.encode()).operations == COUNTED


def opens_meter(version: int, folder: Path) -> None:
    path = folder / "ledger.sqlite3"
    connection = sqlite3.connect(path)
    connection.executescript(stored(f"meter-{version}.sql").decode())
    connection.close()
    (found,) = Ledger(path).sets("L-17")
    assert (found.operations, found.lease) == (COUNTED, None if version == 1 else "S-1")
    assert Ledger(path).drawn("L-17") == COUNTED


def opens_meter_of_vast_spaces(folder: Path) -> None:
    opens_meter(4, folder)
    space = Space(3, 3)
    (found,) = Ledger(folder / "ledger.sqlite3").sets("L-18")
    assert found.operations == OperationSet.of([0, 5, 6, 2**40, space.size - 1], space)
    assert found.pending == OperationSet.of([0, 6, space.size - 1], space)
    assert found.acknowledged == Acknowledged.of(OperationSet.of([5, 2**40], space))


def opens_requests(version: str) -> None:
    vendor = Trust.read(vector("online.json", "trust_file").encode()).root.kid
    documents = [one["document"] for one in vector("online.json", "requests")]
    of_version = [document for document in documents if json.loads(document)["format"] == version]
    read = [Request.read(document.encode(), vendor).action for document in of_version]
    assert sorted(read) == ["activate", "activate", "release", "renew", "standing"]


def opens_activation(version: int, folder: Path) -> None:
    (folder / "activations").mkdir()
    (folder / "activations" / "L-17.json").write_bytes(stored(f"activation-{version}.json"))
    found = state.find(folder, "L-17")
    assert (found.generation, found.server) == (3, "https://licenses.example")
    assert found.lease == (None if version == 1 else "S-000102030405060708090a0b")


def opens_run(version: int) -> None:
    opened = run.open(ROOT / "tests" / "trainer" / f"run_{version}")
    assert (opened.seed, len(opened.history), opened.recipe.signature) == (3, 4, STANDARD)
    assert set(opened.history[-1].paths) == {"A", "B"}


def opens_installation(folder: Path) -> None:
    (folder / installation.FILE).write_bytes(stored("installation-1.json"))
    found = installation.find(folder)
    assert found is not None
    assert found.kid == vector("licensing.json", "kids")["installation"]


def opens_validation() -> None:
    validation = Validation.read(stored("validation-1.json"))
    assert (validation.kind, validation.sound) == ("run", True)


def opens_evidence() -> None:
    evidence = Verification.read(stored("evidence-1.json"))
    assert (evidence.vendor, len(evidence.checks)) == ("Acme Logic", 5)


def opens_ablation_plan() -> None:
    assert len(plan.read(ROOT / "maintenance" / "ablations" / "all.toml").options) == 13


def opens_library() -> None:
    """Only other programs read it: what is written stays as it was."""
    gates = Gates.of([15633, 19569], TERNARY_2)
    assert gate_library.write(gates, LibraryFormat.MRCS)["index.json"] == stored("library-1.json")


def opens_trust() -> None:
    assert Trust.read(vector("licensing.json", "trust_file").encode()).vendor == "Acme Logic"


def opens_pins() -> None:
    pins = Pins.read(stored("pins-1.json"))
    assert (pins.package, pins.machine_id) == (Path("/srv/acme-1.0.0.ternary"), None)


def opens_invoice() -> None:
    trust = Trust.read(vector("invoices.json", "trust_file").encode())
    invoice = Invoice.read(vector("invoices.json", "invoice").encode(), trust)
    assert (invoice.number, invoice.amount.total) == ("2026-04-000002", 5_000 + 250 + 375 - 125)
    assert PriceList.read(invoice.prices.to_json()) == invoice.prices


def opens_statement() -> None:
    found = Statement.read(vector("invoices.json", "statement").encode())
    assert [str(members.space) for members in found.sets] == ["3,2", "3,3"]
    assert found.sets[0] == OperationSet.of([0, 5, 6, 7, 9841, 19_682])


OPENS: Final[dict[tuple[str, str], Callable[[Path], None]]] = {
    ("package manifest", "ternary-package/1"): lambda _: opens_manifest(
        "manifest-a-and-b.json", "ternary-package/1"
    ),
    ("package manifest", "ternary-package/2"): lambda _: opens_manifest(
        "manifest-2.json", "ternary-package/2"
    ),
    ("coverage certificate", "1"): lambda _: opens_certificate(1),
    ("coverage certificate", "2"): lambda _: opens_certificate(2),
    ("coverage certificate", "3"): lambda _: opens_certificate(3),
    ("build record", "ternary-build/1"): lambda _: opens_build(1),
    ("build record", "ternary-build/2"): lambda _: opens_build(2),
    ("usage report", "ternary-usage/1"): lambda _: opens_usage("usage_report", "ternary-usage/1"),
    ("usage report", "ternary-usage/2"): lambda _: opens_usage("usage_report_2", "ternary-usage/2"),
    ("usage report", "ternary-usage/3"): lambda _: opens_usage("usage_report_3", "ternary-usage/3"),
    ("usage report", "ternary-usage/4"): lambda _: opens_usage("usage_report_4", "ternary-usage/4"),
    ("meter", "1"): lambda folder: opens_meter(1, folder),
    ("meter", "2"): lambda folder: opens_meter(2, folder),
    ("meter", "3"): lambda folder: opens_meter(3, folder),
    ("meter", "4"): opens_meter_of_vast_spaces,
    ("request", "ternary-request/1"): lambda _: opens_requests("ternary-request/1"),
    ("request", "ternary-request/2"): lambda _: opens_requests("ternary-request/2"),
    ("activation file", "ternary-activation/1"): lambda folder: opens_activation(1, folder),
    ("activation file", "ternary-activation/2"): lambda folder: opens_activation(2, folder),
    ("run", "ternary-run/1"): lambda _: opens_run(1),
    ("run", "ternary-run/2"): lambda _: opens_run(2),
    ("validation", "ternary-validation/1"): lambda _: opens_validation(),
    ("evidence", "ternary-evidence/1"): lambda _: opens_evidence(),
    ("ablation plan", "ternary-ablation/1"): lambda _: opens_ablation_plan(),
    ("gate library's index", "ternary-library/1"): lambda _: opens_library(),
    ("trust file", "ternary-trust/1"): lambda _: opens_trust(),
    ("installation file", "ternary-installation/1"): opens_installation,
    ("pins", "ternary-pins/1"): lambda _: opens_pins(),
    ("price list", "ternary-prices/1"): lambda _: opens_invoice(),
    ("invoice", "ternary-invoice/1"): lambda _: opens_invoice(),
    ("statement", "ternary-statement/1"): lambda _: opens_statement(),
}
"""What opens the stored document of each version; test_earlier_versions also draws from whole packages."""


@pytest.mark.parametrize("pair", PAIRS, ids=" ".join)
def test_a_stored_document_of_every_version_is_read(pair: tuple[str, str], tmp_path: Path) -> None:
    assert pair in OPENS, f"{' '.join(pair)}: no stored document; add one, and what opens it, to OPENS"
    OPENS[pair](tmp_path)


def test_no_version_is_read_that_the_page_does_not_list() -> None:
    assert len(PAIRS) == len(set(PAIRS))
    assert set(PAIRS) == set(OPENS)


def test_the_page_lists_every_version_that_a_source_names() -> None:
    named = {
        found
        for module in ROOT.glob("*/src/**/*.py")
        for found in re.findall(r'"(ternary-[a-z]+/[1-9][0-9]*)"', module.read_text("utf-8"))
    }
    # A run of version 1 names no format.
    assert named | {"ternary-run/1"} == {version for _, version in PAIRS if version.startswith("ternary-")}
