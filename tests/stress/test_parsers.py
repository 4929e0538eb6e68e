"""
Fuzzing every reader of untrusted bytes: whatever it is given, it answers with a value or with one of our
own refusals, in bounded time and memory.

Hypothesis draws edits; each is applied at sixteen places, so an example is sixteen inputs. Documents of
canonical JSON are also edited as trees and written canonically again, and packages are signed again,
so that the edits reach what lies behind the first check.
"""

import hashlib
import io
import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ternary_cli import row_reader
from ternary_cli.formats import Format, to_bytes
from ternary_cli.kinds import latents_of, operations_of
from ternary_cli.rows import Rows
from ternary_export.build import Build
from ternary_license_server.keys.keyring import KeyRing
from ternary_license_server.keys.signing import SigningKey
from ternary_sdk._internal.certificates.certificate import Certificate
from ternary_sdk._internal.certificates.path_coverage import seed_of
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.graphs import firewall
from ternary_sdk._internal.graphs.interface import DECODER
from ternary_sdk._internal.packages import archive, oms
from ternary_sdk._internal.packages.manifest import Manifest
from ternary_sdk._internal.packages.package import Package
from ternary_sdk._internal.packages.validation import CheckResult, Ending, Figure, Relation, Validation
from ternary_sdk._internal.signing import dsse
from ternary_sdk._internal.signing.dsse import Envelope
from ternary_sdk._internal.trust.trust import Role
from ternary_sdk.errors import FormatError, TernaryError
from ternary_sdk.space import TERNARY_2

LONG: Final = settings.get_current_profile_name() == "stress"
PLACES: Final = 16
EXAMPLES: Final = 8_000 if LONG else 12
SECONDS: Final = 2.0
"""Of the processor, for one input: a busy machine is not the reader's fault."""

MEGABYTES: Final = 600

# A failure is reported with its arguments, among them whole packages.
pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

effort = settings(
    max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
counted: dict[str, int] = {}

NUMBERS: Final = (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x80\x80\x80\x80", b"\xff\xff\xff\x7f")

Edit = tuple[str, float, bytes]

edits: st.SearchStrategy[list[Edit]] = st.lists(
    st.tuples(
        st.sampled_from(["flip", "set", "insert", "delete", "double", "cut", "swap", "number"]),
        st.floats(0, 1, exclude_max=True),
        st.binary(min_size=1, max_size=12),
    ),
    min_size=1,
    max_size=4,
)


def edited(data: bytes, changes: list[Edit], shift: int) -> bytes:
    """Bytes with edits applied, every position moved on by a sixteenth of the length for each shift."""
    result = bytearray(data)
    for kind, place, value in changes:
        if not result:
            break
        at = int((place + shift / PLACES) % 1 * len(result))
        span = value[0] % 64
        if kind == "flip":
            result[at] ^= 1 << value[0] % 8
        elif kind == "set":
            result[at] = value[0]
        elif kind == "insert":
            result[at:at] = value
        elif kind == "delete":
            del result[at : at + span]
        elif kind == "double":
            result[at:at] = result[at : at + span]
        elif kind == "cut":
            del result[at:]
        elif kind == "swap":
            result[at : at + len(value)], result[: len(value)] = result[: len(value)], value
        else:
            result[at : at + 4] = NUMBERS[value[0] % len(NUMBERS)]
    return bytes(result)


DEEP: list[Any] = []
for _ in range(20):
    DEEP = [DEEP]

odd: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, -1, 1, 2**31, 2**53 - 1, -(2**53) + 1, 19_683, 195_000]),
    st.sampled_from(["", "A", "x" * 5000, "\x00", "é", "0" * 64, "../x", "1.0.0", "manifest.json", "="]),
    st.sampled_from([[], [[]], [1, 1], [[0, 0]], {}, {"a": 1}, DEEP]),
)
tree_edits = st.lists(
    st.tuples(
        st.sampled_from(["replace", "drop", "add", "repeat", "reverse"]),
        st.floats(0, 1, exclude_max=True),
        odd,
    ),
    min_size=1,
    max_size=3,
)


