"""
Where webhooks may go: https addresses on the public internet, and networks that the operator allows.

A webhook's address comes from whoever has an admin token, and the server sends to it from inside the
operator's network. So an address of this machine, of a private network or of a cloud's metadata service is
refused where it is connected to, after the name was resolved: a name may mean another address each time.
"""

import ipaddress
import re
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Final
from urllib.parse import urlsplit

from ternary_license_server.addresses import Address, Network, networks, parse
from ternary_sdk.errors import InputError

LONGEST: Final = 500
"""Most characters of a webhook's address."""
_HOST: Final = re.compile(r"(?!-)[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.?")
_PLAIN: Final = re.compile(r"[!-~]+")
_TUNNELS: Final = (ipaddress.IPv6Network("2002::/16"), ipaddress.IPv6Network("2001::/32"))
"""Where 6to4 and Teredo put all of IPv4."""


@dataclass(frozen=True)
class Destinations:
    """Networks beside the public internet to which webhooks may go; by default none."""

    allowed: tuple[Network, ...] = ()

    @classmethod
    def read(cls, text: str) -> "Destinations":
        """Read addresses and networks, separated by commas; empty text names none.

        Raises:
            InputError: If one of them is neither, or is a network of every address.
        """
        return cls(networks(text, "destinations"))

    def __str__(self) -> str:
        return ",".join(map(str, self.allowed))

    def check(self, address: Address) -> None:
        """Refuse an address that is neither public nor allowed.

        Raises:
            InputError: Then.
        """
        if not (_public(address) or any(address in network for network in self.allowed)):
            raise InputError(
                f"{address} is not a public address; to allow it, name it or its network in "
                "TERNARY_SERVER_WEBHOOK_NETWORKS"
            )


@dataclass(frozen=True, kw_only=True)
class Target:
    """A webhook's address, in parts."""

    secure: bool
    """Whether it is https; else it may only be this machine."""
    host: str
    """A name, or an address without brackets."""
    port: int
    """1 to 65535."""


def target(url: str) -> Target:
    """Read a webhook's address.

    Raises:
        InputError: If it is neither https nor this machine's, or has a user, a fragment or characters
            beyond ASCII.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _refusal(url) from None
    secure = parts.scheme == "https"
    usable = (
        len(url) <= LONGEST
        and _PLAIN.fullmatch(url)
        and (secure or (parts.scheme == "http" and _names_this_machine(host)))
        and (_HOST.fullmatch(host) or parse(host))
        and "@" not in parts.netloc
        and "#" not in url
        and port != 0
    )
    if not usable:
        raise _refusal(url)
    return Target(secure=secure, host=host, port=port or (443 if secure else 80))


def check_literal(url: str, destinations: Destinations) -> None:
    """Refuse an address, before anything is sent, as far as that can be seen without resolving a name.

    Raises:
        InputError: As ``target``, or if the host is an address that is not allowed.
    """
    host = target(url).host
    address = parse("127.0.0.1" if host.rstrip(".").lower() == "localhost" else host)
    if address is not None:
        destinations.check(address)


def _names_this_machine(host: str) -> bool:
    address = parse(host)
    return host.lower() == "localhost" or (address is not None and address.is_loopback)


def _public(address: Address) -> bool:
    if isinstance(address, IPv6Address):
        carries_another = any(address in network for network in _TUNNELS)  # which may be a private one
        if carries_another or address.is_site_local:
            return False
    return address.is_global and not address.is_multicast


def _refusal(url: str) -> InputError:
    return InputError(
        f"webhook: {url[:100]!r}, expected an address such as https://hooks.example.com/ternary, of at most "
        f"{LONGEST} characters, without a user; http is for this machine alone"
    )
