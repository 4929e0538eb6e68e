"""What the environment says about connections: each variable is followed, or refused by its name."""

import os
import subprocess
import sys

import certifi
import httpx
import pytest

from ternary_sdk._internal.online import connection, environment
from ternary_sdk.errors import InputError, ServerError

READ = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "SSLKEYLOGFILE",
)
NAME = "licenses.example.com"
ASK = """
import sys
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from ternary_sdk import TernaryError
from ternary_sdk._internal.trust.trust import Trust
from ternary_sdk._internal.online.client import LicenseServer

trust = Trust.read((files("ternary_sdk") / "evaluation" / "evaluation.trust").read_bytes())
try:
    LicenseServer(sys.argv[1], trust, state=Path("state"), timeout=10).trust(datetime.now(UTC))
except TernaryError as refusal:
    print(f"{type(refusal).__name__}: {refusal}")
"""
REACHED = "SignatureError: server's answer: not dated; is this the license server's own address?"
UNKNOWN = "its certificate is refused (unable to get local issuer certificate)"


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    """No variable of whoever runs the tests counts."""
    for name in READ:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def ask(tmp_path):
    """Ask a license server in a program of its own, under the variables given; what it prints."""

    def run(url, **variables):
        surroundings = {name: text for name, text in os.environ.items() if name.upper() not in READ}
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", ASK, url],
            cwd=tmp_path,
            env=surroundings | {name: str(value) for name, value in variables.items()},
            capture_output=True,
            text=True,
            check=False,
        )
        assert not done.stderr, done.stderr
        return done.stdout.strip()

    return run


def test_the_authorities_of_a_file_are_trusted(ask, tls_server, authority):
    assert ask(f"https://localhost:{tls_server}", SSL_CERT_FILE=authority.file) == REACHED
    assert ask(f"https://127.0.0.1:{tls_server}", SSL_CERT_FILE=authority.file) == REACHED


def test_the_authorities_of_a_folder_are_trusted(ask, tls_server, authority, tmp_path):
    folders = os.pathsep.join([str(tmp_path), str(authority.folder)])
    assert ask(f"https://localhost:{tls_server}", SSL_CERT_DIR=folders) == REACHED


def test_without_a_variable_the_systems_store_decides(ask, tls_server):
    url = f"https://localhost:{tls_server}"
    assert ask(url) == (
        f"ServerError: license server {url}: {UNKNOWN}; add its authority to the system's certificate store, "
        "or name the authority's file in SSL_CERT_FILE"
    )


def test_an_authority_that_is_not_in_the_file_is_refused_by_the_variables_name(ask, tls_server):
    url = f"https://localhost:{tls_server}"
    assert ask(url, SSL_CERT_FILE=certifi.where()) == (
        f"ServerError: license server {url}: {UNKNOWN}; its authority is not in what SSL_CERT_FILE names"
    )


def test_a_certificate_of_another_name_is_refused(ask, tunnel, authority):
    variables = {"HTTPS_PROXY": f"http://127.0.0.1:{tunnel.port}", "SSL_CERT_FILE": authority.file}
    assert ask("https://other.example.com", **variables) == (
        "ServerError: license server https://other.example.com: its certificate is refused (Hostname "
        "mismatch, certificate is not valid for 'other.example.com'.); ask whoever runs the server"
    )


@pytest.mark.parametrize(
    ("variable", "found", "sentence"),
    [
        ("SSL_CERT_FILE", "absent.pem", "SSL_CERT_FILE names {path}, which is not a file"),
        ("SSL_CERT_FILE", "folder", "SSL_CERT_FILE names {path}, which is not a file"),
        ("SSL_CERT_FILE", "pipe", "SSL_CERT_FILE names {path}, which is not a file"),
        ("SSL_CERT_FILE", "text", "SSL_CERT_FILE names {path}, which holds no certificates in PEM"),
        ("SSL_CERT_FILE", "empty", "SSL_CERT_FILE names {path}, which holds no certificates in PEM"),
        ("SSL_CERT_DIR", "absent.pem", "SSL_CERT_DIR names {path}, which is not a folder that can be read"),
        ("SSL_CERT_DIR", "text", "SSL_CERT_DIR names {path}, which is not a folder that can be read"),
    ],
)
def test_certificates_that_are_not_there_are_refused_by_the_variables_name(
    ask, tmp_path, variable, found, sentence
):
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("not a certificate")
    (tmp_path / "empty").touch()
    os.mkfifo(tmp_path / "pipe")
    path = tmp_path / found
    assert ask(f"https://{NAME}", **{variable: path}) == (
        f"ServerError: license server https://{NAME}: {sentence.format(path=path)}"
    )


