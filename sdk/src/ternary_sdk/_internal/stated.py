"""
What documents state of a model: its space, the size of its latents, its signature.

Manifests, certificates, build records and usage reports state these alike; this module reads them. What was
read is a public value, which writes itself.
"""

from typing import Final

from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk.errors import FormatError, InputError
from ternary_sdk.signature import LATENT_SIZES, MOST_PATHS, STANDARD, Signature
from ternary_sdk.space import Space

_MOST: Final = 62
"""Above any radix or number of inputs that a space can have."""


def write_standard(space: Space) -> Json:
    """How documents older than spaces state theirs: the member ``operations``."""
    return {"count": space.size, "space": space.label}


def read_standard(fields: Fields) -> tuple[Space, int]:
    """The space and the latent size of a document that is older than spaces, which states ``operations``.

    Raises:
        FormatError: If it states anything but two-input ternary operations.
    """
    stated = fields.object("operations")
    stated.exactly("count", STANDARD.space.size)
    stated.exactly("space", STANDARD.space.label)
    stated.end()
    return STANDARD.space, STANDARD.latent_size


def expect_listed(fields: Fields, space: Space, documents: str) -> None:
    """Refuse a document of a vast space, which this release does not read.

    Args:
        fields: The document.
        space: The space that it states.
        documents: What such documents are called, in the plural.
    Raises:
        FormatError: If the space is vast.
    """
    if not space.listed:
        raise FormatError(
            f"{fields.path}: is of {space}, a space of {space.size:,} operations; "
            f"this release reads {documents} of spaces of up to 2^20"
        )


def read_space(fields: Fields) -> Space:
    """Read what ``Space.to_json`` wrote.

    Raises:
        FormatError: If it is not a space.
    """
    radix = fields.integer("radix", least=2, most=_MOST)
    inputs = fields.integer("inputs", least=1, most=_MOST)
    fields.end()
    try:
        return Space(radix, inputs)
    except InputError as refusal:
        raise FormatError(f"{fields.path}: {refusal}") from None


def read_latent_size(fields: Fields) -> int:
    """The member ``latent_size`` of a document.

    Raises:
        FormatError: If it is not a multiple of 8 from 8 to 64.
    """
    size = fields.integer("latent_size")
    if size not in LATENT_SIZES:
        raise fields.wrong("latent_size", size, "a multiple of 8 from 8 to 64")
    return size


def read_signature(fields: Fields) -> Signature:
    """Read what ``Signature.to_json`` wrote.

    Raises:
        FormatError: If it is not a signature.
    """
    space = read_space(fields.object("space"))
    latent_size = read_latent_size(fields)
    paths = fields.texts("paths", least=1, most=MOST_PATHS)
    fields.end()
    try:
        return Signature(space, latent_size, paths)
    except InputError as refusal:
        raise FormatError(f"{fields.path}: {refusal}") from None
