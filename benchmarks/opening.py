"""
Opening a package whose certificate is of a billion draws: every byte verified, and thousands of rows and
operations proved, chosen at random.

Such a count takes 20 minutes and more, so the package is made up. Its graphs are written by hand: every prior
draw has a margin of 0.001, so that it may be listed as a near tie or not, and every operation has a witness.
"""

import hashlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import numpy.typing as npt

from benchmarks.measurement import Measurement
from ternary_export.build import Build
from ternary_export.graph import decoder_graph, encoder_graph
from ternary_export.packaging import package
from ternary_export.provenance import ExportedGraph, Origin, Provenance
from ternary_license_server.keys import keyring
from ternary_sdk._internal.certificates import merkle
from ternary_sdk._internal.certificates.evenness import Evenness
from ternary_sdk._internal.certificates.merkle import BLOCK_ROWS, HASH_BYTES
from ternary_sdk._internal.certificates.path_coverage import seed_of
from ternary_sdk._internal.certificates.records import Records, digest_of, failures_of, near_ties_of
from ternary_sdk._internal.certificates.statement import CURRENT
from ternary_sdk._internal.certificates.vast_certificate import VastCertificate
from ternary_sdk._internal.certificates.vast_path import ReachableShare, VastPath, entries_seed_of
from ternary_sdk._internal.packages.members import decoder_of, encoder_of
from ternary_sdk._internal.packages.package import Package
from ternary_sdk._internal.streams.stream import CURRENT as STREAM
from ternary_sdk._internal.trust.trust import Role
from ternary_sdk.proved import ProvedModel
from ternary_sdk.signature import Signature
from ternary_sdk.space import Space

SIGNATURE: Final = Signature(Space(4, 2), 16, ("A", "B"))
WIDTH: Final = 192
DRAWS, OPERATIONS = 10**9, 10**7
NEAR_TIES, REPEATS = 4_100_000, 108_000_000
"""About those of a trained model (docs/experiments.md). No operation is drawn three times, for simplicity."""
MOMENT: Final = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)

State = dict[str, npt.NDArray[np.float32]]


def measurements() -> Iterator[Measurement]:
    """Measure everything here, one after the other."""
    with TemporaryDirectory() as folder:
        ring = keyring.create(Path(folder) / "keys", "Acme", MOMENT)
        data = package(_made_up(), name="acme", version=(1, 0, 0), signer=ring.signer(Role.PACKAGE))
    reading, whole, used = [], [], []
    for _ in range(15):
        start, processor = time.perf_counter(), time.process_time()
        opened = Package.read(data, ring.trust)
        reading.append(1e3 * (time.perf_counter() - start))
        ProvedModel(opened).close()
        whole.append(1e3 * (time.perf_counter() - start))
        used.append(1e3 * (time.process_time() - processor))
    yield Measurement(
        name="open a package of 10^9 draws on each of 2 paths",
        value=min(whole),
        unit="ms",
        most=150,
        detail=f"{min(reading):.0f} ms verify {len(data) / 1e6:.0f} MB; median {median(whole):.0f} ms, "
        f"of processor time {median(used):.0f} ms",
    )


class _Unproved(Build):
    """A build that is packaged as it is: nobody drew what it says."""

    def prove(self, **_: object) -> None:
        """Do nothing."""


