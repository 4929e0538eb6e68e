"""A certificate authority that nobody knows, and real servers on loopback that it vouches for."""

import contextlib
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAME = "licenses.example.com"


@dataclass(frozen=True)
class Authority:
    file: Path
    """Its certificate, PEM."""
    folder: Path
    """The same in a folder, under the name that OpenSSL looks for."""
    chain: Path
    """A server's key and certificate: for ``licenses.example.com``, ``localhost``, 127.0.0.1 and ::1."""


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = tmp_path_factory.mktemp("authority")
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
    root = (
        _certificate(root_name, root_key.public_key(), root_name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    names = [x509.DNSName(NAME), x509.DNSName("localhost")]
    names += [x509.IPAddress(ip_address(text)) for text in ("127.0.0.1", "::1")]
    leaf = (
        _certificate(x509.Name([]), key.public_key(), root_name)
        .add_extension(x509.SubjectAlternativeName(names), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (made / "root.pem").write_bytes(root.public_bytes(pem))
    (made / "chain.pem").write_bytes(private + leaf.public_bytes(pem))
    (made / "folder").mkdir()
    (made / "folder" / _hashed(made / "root.pem")).write_bytes(root.public_bytes(pem))
    return Authority(file=made / "root.pem", folder=made / "folder", chain=made / "chain.pem")


def _certificate(
    subject: x509.Name, key: ec.EllipticCurvePublicKey, issuer: x509.Name
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number())
    return made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))


def _hashed(file: Path) -> str:
    command = ["openssl", "x509", "-noout", "-subject_hash", "-in", str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() + ".0"


@pytest.fixture
def tls_server(authority: Authority) -> Iterator[int]:
    """The port of an HTTPS server on 127.0.0.1 that answers everything, signing nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.chain)

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            _head(secure)
            secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

    with _listening(serve) as port:
        yield port


@dataclass(frozen=True)
class Tunnel:
    port: int
    """Where the proxy listens, on 127.0.0.1."""
    asked: list[str]
    """The first lines of what it was asked."""


@pytest.fixture
def tunnel(tls_server: int) -> Iterator[Tunnel]:
    """An HTTP proxy that leads every CONNECT to ``tls_server``, whatever host it names."""
    asked: list[str] = []

    def serve(connection: socket.socket) -> None:
        asked.append(_head(connection).partition(b"\r\n")[0].decode())
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with socket.create_connection(("127.0.0.1", tls_server)) as onward:
            back = threading.Thread(target=_pass, args=(onward, connection))
            back.start()
            _pass(connection, onward)
            back.join()

    with _listening(serve) as port:
        yield Tunnel(port=port, asked=asked)


@contextlib.contextmanager
def _listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port of 127.0.0.1 where each connection is served by a thread of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ended = threading.Event()

        def handle(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):  # a client that distrusts us hangs up
                connection.settimeout(20)
                serve(connection)

        def accept() -> None:
            while True:
                connection, _ = listener.accept()
                if ended.is_set():
                    connection.close()
                    return
                threads.append(threading.Thread(target=handle, args=(connection,)))
                threads[-1].start()

        threads = [threading.Thread(target=accept)]
        threads[0].start()
        port = listener.getsockname()[1]
        try:
            yield port
        finally:
            ended.set()
            socket.create_connection(("127.0.0.1", port)).close()
            for thread in threads:
                thread.join()


def _head(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data and (more := connection.recv(4096)):
        data += more
    return data


def _pass(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while more := source.recv(65_536):
            target.sendall(more)
        target.shutdown(socket.SHUT_WR)
