"""
The connection to a license server: the only place that builds an HTTP client.

httpx reads the environment while it builds a client, and raises errors of its own for what it finds there.
So it is told to read nothing; ``environment`` reads the variables that count and names the wrong one. What
does not count: HTTP_PROXY, since http is for this machine alone and this machine is never reached through
a proxy; SSLKEYLOGFILE, which would write the connection's keys to a file.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import httpx

from ternary_sdk._internal.online import environment
from ternary_sdk._internal.online.environment import SYSTEM_STORE, Certificates, Proxy, is_loopback
from ternary_sdk.errors import InputError, ServerError

_UNKNOWN_AUTHORITY: Final = (18, 19, 20, 21)
"""OpenSSL's numbers for a certificate that no trusted authority issued."""


def checked(url: str, *, named: str = "license server") -> str:
    """A server's address without a slash at its end, if requests may go there.

    Args:
        url: The address; ``https``, or ``http`` on this machine.
        named: Where the address comes from, for messages.
    Raises:
        InputError: If it is not such an address, or has a path.
    """
    try:
        parsed = httpx.URL(url)
        parsed.raw_host.decode().encode("idna")  # as the look-up of a name will, at the first call
        safe = parsed.scheme == "https" or (parsed.scheme == "http" and is_loopback(parsed.host))
        port = 443 if parsed.port is None else parsed.port
        bare = parsed.path in ("", "/") and not (parsed.query or parsed.fragment or parsed.userinfo)
        fits = safe and bool(parsed.host) and 0 < port < 65_536 and bare
    except (httpx.InvalidURL, UnicodeError):
        fits = False
    if not fits:
        raise InputError(
            f"{named}: {url[:100]!r}, expected an address such as https://licenses.example.com, "
            "without a path; http is for this machine alone"
        )
    return str(parsed).rstrip("/")


@contextmanager
def connected(
    url: str,
    *,
    timeout: float,
    retries: int = 0,
    transport: httpx.BaseTransport | None = None,
    advice: str = "",
) -> Iterator[httpx.Client]:
    """A client for one server, closed at the end; whatever httpx raises inside is a ``ServerError``.

    Args:
        url: The server's address, as ``checked`` gives it.
        timeout: Seconds for each of connecting, sending and receiving.
        retries: How often a connection that fails is tried again.
        transport: How requests travel, in place of the network and of all that the environment says.
        advice: What to say beside "cannot be reached".
    Raises:
        ServerError: If a variable of the environment cannot be followed, or the server cannot be reached.
    """
    route = _Route(url=url) if transport is not None else _Route.to(url)
    try:
        with httpx.Client(
            base_url=url,
            timeout=timeout,
            transport=transport or route.transport(retries),
            trust_env=False,
        ) as client:
            yield client
    except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
        raise ServerError(f"license server {url}: {route.failure(error, advice)}") from None


@dataclass(frozen=True, kw_only=True)
class _Route:
    """How a server is reached."""

    url: str
    """The server's address."""
    trusted: Certificates | None = None
    """Whom to trust; None without TLS."""
    proxy: Proxy | None = None
    """What carries the requests; None if they go straight to the server."""

    @classmethod
    def to(cls, url: str) -> "_Route":
        address = httpx.URL(url)
        if address.scheme == "http":  # this machine
            return cls(url=url)
        try:
            trusted = environment.certificates()
            return cls(url=url, trusted=trusted, proxy=environment.proxy_for(address, trusted))
        except ServerError as refusal:
            raise ServerError(f"license server {url}: {refusal}") from None

    def transport(self, retries: int) -> httpx.HTTPTransport:
        # without TLS an empty context is passed: it trusts nobody, and httpx does not load its own
        context = self.trusted.context if self.trusted else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        proxy = self.proxy.address if self.proxy else None
        try:
            return httpx.HTTPTransport(verify=context, trust_env=False, retries=retries, proxy=proxy)
        except ImportError:
            named = self.proxy.named if self.proxy else "a proxy"
            raise ServerError(
                f"license server {self.url}: {named} names a SOCKS proxy, which needs the package socksio; "
                "run 'pip install httpx[socks]', or add the server's name to NO_PROXY"
            ) from None

    def failure(self, error: Exception, advice: str) -> str:
        """Why the server was not reached, in words."""
        distrust = _distrust(error)
        if distrust is not None and self.trusted is not None:
            return self._distrusted(distrust, self.trusted.named)
        via = f" through the proxy of {self.proxy.named}" if self.proxy else ""
        return f"cannot be reached{via} ({str(error) or type(error).__name__}){advice}"

    def _distrusted(self, error: ssl.SSLCertVerificationError, named: str) -> str:
        found = f"its certificate is refused ({error.verify_message})"
        if error.verify_code not in _UNKNOWN_AUTHORITY:
            return f"{found}; ask whoever runs the server"
        if named == SYSTEM_STORE:
            return f"{found}; add its authority to {named}, or name the authority's file in SSL_CERT_FILE"
        return f"{found}; its authority is not in what {named} names"


def _distrust(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    """The refusal of a certificate among an error's causes."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error
        error = error.__cause__ or error.__context__
    return None