def _made_up() -> Build:
    state, space = _by_hand(SIGNATURE), SIGNATURE.space
    graphs = {decoder_of(path): decoder_graph(state, path, SIGNATURE) for path in SIGNATURE.paths}
    graphs |= {encoder_of(path): encoder_graph(state, path, SIGNATURE) for path in SIGNATURE.paths}
    described = tuple(
        ExportedGraph(
            member=name, parameters=_parameters(state, name), sha256=hashlib.sha256(data).hexdigest()
        )
        for name, data in sorted(graphs.items())
    )
    origin = Origin(kind="checkpoint", file="cd" * 32, weights="ef" * 32, epoch=1, reason="it is made up")
    provenance = Provenance(
        released=MOMENT, signature=SIGNATURE, origin=origin, graphs=described, parity=(), computed_with={}
    )
    digests = {graph.member: graph.sha256 for graph in described}
    random, claims, binary = np.random.default_rng(1), [], dict[str, bytes]()
    for path in SIGNATURE.paths:
        records = Records(
            leaves=random.bytes(HASH_BYTES * -(-DRAWS // BLOCK_ROWS)),
            near_ties=np.unique(random.integers(0, DRAWS, NEAR_TIES)),
            failures=np.empty(0, np.int64),
        )
        members = records.to_members(path)
        claims.append(_claim(path, records, members, digests))
        binary |= members
    certificate = VastCertificate(
        version=CURRENT, space=space, latent_size=SIGNATURE.latent_size, subjects=digests, released=MOMENT,
        computed_with={}, paths=tuple(claims),
    )  # fmt: skip
    return _Unproved(provenance=provenance, certificate=certificate, graphs=graphs, binary=binary)


def _claim(path: str, records: Records, members: dict[str, bytes], digests: dict[str, str]) -> VastPath:
    stream, decoder, encoder = STREAM.of(SIGNATURE.latent_size), decoder_of(path), encoder_of(path)
    distinct = DRAWS - len(records.near_ties) - REPEATS
    return VastPath(
        path=path,
        encoder=encoder,
        decoder=decoder,
        stream=stream,
        seed=seed_of(digests[decoder], stream),
        reachable=ReachableShare(
            seed=entries_seed_of(digests[decoder], digests[encoder], stream),
            operations=OPERATIONS,
            failures=0,
            failed=digest_of(members[failures_of(path)]),
        ),
        evenness=Evenness(
            space=SIGNATURE.space,
            draws=DRAWS,
            near_ties=len(records.near_ties),
            distinct=distinct,
            once=distinct - REPEATS,
            twice=REPEATS,
            pairs=REPEATS,
        ),
        root=merkle.root(records.leaves),
        near_ties=digest_of(members[near_ties_of(path)]),
    )


def _by_hand(signature: Signature) -> State:
    """Two hidden layers that pass numbers on.

    The posterior mean of a value v is 100v. A latent passes 50, 150, 250 … once for each v, which no prior
    draw does; each class outweighs those before it.
    """
    cells, radix, latents = signature.space.cells, signature.space.radix, signature.latent_size
    first, last = np.zeros((WIDTH, latents), np.float32), np.zeros((cells * radix, WIDTH), np.float32)
    bias, tie = np.zeros(WIDTH, np.float32), np.zeros(cells * radix, np.float32)
    for cell in range(cells):
        tie[cell * radix] = 0.001
        for digit in range(1, radix):
            unit = cell * (radix - 1) + digit - 1
            first[unit, cell], bias[unit] = 1, 50 - 100 * digit
            last[cell * radix + digit, unit] = 5.0 ** (digit - 1)
    passed, none = np.eye(WIDTH, dtype=np.float32), np.zeros(WIDTH, np.float32)
    state = State()
    for path in signature.paths:
        layers = {
            f"encoder_{path}.encoder.0": (np.eye(WIDTH, cells, dtype=np.float32), none),
            f"encoder_{path}.encoder.2": (passed, none),
            f"encoder_{path}.fc_mu": (100 * np.eye(latents, WIDTH, dtype=np.float32), none[:latents]),
            f"encoder_{path}.fc_logvar": (np.eye(latents, WIDTH, dtype=np.float32), none[:latents]),
            f"decoder_{path}.decoder.0": (first, bias),
            f"decoder_{path}.decoder.2": (passed, none),
            f"decoder_{path}.decoder.4": (last, tie),
        }
        for name, (weight, offset) in layers.items():
            state[f"{name}.weight"], state[f"{name}.bias"] = weight, offset
    return state


def _parameters(state: State, member: str) -> int:
    prefix = member.removesuffix(".onnx") + "."
    return sum(value.size for name, value in state.items() if name.startswith(prefix))
