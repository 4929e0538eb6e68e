"""
What the environment says about connections: which proxy carries a request, and whose certificates are
trusted.

A variable that cannot be followed is refused by its name. Its value is never printed: the address of a
proxy may hold a password.
"""

import os
import ssl
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Final
from urllib.request import getproxies, proxy_bypass

import httpx
import truststore

from ternary_sdk._internal.process_bound import ProcessBound
from ternary_sdk.errors import ServerError

SYSTEM_STORE: Final = "the system's certificate store"
_SYSTEM_PROXY: Final = "the system's proxy setting"


@dataclass(frozen=True, kw_only=True)
class Certificates(ProcessBound):
    """Whom a TLS connection trusts."""

    _holds = "a TLS context"
    _instead = "read the environment in each worker"

    named: str
    """Who says so: SSL_CERT_FILE, SSL_CERT_DIR, both, or the system's certificate store."""
    context: ssl.SSLContext
    """The same for the connection."""


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """What carries a request to a server outside this machine."""

    named: str
    """Who says so: a variable, or the system's setting."""
    address: httpx.Proxy
    """The same for the connection."""


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: ``localhost``, 127.0.0.0/8 or ::1."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def certificates() -> Certificates:
    """The authorities of SSL_CERT_FILE and SSL_CERT_DIR; if neither is set, those of the operating system.

    Raises:
        ServerError: If a variable names something that holds no certificates.
    """
    named = [name for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(name)]
    if not named:
        return Certificates(named=SYSTEM_STORE, context=truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if "SSL_CERT_FILE" in named:
        _load_file(context, Path(os.environ["SSL_CERT_FILE"]))
    if "SSL_CERT_DIR" in named:
        _load_folders(context, os.environ["SSL_CERT_DIR"])
    return Certificates(named=" and ".join(named), context=context)


def proxy_for(url: httpx.URL, trusted: Certificates) -> Proxy | None:
    """The proxy of HTTPS_PROXY, else of ALL_PROXY, unless the server is this machine or NO_PROXY names it.

    Small letters count as well, and first. Where no variable is set, Windows and macOS have settings of
    their own.

    Args:
        url: The server's address.
        trusted: Whom to trust if the proxy itself is reached by TLS.
    Raises:
        ServerError: If the variable does not name a proxy that can be used.
    """
    told = getproxies()
    kind = next((kind for kind in (url.scheme, "all") if told.get(kind)), None)
    if kind is None or is_loopback(url.host) or _is_spared(url, told.get("no", "")):
        return None
    text, named = told[kind], _variable(f"{kind}_proxy")
    address = text if "://" in text else f"http://{text}"
    try:
        proxy = httpx.Proxy(address, ssl_context=trusted.context if address.startswith("https") else None)
        proxy.url.raw_host.decode().encode("idna")  # as the resolver is asked for it
        usable = bool(proxy.url.host)
    except (httpx.InvalidURL, ValueError):
        usable = False
    if not usable:
        raise ServerError(
            f"{named} does not name a proxy that can be used, expected an address such as "
            "http://proxy.example.com:3128"
        )
    return Proxy(named=named, address=proxy)


def _load_file(context: ssl.SSLContext, file: Path) -> None:
    try:
        if not file.is_file():  # a pipe would be waited for
            raise ServerError(f"SSL_CERT_FILE names {file}, which is not a file")
        context.load_verify_locations(cafile=file)
    except ssl.SSLError:
        raise ServerError(f"SSL_CERT_FILE names {file}, which holds no certificates in PEM") from None
    except OSError as error:
        raise ServerError(f"SSL_CERT_FILE names {file}, which cannot be read ({error.strerror})") from None


def _load_folders(context: ssl.SSLContext, text: str) -> None:
    for folder in filter(None, text.split(os.pathsep)):
        if not os.access(folder, os.R_OK | os.X_OK) or not Path(folder).is_dir():
            raise ServerError(f"SSL_CERT_DIR names {folder}, which is not a folder that can be read")
        context.load_verify_locations(capath=folder)


def _is_spared(url: httpx.URL, listed: str) -> bool:
    """Whether NO_PROXY holds a server: its name, a domain it is in, its address, or a network it is in."""
    entries = [entry.strip() for entry in listed.split(",")]
    if "*" in entries or any(_holds(entry, url.host) for entry in entries):
        return True
    return bool(proxy_bypass(f"{url.host}:{url.port or 443}"))


def _holds(entry: str, host: str) -> bool:
    """Whether an entry is the host's address or a network that holds it, such as 10.0.0.0/8 or [fd00::]/8."""
    try:
        return ip_address(host) in ip_network(entry.replace("[", "").replace("]", ""), strict=False)
    except ValueError:
        return False


def _variable(name: str) -> str:
    """The variable as it is spelled; small letters come first, as in ``getproxies``."""
    spelled = [found for found in os.environ if found.lower() == name and os.environ[found]]
    return name if name in spelled else next(iter(spelled), _SYSTEM_PROXY)
