"""
The files a package consists of: what they are called and how large they may be.

A reader applies these caps before it parses a single byte of a member (docs/formats.md, section 5).
"""

import re
from typing import Final

from ternary_sdk._internal.certificates.statement import CERTIFICATE
from ternary_sdk._internal.graphs.firewall import MAX_GRAPH

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "model.sig"
CARD: Final = "card.md"
BOM: Final = "bom.json"
TERMS: Final = "terms.md"
VALIDATION: Final = "validation.json"

REQUIRED: Final = frozenset({CERTIFICATE, CARD, BOM, TERMS})
"""What every manifest lists beside the graphs."""

OPTIONAL: Final = frozenset({VALIDATION})
"""What a manifest may list beside these; nothing else is allowed in a package."""

_CAPS: Final = {
    MANIFEST: 64 << 10,
    SIGNATURE: 64 << 10,
    CERTIFICATE: 4 << 20,
    CARD: 256 << 10,
    BOM: 256 << 10,
    TERMS: 256 << 10,
    VALIDATION: 1 << 20,
}
_BINARY: Final = re.compile(r"(blocks|near_ties|failures)_[A-Z]\.bin")
_BINARY_CAPS: Final = {"blocks": 8 << 20, "near_ties": 32 << 20, "failures": 4 << 20}
"""Of the binary members of a vast space, each a path's (``certificates.records``)."""


def encoder_of(path: str) -> str:
    """The name of a path's encoder."""
    return f"encoder_{path}.onnx"


def decoder_of(path: str) -> str:
    """The name of a path's decoder."""
    return f"decoder_{path}.onnx"


def cap(name: str) -> int:
    """The most bytes a member of this name may have."""
    binary = _BINARY.fullmatch(name)
    return _CAPS.get(name, MAX_GRAPH) if binary is None else _BINARY_CAPS[binary[1]]
