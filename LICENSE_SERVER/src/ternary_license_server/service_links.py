"""
Variables that a platform puts into every container for each service of its network.

Kubernetes, and Docker's links before it, name them after the service: one that is called ``ternary-server``
gives ``TERNARY_SERVER_PORT=tcp://10.0.0.7:8750``. They look like settings of this server and are none.
"""

import re
from typing import Final

_NAMED: Final = re.compile(
    r"(.+_)?(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)
_PORT: Final = re.compile(r"(.+_)?PORT")
_ADDRESS: Final = re.compile(r"(tcp|udp|sctp)://.+")


def is_service_link(name: str, text: str) -> bool:
    """Whether a variable is one of these.

    Args:
        name: Its name without the service's, such as ``PORT`` or ``DB_PORT_5432_TCP_ADDR``.
        text: Its value. ``PORT`` alone is a setting, too, and only the value tells which it is.
    """
    if _NAMED.fullmatch(name):
        return True
    return _PORT.fullmatch(name) is not None and _ADDRESS.fullmatch(text) is not None
