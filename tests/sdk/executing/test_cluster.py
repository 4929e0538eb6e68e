"""A Dask cluster of this machine; its workers are threads here, and processes in tests/stress."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.networks import untrained_of

from ternary_export.graph import decoder_graph
from ternary_sdk._internal.counting.counting import count
from ternary_sdk._internal.counting.draw_count import DrawCount
from ternary_sdk._internal.executing import cluster
from ternary_sdk._internal.executing.cluster import check_address, connected
from ternary_sdk._internal.release import computed_with
from ternary_sdk._internal.wheels import pip_install
from ternary_sdk.errors import InputError, ProofError
from ternary_sdk.signature import Signature
from ternary_sdk.space import Space

try:
    import dask
    from distributed import LocalCluster
    from distributed.security import Security
except ImportError:
    LocalCluster = None

QUATERNARY = Signature(Space(4, 2), 16, ("A",))


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a cluster with one worker."""
    expect_distributed()
    with LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, protocol="tcp://", dashboard_address=":0"
    ) as made:
        yield made.scheduler_address


def figures(count: DrawCount) -> tuple[object, ...]:
    return count.distinct, count.once, count.twice, count.pairs, count.near_ties, count.leaves


def expect_distributed() -> None:
    if LocalCluster is None:
        lacking = f"no cluster can be made without distributed: {pip_install('ternary-sdk', 'cluster')}"
        if os.environ.get("CI") == "true":
            pytest.fail(lacking)
        pytest.skip(lacking)


def test_a_cluster_counts_what_this_machine_counts(scheduler: str, tmp_path: Path) -> None:
    decoder = decoder_graph(untrained_of(QUATERNARY), "A", QUATERNARY)
    given = {"seed": 7, "draws": 200_000, "memory": 1 << 30}
    here = count(decoder, QUATERNARY, folder=tmp_path / "here", **given)
    with connected(scheduler) as found:
        found.expect_folder(tmp_path / "there")
        assert list((tmp_path / "there").iterdir()) == []
        assert found.workers == 2
        there = count(
            decoder, QUATERNARY, folder=tmp_path / "there", executor=found.executor, workers=2, **given
        )
    assert figures(here) == figures(there)


def refuse() -> None:
    raise ProofError("decoder: is another")


def fail() -> None:
    raise ZeroDivisionError("division by zero\nand more")


def test_what_a_task_raises_comes_as_one_sentence(scheduler: str) -> None:
    with connected(scheduler) as found:
        with pytest.raises(ProofError, match=r"^decoder: is another$"):
            found.executor.submit(refuse).result()
        with pytest.raises(InputError) as refusal:
            found.executor.submit(fail).result()
    assert str(refusal.value) == f"cluster {scheduler}: a task failed (division by zero)"


OTHERS = {"ternary-sdk": "9.9.9", "numpy": "0.9", "onnxruntime": "0.8.1"}
HERE = dict(computed_with())


def but(name: str) -> tuple[tuple[str, str], ...]:
    """The versions here, one of them another."""
    return tuple((HERE | {name: OTHERS[name]}).items())


@pytest.mark.parametrize("name", OTHERS)
def test_a_task_of_other_versions_is_refused_by_the_workers_name(scheduler: str, name: str) -> None:
    with connected(scheduler) as found:
        worker = next(iter(found._client.nthreads()))
        with pytest.raises(InputError) as refusal:
            found._client.submit(cluster._run, but(name), len, ((),), {}).result()
    assert str(refusal.value) == f"worker {worker}: has {name} {HERE[name]}, expected {OTHERS[name]}"


@pytest.mark.parametrize("name", OTHERS)
def test_a_worker_of_other_versions_is_refused_by_name(
    scheduler: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "computed_with", lambda: but(name))
    with pytest.raises(InputError) as refusal, connected(scheduler):
        pass
    assert str(refusal.value).startswith("worker tcp://127.0.0.1:")
    assert str(refusal.value).endswith(f": has {name} {HERE[name]}, expected {OTHERS[name]}")


def test_a_folder_that_is_a_file_is_refused(scheduler: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with connected(scheduler) as found, pytest.raises(InputError) as refusal:
        found.expect_folder(tmp_path / "file")
    assert str(refusal.value) == f"{tmp_path / 'file'}: cannot be used (File exists)"


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "tls://127.0.0.1:1"])
def test_a_scheduler_that_does_not_answer_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="distributed is not installed")
    monkeypatch.setattr(cluster, "_PATIENCE", "50ms")
    with pytest.raises(InputError) as refusal, connected(address):
        pass
    assert str(refusal.value).startswith(f"cluster {address}: cannot be reached (")