@pytest.mark.parametrize("name", ["x" * 300, "text/below", "loop"])
def test_whatever_ssl_cert_file_names_the_refusal_is_ours(name, tmp_path, monkeypatch):
    (tmp_path / "text").touch()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / name))
    with pytest.raises(
        ServerError, match=r"^SSL_CERT_FILE names .*, which (is not a file|cannot be read \()"
    ):
        environment.certificates()


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_a_server_elsewhere_is_reached_through_the_proxy(ask, tunnel, authority, variable):
    variables = {variable: f"127.0.0.1:{tunnel.port}", "SSL_CERT_FILE": authority.file}
    assert ask(f"https://{NAME}", **variables) == REACHED
    assert tunnel.asked == [f"CONNECT {NAME}:443 HTTP/1.1"]


def test_a_proxy_that_does_not_answer_is_named(ask):
    told = ask(f"https://{NAME}", ALL_PROXY="http://user:secret@127.0.0.1:9")
    assert told == (
        f"ServerError: license server https://{NAME}: cannot be reached through the proxy of ALL_PROXY "
        "([Errno 111] Connection refused)"
    )


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_that_cannot_be_used_is_refused_by_the_variables_name(ask, variable):
    assert ask(f"https://{NAME}", **{variable: "http://user:s/cret@proxy"}) == (
        f"ServerError: license server https://{NAME}: {variable} does not name a proxy that can be used, "
        "expected an address such as http://proxy.example.com:3128"
    )


@pytest.mark.parametrize(
    "text",
    [
        *("http://proxy:port", "http://", "://", "socks4://proxy:1080", "http://xn--a", "[::1"),
        *("http://a..b:1", f"http://{'a' * 70}:1", "http://a..b.:1", "http://.:1"),
    ],
)
def test_whatever_a_proxys_variable_holds_the_refusal_is_ours(text, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", text)
    with pytest.raises(ServerError) as refusal:
        environment.proxy_for(httpx.URL(f"https://{NAME}"), environment.certificates())
    assert str(refusal.value) == (
        "HTTPS_PROXY does not name a proxy that can be used, expected an address such as "
        "http://proxy.example.com:3128"
    )


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY"])
def test_a_socks_proxy_needs_a_package_that_is_named(ask, variable):
    assert ask(f"https://{NAME}", **{variable: "socks5://127.0.0.1:1080"}) == (
        f"ServerError: license server https://{NAME}: {variable} names a SOCKS proxy, which needs the "
        "package socksio; run 'pip install httpx[socks]', or add the server's name to NO_PROXY"
    )


BROKEN = {
    "HTTP_PROXY": "http://[",
    "HTTPS_PROXY": "socks5://127.0.0.1:9",
    "ALL_PROXY": "http://proxy:port",
    "NO_PROXY": "[::1",
    "SSLKEYLOGFILE": "/no/such/folder/keys",
}


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "127.8.9.10"])
def test_this_machine_is_never_reached_through_a_proxy(host, monkeypatch):
    for name, text in (BROKEN | {"HTTPS_PROXY": "http://127.0.0.1:9"}).items():
        monkeypatch.setenv(name, text)
    url = httpx.URL(f"https://{host}")
    assert environment.proxy_for(url, environment.certificates()) is None


def test_no_broken_variable_bars_the_way_to_this_machine(ask, tls_server, authority):
    assert ask(f"https://localhost:{tls_server}", SSL_CERT_FILE=authority.file, **BROKEN) == REACHED