def nodes(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container of a JSON tree with each of its keys."""
    keys: Any = value.keys() if isinstance(value, dict) else range(len(value))
    for key in list(keys):
        yield value, key
        if isinstance(value[key], (dict, list)):
            yield from nodes(value[key])


def replanted(document: bytes, changes: list[tuple[str, float, Any]], shift: int) -> bytes:
    """A JSON document with its tree edited, written canonically if it has such a form."""
    tree = json.loads(document)
    for kind, place, drawn in changes:
        value = deepcopy(drawn)
        found = list(nodes(tree))
        if not found:
            break
        holder, key = found[int((place + shift / PLACES) % 1 * len(found))]
        if kind == "drop":
            del holder[key]
        elif kind == "add" and isinstance(holder, dict):
            holder["zzz"] = value
        elif kind == "repeat" and isinstance(holder, list):
            holder.append(holder[key])
        elif kind == "reverse" and isinstance(holder, list):
            holder.reverse()
        else:
            holder[key] = value
    try:
        return canonical.encode(tree)
    except TernaryError:
        return json.dumps(tree, sort_keys=True, separators=(",", ":")).encode("utf-8", "surrogatepass")


def feed(reader: str, read: Callable[[bytes], object], inputs: Iterator[bytes]) -> None:
    """Give inputs to a reader; anything but a result or a refusal of ours fails the test."""
    for data in inputs:
        sentence, started = "", time.process_time()
        try:
            read(data)
        except TernaryError as refusal:
            sentence = str(refusal)
        assert len(sentence) < 4000, "a refusal is one sentence, not the document"
        assert time.process_time() - started < SECONDS
        counted[reader] = counted.get(reader, 0) + 1


@pytest.fixture(scope="session", autouse=True)
def bounds(tally: dict[str, dict[str, int]]) -> Iterator[None]:
    """Memory stays bounded over the whole sweep; how long it was is counted over all processes."""
    yield
    tally["inputs"] = dict(counted)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 if sys.platform == "darwin" else 1024)
    assert peak < MEGABYTES or not LONG  # in a short run other tests have trained models in this process


@pytest.fixture(scope="module")
def members(build: Build, forge: Callable[[Build], bytes]) -> dict[str, bytes]:
    """Members of a package that is read as far as its graphs, which are cut short: what is fuzzed here is
    what stands around them. Its certificate has few enough entries that edits often meet its structure.
    """
    graphs = {name: graph[:200] for name, graph in build.graphs.items()}
    digests = {name: hashlib.sha256(graph).hexdigest() for name, graph in graphs.items()}
    paths = tuple(
        replace(
            path,
            seed=seed_of(digests[path.decoder], path.stream),
            near_ties=path.near_ties[:5],
            reachable=replace(path.reachable, streamed=dict(list(path.reachable.streamed.items())[:5])),
        )
        for path in build.certificate.paths
    )
    cut = replace(build, graphs=graphs, certificate=replace(build.certificate, subjects=digests, paths=paths))
    return archive.decode(forge(cut))


@pytest.fixture(scope="module")
def key(vendor: KeyRing) -> SigningKey:
    return vendor.signer(Role.PACKAGE)


@pytest.fixture(scope="module")
def statement(members: dict[str, bytes]) -> bytes:
    return Envelope.from_fields(Fields(json.loads(members["coverage.json"]), "coverage.json")).payload


@effort
@given(changes=edits)
def test_archives(members: dict[str, bytes], changes: list[Edit]) -> None:
    whole = archive.encode([(name, data[:40]) for name, data in members.items()])
    feed("archive", archive.decode, (edited(whole, changes, shift) for shift in range(PLACES)))


@effort
@given(changes=edits)
def test_graphs_as_bytes(graph: bytes, changes: list[Edit]) -> None:
    feed("graph, bytes", inspect, (edited(graph, changes, shift) for shift in range(PLACES)))


@effort
@given(changes=edits)
def test_graphs_around_their_weights(graph: bytes, changes: list[Edit]) -> None:
    """Edits of everything but the weights, with the lengths around them made right again."""
    parsed = onnx.load_from_string(graph)
    inner = [*parsed.graph.node, *parsed.graph.input, *parsed.graph.output, *parsed.opset_import]

    def inputs() -> Iterator[bytes]:
        for shift in range(PLACES):
            chosen = inner[(shift + int(changes[0][1] * len(inner))) % len(inner)]
            kept = chosen.SerializeToString(deterministic=True)
            bent = edited(kept, changes, shift)
            yield relabelled(graph, kept, bent)

    feed("graph, messages", inspect, inputs())


def relabelled(graph: bytes, kept: bytes, bent: bytes) -> bytes:
    """A model with one inner message exchanged and the lengths of those around it corrected."""
    body = onnx.load_from_string(graph).graph.SerializeToString(deterministic=True)
    start = graph.index(body)
    head, tail = graph[: start - len(varint(len(body)))], graph[start + len(body) :]
    if (place := body.find(varint(len(kept)) + kept)) >= 0:
        body = body[:place] + varint(len(bent)) + bent + body[place + len(varint(len(kept)) + kept) :]
    else:
        tail = tail.replace(varint(len(kept)) + kept, varint(len(bent)) + bent)
    return head + varint(len(body)) + body + tail


def varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


@pytest.fixture(scope="module")
def graph(shipped: bytes) -> bytes:
    return archive.decode(shipped)["decoder_A.onnx"]


def inspect(data: bytes) -> None:
    firewall.inspect(data, what="graph", interface=DECODER, parameters=4411)


@effort
@given(changes=edits)
def test_manifests_as_bytes(members: dict[str, bytes], changes: list[Edit]) -> None:
    document = members["manifest.json"]
    feed("manifest, bytes", Manifest.read, (edited(document, changes, shift) for shift in range(PLACES)))


@effort
@given(changes=tree_edits)
def test_manifests_as_trees(members: dict[str, bytes], changes: list[tuple[str, float, Any]]) -> None:
    document = members["manifest.json"]
    feed("manifest, trees", Manifest.read, (replanted(document, changes, shift) for shift in range(PLACES)))


@effort
@given(changes=edits)
def test_certificates_as_bytes(statement: bytes, changes: list[Edit]) -> None:
    feed(
        "certificate, bytes",
        Certificate.from_statement,
        (edited(statement, changes, shift) for shift in range(PLACES)),
    )


@effort
@given(changes=tree_edits)
def test_certificates_as_trees(statement: bytes, changes: list[tuple[str, float, Any]]) -> None:
    feed(
        "certificate, trees",
        Certificate.from_statement,
        (replanted(statement, changes, shift) for shift in range(PLACES)),
    )


@effort
@given(changes=tree_edits)
def test_signatures(key: SigningKey, changes: list[tuple[str, float, Any]]) -> None:
    digests = {"a.onnx": "ab" * 32, "b.md": "cd" * 32}
    bundle = seal(oms.statement("acme-1.0.0", digests), key)

    def read(data: bytes) -> None:
        oms.listing(oms.Bundle.read(data), key.public)
        oms.open_own(data, lambda kid: key.public)

    feed("signature", read, (replanted(bundle, changes, shift) for shift in range(PLACES)))


def sign(payload: bytes, key: SigningKey) -> Envelope:
    return Envelope(
        payload=payload, keyid=key.kid, signature=dsse.one_form(key.sign(dsse.pae(payload)), "test")
    )


def seal(payload: bytes, key: SigningKey) -> bytes:
    return oms.write(sign(payload, key), key.public)


def fitted(members: dict[str, bytes]) -> dict[str, bytes]:
    """The members with a manifest that lists them as they are stored."""
    manifest = json.loads(members["manifest.json"])
    for entry in manifest["members"]:
        data = members[entry["name"]]
        entry.update(sha256=hashlib.sha256(data).hexdigest(), size=len(data))
    return {**members, "manifest.json": canonical.encode(manifest)}


def signed(members: dict[str, bytes], key: SigningKey) -> bytes:
    digests = {n: hashlib.sha256(data).hexdigest() for n, data in members.items() if n != "model.sig"}
    bundle = seal(oms.statement("acme-1.0.0", digests), key)
    return archive.encode([*{**members, "model.sig": bundle}.items()])


def test_without_an_edit_a_package_is_read_as_far_as_its_graphs(
    members: dict[str, bytes], vendor: KeyRing, key: SigningKey
) -> None:
    with pytest.raises(FormatError) as refusal:
        Package.read(signed(fitted(members), key), vendor.trust)
    assert str(refusal.value).startswith("encoder_A.onnx: ")


@effort
@given(changes=tree_edits)
def test_packages_with_another_manifest_signed_again(
    members: dict[str, bytes], vendor: KeyRing, key: SigningKey, changes: list[tuple[str, float, Any]]
) -> None:
    def inputs() -> Iterator[bytes]:
        for shift in range(PLACES):
            bent = replanted(members["manifest.json"], changes, shift)
            yield signed({**members, "manifest.json": bent}, key)

    feed("package, manifest", lambda data: Package.read(data, vendor.trust), inputs())


@effort
@given(changes=tree_edits)
def test_packages_with_another_certificate_signed_again(
    members: dict[str, bytes],
    statement: bytes,
    vendor: KeyRing,
    key: SigningKey,
    changes: list[tuple[str, float, Any]],
) -> None:
    """Signed as a certificate, listed by the manifest and signed as a package: only what it says is odd."""

    def inputs() -> Iterator[bytes]:
        for shift in range(PLACES):
            bent = sign(replanted(statement, changes, shift), key).to_bytes()
            yield signed(fitted({**members, "coverage.json": bent}), key)

    feed("package, certificate", lambda data: Package.read(data, vendor.trust), inputs())


FORMATS: Final = [Format.CSV, Format.JSONL, Format.NPY]


def rows(data: bytes) -> None:
    """Read rows as either kind; the second is read although the first was refused."""
    try:
        row_reader.read(data, operations_of(TERNARY_2), "rows")
    finally:
        row_reader.read(data, latents_of(16), "rows")


@pytest.mark.parametrize("form", FORMATS)
@effort
@given(changes=edits)
def test_operations_as_rows(form: Format, changes: list[Edit]) -> None:
    data = to_bytes(Rows(operations=TERNARY_2.tables[:5]), form)
    feed(f"rows, {form}", rows, (edited(data, changes, shift) for shift in range(PLACES)))


@pytest.mark.parametrize("form", FORMATS)
@effort
@given(changes=edits)
def test_latents_as_rows(form: Format, changes: list[Edit]) -> None:
    data = to_bytes(Rows(latents=np.linspace(-3, 3, 32, dtype=np.float32).reshape(2, 16)), form)
    feed(f"rows, {form}", rows, (edited(data, changes, shift) for shift in range(PLACES)))


@effort
@given(changes=edits)
def test_npy_headers(changes: list[Edit]) -> None:
    """Edits of the header alone, its length made right again; NumPy wrote it."""
    stream = io.BytesIO()
    np.save(stream, TERNARY_2.tables[:5].astype(np.float64))
    data = stream.getvalue()
    end = data.index(b"}") + 1

    def inputs() -> Iterator[bytes]:
        for shift in range(PLACES):
            bent = edited(data[10:end], changes, shift)
            yield data[:8] + len(bent).to_bytes(2, "little") + bent + data[128:]

    feed("rows, npy", rows, inputs())


@effort
@given(changes=tree_edits)
def test_rows_as_trees(changes: list[tuple[str, float, Any]]) -> None:
    row = canonical.encode({"index": 4, "operation": [0] * 9, "latent": [1] * 16})
    feed("rows, trees", rows, (replanted(row, changes, shift) for shift in range(PLACES)))


@pytest.fixture(scope="module")
def validation() -> bytes:
    figure = Figure(
        name="hash coverage at 50,000 draws",
        path="A",
        value="0.9155",
        low="0.9147",
        high="0.9163",
        relation=Relation.AT_LEAST,
        bound="0.85",
    )
    check = CheckResult(name="hash-coverage", ending=Ending.PASSED, reason="Enough.", figures=(figure,))
    absent = CheckResult(name="annealing", ending=Ending.NOT_APPLICABLE, reason="no history", figures=())
    return Validation(
        kind="run",
        digest="ab" * 32,
        made=datetime(2026, 3, 1, tzinfo=UTC),
        changed={"hash_coverage": "0.5"},
        report="cd" * 32,
        checks=(check, absent),
    ).to_bytes()


@effort
@given(changes=edits)
def test_validations_as_bytes(validation: bytes, changes: list[Edit]) -> None:
    feed("validation, bytes", verdict, (edited(validation, changes, shift) for shift in range(PLACES)))


@effort
@given(changes=tree_edits)
def test_validations_as_trees(validation: bytes, changes: list[tuple[str, float, Any]]) -> None:
    feed("validation, trees", verdict, (replanted(validation, changes, shift) for shift in range(PLACES)))


def verdict(data: bytes) -> None:
    """Read a validation and work out what it says."""
    found = Validation.read(data)
    assert len(found.sentence) < 4000
    assert isinstance(found.sound, bool)
