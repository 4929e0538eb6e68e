"""
OpenSSF Model Signing v1: one signature over the digests of all files of a model.

Layers: a Sigstore bundle holds a DSSE envelope, which holds an in-toto Statement, which lists the files. The
stock tool signs and verifies folders this way. ``listing`` reads what it signed, for ``signed_folder``
to hold against the files; ``open_own`` reads the single byte sequence that a package may carry. Changing
what ``statement`` or ``write`` gives makes packages unreadable to older clients.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from ternary_sdk._internal.certificates.statement import STATEMENT_TYPE
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.packages.members import SIGNATURE
from ternary_sdk._internal.signing.dsse import Envelope
from ternary_sdk._internal.signing.keys import PublicKey
from ternary_sdk.errors import FormatError, SignatureError

PREDICATE_TYPE: Final = "https://model_signing/signature/v1.0"
MEDIA_TYPE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
MAX_BUNDLE: Final = 1 << 20

MAX_FILES: Final = 10_000
"""Most files that a bundle may list."""

_MOST_IGNORED: Final = 64
_MAX_PEM: Final = 1024
_SINGLE_FILE: Final = "."
_BELOW: Final = re.compile(r"(?!\.{1,2}(/|$))[^/\0]+(/(?!\.{1,2}(/|$))[^/\0]+)*")
"""A path below the folder: not the folder itself, and not out of it."""


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A parsed, not yet verified, signature file."""

    envelope: Envelope
    hint: str
    """SHA-256 of the signing key's PEM, hex, as the stock tool looks for it; empty if not given."""

    @classmethod
    def read(cls, data: bytes, what: str = SIGNATURE) -> "Bundle":
        """Read a bundle in any JSON layout.

        Raises:
            FormatError: If it is no Sigstore v0.3 bundle signed with a plain public key.
        """
        if len(data) > MAX_BUNDLE:
            raise FormatError(f"{what}: {len(data)} bytes, expected at most {MAX_BUNDLE}")
        fields = Fields(canonical.decode_any(data, what), what)
        fields.exactly("mediaType", MEDIA_TYPE)
        envelope = Envelope.from_fields(fields.object("dsseEnvelope"))
        hint = _read_material(fields.object("verificationMaterial"))
        fields.end()
        return cls(envelope=envelope, hint=hint)

    def expect_key(self, key: PublicKey, what: str = SIGNATURE) -> None:
        """Refuse a bundle that names another key than the one it is verified with.

        Raises:
            SignatureError: If its hint is not this key's.
        """
        if self.hint != hint_of(key):
            raise SignatureError(f"{what}: names the key {self.hint[:64]!r}, expected {hint_of(key)}")


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What a verified Statement says of a folder."""

    model: str
    """What the signer called it."""

    digests: Mapping[str, str]
    """SHA-256, hex, by path relative to the folder."""

    ignored: frozenset[str]
    """Relative paths of files and folders that the signer left out."""

    symlinks: bool
    """Whether a listed file may be a symbolic link."""


def hint_of(key: PublicKey) -> str:
    """How the stock tool refers to a key: SHA-256 of its PEM, hex."""
    return hashlib.sha256(key.to_pem()).hexdigest()


def statement(model: str, digests: Mapping[str, str]) -> bytes:
    """The canonical Statement over a package's members.

    Args:
        model: Name of the model, ``NAME-VERSION``.
        digests: SHA-256, hex, by name, of every stored member but the signature.
    """
    serialization: canonical.Json = {
        "method": "files",
        "hash_type": "sha256",
        "allow_symlinks": False,
        "ignore_paths": [SIGNATURE],
    }
    resources: list[canonical.Json] = [
        {"name": name, "algorithm": "sha256", "digest": digest} for name, digest in sorted(digests.items())
    ]
    root: canonical.Json = {"sha256": _root_digest([digest for _, digest in sorted(digests.items())])}
    return canonical.encode(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": model, "digest": root}],
            "predicateType": PREDICATE_TYPE,
            "predicate": {"serialization": serialization, "resources": resources},
        }
    )


def write(envelope: Envelope, key: PublicKey) -> bytes:
    """The canonical bundle around an envelope that this key signed."""
    return canonical.encode(
        {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": {"publicKey": {"hint": hint_of(key)}, "tlogEntries": []},
            "dsseEnvelope": envelope.to_json(),
        }
    )


def open_own(data: bytes, key_for: Callable[[str], PublicKey]) -> Envelope:
    """Verify a package's signature, which has one byte sequence only.

    Args:
        data: The signature file.
        key_for: Gives the key by its kid, or raises SignatureError.
    Returns:
        The envelope; its payload is signed by the key that its ``keyid`` names.
    Raises:
        FormatError: If the bundle is not canonical.
        SignatureError: If it is not this key's signature or names another key.
    """
    bundle = Bundle.read(data)
    key = key_for(bundle.envelope.keyid)
    bundle.expect_key(key)
    bundle.envelope.expect_one_form(SIGNATURE)
    if write(bundle.envelope, key) != data:
        raise FormatError(f"{SIGNATURE}: not in canonical form")
    bundle.envelope.verify(key, SIGNATURE)
    return bundle.envelope


def listing(bundle: Bundle, key: PublicKey, what: str = SIGNATURE) -> Listing:
    """What this key signed, with whichever tool:

    1. the bundle names this key, or none;
    2. the envelope's one signature is this key's;
    3. the Statement lists files of a folder, each once, by SHA-256;
    4. it ignores no path but such as lie below the folder, and its subject is the digest over all it lists.

    Raises:
        SignatureError: Step 2, or another key's name in step 1.
        FormatError: Steps 3 and 4.
    """
    if bundle.hint:
        bundle.expect_key(key, what)  # 1
    payload = bundle.envelope.verify(key, what)  # 2
    fields = Fields(canonical.decode_any(payload, what), what)
    fields.exactly("_type", STATEMENT_TYPE)  # 3
    fields.exactly("predicateType", PREDICATE_TYPE)
    ((model, root),) = fields.items("subject", _read_subject, least=1, most=1)
    predicate = fields.object("predicate")
    fields.end()
    ignored, symlinks = _read_serialization(predicate.object("serialization"))
    resources = predicate.items("resources", _read_resource, least=1, most=MAX_FILES)
    predicate.end()
    digests = dict(resources)
    if len(digests) != len(resources):
        raise FormatError(f"{what}: lists a file twice")
    if _SINGLE_FILE in digests:
        raise FormatError(f"{what}: signs the single file {model!r}, expected a folder's files")
    if _root_digest([digest for _, digest in resources]) != root:  # 4
        raise FormatError(f"{what}: its subject is not the digest of the files it lists")
    return Listing(model=model, digests=digests, ignored=ignored, symlinks=symlinks)


def _root_digest(digests: list[str]) -> str:
    return hashlib.sha256(b"".join(map(bytes.fromhex, digests))).hexdigest()


def _read_material(fields: Fields) -> str:
    public = fields.object("publicKey")
    if "rawBytes" in public:
        hint = _read_raw_key(public)
    else:
        hint = public.optional("hint", lambda name: public.text(name, longest=128)) or ""
    public.end()
    if "tlogEntries" in fields and fields.json("tlogEntries") != []:
        raise FormatError(f"{fields.path}.tlogEntries: holds log entries, expected none")
    fields.end()
    return hint


def _read_raw_key(fields: Fields) -> str:
    """What stood in place of the hint before model-signing 1.1.0: the key's PEM itself."""
    fields.exactly("keyDetails", "PKIX_ECDSA_P256_SHA_256")
    return hashlib.sha256(fields.octets("rawBytes", longest=_MAX_PEM)).hexdigest()


def _read_subject(fields: Fields) -> tuple[str, str]:
    model, digest = fields.line("name", longest=255), fields.object("digest")
    fields.end()
    root = digest.sha256("sha256")
    digest.end()
    return model, root


def _read_resource(fields: Fields) -> tuple[str, str]:
    fields.exactly("algorithm", "sha256")
    resource = fields.text("name"), fields.sha256("digest")
    fields.end()
    return resource


def _read_serialization(fields: Fields) -> tuple[frozenset[str], bool]:
    fields.exactly("method", "files")
    fields.exactly("hash_type", "sha256")
    symlinks = fields.truth("allow_symlinks")
    ignored = fields.optional("ignore_paths", lambda name: fields.texts(name, most=_MOST_IGNORED)) or ()
    fields.end()
    for path in ignored:
        if not _BELOW.fullmatch(path):
            raise FormatError(f"{fields.path}.ignore_paths: {path[:80]!r} is no path below the folder")
    return frozenset(ignored), symlinks