def test_without_tls_no_variable_is_read_at_all(ask):
    told = ask("http://127.0.0.1:9", SSL_CERT_FILE="absent.pem", SSL_CERT_DIR="absent", **BROKEN)
    assert told == (
        "ServerError: license server http://127.0.0.1:9: cannot be reached ([Errno 111] Connection refused)"
    )


def test_the_connections_keys_are_written_to_no_file(ask, tls_server, authority, tmp_path):
    keys = tmp_path / "keys"
    variables = {"SSL_CERT_FILE": authority.file, "SSLKEYLOGFILE": keys}
    assert ask(f"https://localhost:{tls_server}", **variables) == REACHED
    assert not keys.exists()


@pytest.mark.parametrize(
    ("listed", "host"),
    [
        (NAME, NAME),
        ("example.com", NAME),
        (".example.com", NAME),
        (f"other.example.org, {NAME}:443", NAME),
        ("*", NAME),
        ("other.example.org,*", NAME),
        ("10.1.2.3", "10.1.2.3"),
        ("10.0.0.0/8", "10.1.2.3"),
        ("fd00::1", "[fd00::1]"),
        ("[fd00::1]", "[fd00::1]"),
        ("fd00::/8", "[fd00::1]"),
        ("[fd00::]/8", "[fd00::1]"),
    ],
)
@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
def test_a_server_that_no_proxy_names_is_reached_without_one(listed, host, variable, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv(variable, listed)
    assert environment.proxy_for(httpx.URL(f"https://{host}"), environment.certificates()) is None


@pytest.mark.parametrize(
    "listed",
    ["", "[::1]", "[::1", "::1/128", "fe80::/10", "10.0.0.0/8", "10.0.0.0/99", "http://", "ample.com"],
)
@pytest.mark.parametrize("host", [NAME, "192.0.2.1", "[2001:db8::1]"])
def test_a_server_that_no_proxy_does_not_name_is_reached_through_the_proxy(listed, host, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", listed)
    found = environment.proxy_for(httpx.URL(f"https://{host}"), environment.certificates())
    assert found is not None
    assert (found.named, str(found.address.url)) == ("HTTPS_PROXY", "http://127.0.0.1:9")


@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
def test_no_entry_of_no_proxy_is_an_error(ask, tunnel, authority, variable):
    variables = {"HTTPS_PROXY": f"http://127.0.0.1:{tunnel.port}", "SSL_CERT_FILE": authority.file}
    variables[variable] = "[::1],[::1,::1/128,fe80::/10,10.0.0.0/8,10.0.0.0/99,a b\tc,,;,http://[,xn--a,."
    assert ask(f"https://{NAME}", **variables) == REACHED
    assert tunnel.asked == [f"CONNECT {NAME}:443 HTTP/1.1"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "licenses.example.com",
        "ftp://localhost",
        "http://licenses.example.com",
        "http://128.0.0.1",
        "https://",
        "https://licenses.example.com/path",
        "https://licenses.example.com?a=b",
        "https://licenses.example.com#a",
        "https://user@licenses.example.com",
        "https://[::1",
        "https://xn--a.com",
        "https://.example.com",
        "https://" + "a" * 64 + ".com",
        "https://localhost:0",
        "https://localhost:65536",
        "https://local\x00host",
    ],
)
def test_an_address_that_cannot_be_asked_is_refused(url):
    with pytest.raises(InputError) as refusal:
        connection.checked(url)
    assert str(refusal.value) == (
        f"license server: {url[:100]!r}, expected an address such as https://licenses.example.com, "
        "without a path; http is for this machine alone"
    )


@pytest.mark.parametrize(
    "url", ["https://licenses.example.com", "http://127.0.0.1:8750", "http://127.8.9.10", "http://[::1]:80"]
)
def test_an_address_is_taken_with_or_without_a_slash_at_its_end(url):
    assert connection.checked(url) == connection.checked(f"{url}/")