@pytest.mark.parametrize(
    ("given", "checked"),
    [
        ("localhost:8786", "tcp://localhost:8786"),
        ("127.0.0.1:8786", "tcp://127.0.0.1:8786"),
        ("tcp://127.9.9.9:1", "tcp://127.9.9.9:1"),
        ("tcp://[::1]:8786", "tcp://[::1]:8786"),
        ("tls://scheduler.example:8786", "tls://scheduler.example:8786"),
    ],
)
def test_an_address_is_of_this_machine_or_encrypted(given: str, checked: str) -> None:
    assert check_address(given) == checked


@pytest.mark.parametrize(
    ("address", "message"),
    [
        (
            "tcp://192.0.2.7:8786",
            "cluster: tcp://192.0.2.7:8786: plain tcp is only for this machine; use tls://192.0.2.7:8786, "
            "with certificates in Dask's configuration (docs/counting.md)",
        ),
        (
            "localhost.example:8786",
            "cluster: localhost.example:8786: plain tcp is only for this machine; use "
            "tls://localhost.example:8786, with certificates in Dask's configuration (docs/counting.md)",
        ),
        ("ucx://127.0.0.1:8786", "cluster: ucx://127.0.0.1:8786: expected tls, or tcp to this machine"),
        *(
            (wrong, f"cluster: {wrong!r}, expected an address such as tls://scheduler.example:8786")
            for wrong in (
                "",
                "here",
                "tls://here",
                "tls://a b:1",
                "tls://me@here:1",
                "here:99999",
                "tls://h:1/x",
            )
        ),
    ],
)
def test_other_addresses_are_refused(address: str, message: str) -> None:
    with pytest.raises(InputError) as refusal:
        check_address(address)
    assert str(refusal.value) == message


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, object]]:
    """Makes an authority and one certificate of it, as Dask's configuration names them."""

    def make(name: str) -> dict[str, object]:
        folder, now = tmp_path_factory.mktemp(name), datetime.now(UTC)
        root, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])

        def signed(of: x509.Name, public: ec.EllipticCurvePublicKey, *, ca: bool) -> bytes:
            builder = x509.CertificateBuilder().subject_name(of).issuer_name(issuer).public_key(public)
            builder = builder.serial_number(x509.random_serial_number())
            builder = builder.not_valid_before(now - timedelta(days=1))
            builder = builder.not_valid_after(now + timedelta(days=1))
            builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            return builder.sign(root, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        files = {
            "ca.pem": signed(issuer, root.public_key(), ca=True),
            "cert.pem": signed(subject, key.public_key(), ca=False),
            "key.pem": private,
        }
        for file, content in files.items():
            (folder / file).write_bytes(content)
        both = {"cert": str(folder / "cert.pem"), "key": str(folder / "key.pem")}
        return {
            "distributed.comm.require-encryption": True,
            "distributed.comm.tls.ca-file": str(folder / "ca.pem"),
            **{f"distributed.comm.tls.{role}": both for role in ("client", "scheduler", "worker")},
        }

    return make


def test_a_cluster_is_reached_by_tls_with_certificates_of_its_own_authority(
    authority: Callable[[str], dict[str, object]], tmp_path: Path
) -> None:
    """As docs/counting.md says; certificates of another authority are refused."""
    expect_distributed()
    decoder = decoder_graph(untrained_of(QUATERNARY), "A", QUATERNARY)
    given = {"seed": 7, "draws": 70_000, "memory": 1 << 30}
    ours, others = authority("ours"), authority("others")
    here = count(decoder, QUATERNARY, folder=tmp_path / "here", **given)
    with (
        dask.config.set(ours),
        LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, protocol="tls://", dashboard_address=":0",
            security=Security(),
        ) as made,
    ):  # fmt: skip
        address = made.scheduler_address
        assert address.startswith("tls://")
        with connected(address) as found:
            there = count(
                decoder, QUATERNARY, folder=tmp_path / "there", executor=found.executor, workers=1, **given
            )
        assert figures(here) == figures(there)
        with dask.config.set(others), pytest.raises(InputError) as refusal, connected(address):
            pass
    assert str(refusal.value).startswith(f"cluster {address}: ")
