"""
Whose address a request comes from, and which addresses count as one.

A header that names another address is believed only from a proxy that the operator named, and only
``X-Forwarded-For``: a proxy that sets one header passes the others on as the client wrote them.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from ternary_sdk.errors import InputError

Address = IPv4Address | IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

FORWARDED: Final = b"x-forwarded-for"
UNKNOWN: Final = "unknown"
"""What all peers count as that have no IP address."""
_ONE_USER: Final = 64
"""Bits that tell one user's IPv6 network from another's; the rest of an address each user chooses."""
_TRANSLATED: Final = ipaddress.IPv6Network("64:ff9b::/96")
"""Where a translator to IPv6 puts all of IPv4 (RFC 6052)."""
_WITH_PORT: Final = re.compile(r"\[([^\]]*)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}")


@dataclass(frozen=True)
class Proxies:
    """The proxies whose ``X-Forwarded-For`` is believed; by default none."""

    networks: tuple[Network, ...] = ()

    @classmethod
    def read(cls, text: str) -> "Proxies":
        """Read addresses and networks, separated by commas; empty text names none.

        Raises:
            InputError: If one of them is neither, or is a network of every address.
        """
        return cls(networks(text, "proxies"))

    def __str__(self) -> str:
        return ",".join(map(str, self.networks))

    def name(self, address: Address | None) -> bool:
        """Whether this is a proxy of the operator's."""
        return address is not None and any(address in network for network in self.networks)

    def origin(self, peer: str, forwarded: Sequence[bytes]) -> Address | None:
        """The address that a request comes from.

        Each proxy adds at the end whom it got the request from. So the list is read from its end, as long as
        the one that added an entry is a proxy of the operator's. An entry that is not an address ends it:
        the request then counts as that proxy's own.

        Args:
            peer: Whom the connection is with.
            forwarded: Every ``X-Forwarded-For`` of the request, in order.
        Returns:
            The address; None if the connection is with none.
        """
        address = parse(peer)
        for entry in reversed(b",".join(forwarded).decode("latin-1").split(",")):
            if not self.name(address):
                break
            before = parse(entry)
            if before is None:
                break
            address = before
        return address


@lru_cache(4096)
def parse(text: str) -> Address | None:
    """Read an address, with a port or without; None if it is not one.

    An IPv6 address that stands for an IPv4 address is read as that, and the name of an interface is left out.
    """
    ported = _WITH_PORT.fullmatch(text.strip())
    bare = (ported[1] or ported[2] or "") if ported else text.strip()
    try:
        address = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return address
    return address.ipv4_mapped or (
        IPv4Address(int(address) & 0xFFFF_FFFF) if address in _TRANSLATED else address
    )


def bucket(address: Address | None) -> str:
    """What an address counts as: itself, or the /64 network of an IPv6 address, which one user has whole."""
    if isinstance(address, IPv6Address):
        return str(ipaddress.IPv6Network((address, _ONE_USER), strict=False))
    return UNKNOWN if address is None else str(address)


def networks(text: str, what: str) -> tuple[Network, ...]:
    """Read addresses and networks, separated by commas; empty text names none.

    Args:
        text: Them.
        what: Whose they are, for the refusal.
    Raises:
        InputError: If one of them is neither, or is a network of every address.
    """
    return tuple(_network(part.strip(), what) for part in text.split(",")) if text.strip() else ()


def _network(text: str, what: str) -> Network:
    single = parse(text)
    try:
        network = ipaddress.ip_network(text if single is None else single)
    except ValueError:
        network = None
    if network is None or not network.prefixlen:
        raise InputError(
            f"{text[:60]!r}, expected addresses or networks of {what} such as 127.0.0.1,10.1.0.0/16"
        )
    return network
