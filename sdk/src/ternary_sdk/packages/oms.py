"""
OpenSSF Model Signing v1: one signature over the digests of all files of a model.

Layers: a Sigstore bundle holds a DSSE envelope, which holds an in-toto Statement, which lists the files. The
stock tool signs and verifies directories this way; ``verify`` accepts what it signed, and ``open_own``
the single byte sequence that a package may carry. Changing what ``statement`` or ``write`` gives
makes packages unreadable to older clients.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from ternary_sdk.documents import canonical
from ternary_sdk.documents.fields import Fields
from ternary_sdk.errors import FormatError, SignatureError
from ternary_sdk.packages.certificate import STATEMENT_TYPE
from ternary_sdk.packages.members import SIGNATURE
from ternary_sdk.signing.dsse import Envelope
from ternary_sdk.signing.keys import PublicKey

PREDICATE_TYPE: Final = "https://model_signing/signature/v1.0"
MEDIA_TYPE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
MAX_BUNDLE: Final = 1 << 20

_MOST_FILES: Final = 10_000
_IGNORABLE: Final = frozenset({SIGNATURE, ".git", ".gitattributes", ".github", ".gitignore"})


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


def verify(data: bytes, digests: Mapping[str, str], key: PublicKey) -> str:
    """Check a directory that any Model Signing v1 tool signed with a P-256 key:

    1. the bundle is well formed and names this key, or none;
    2. the envelope's one signature is this key's;
    3. the Statement lists files, by SHA-256, and ignores nothing but git's files and the signature;
    4. its subject is the digest over all listed digests;
    5. the listed files are exactly those found, at least one, each with its digest.

    Args:
        data: The signature file.
        digests: SHA-256, hex, by relative path, of *every* file found but the signature file.
        key: The signer's key.
    Returns:
        The model's name.
    Raises:
        FormatError: Steps 1, 3 and 4.
        SignatureError: Steps 2 and 5, or another key's name in step 1.
    """
    bundle = Bundle.read(data)  # 1
    if bundle.hint:
        bundle.expect_key(key)
    payload = bundle.envelope.verify(key, SIGNATURE)  # 2
    fields = Fields(canonical.decode_any(payload, SIGNATURE), SIGNATURE)
    fields.exactly("_type", STATEMENT_TYPE)
    fields.exactly("predicateType", PREDICATE_TYPE)
    ((model, root),) = fields.items("subject", _read_subject, least=1, most=1)
    predicate = fields.object("predicate")
    fields.end()
    _check_serialization(predicate.object("serialization"))  # 3
    resources = predicate.items("resources", _read_resource, least=1, most=_MOST_FILES)
    predicate.end()
    if _root_digest([digest for _, digest in resources]) != root:  # 4
        raise FormatError(f"{SIGNATURE}: its subject is not the digest of the files it lists")
    _check_files(resources, digests)  # 5
    return model


def _root_digest(digests: list[str]) -> str:
    return hashlib.sha256(b"".join(map(bytes.fromhex, digests))).hexdigest()


def _read_material(fields: Fields) -> str:
    public = fields.object("publicKey")
    hint = public.optional("hint", lambda name: public.text(name, longest=128)) or ""
    public.end()
    if "tlogEntries" in fields and fields.json("tlogEntries") != []:
        raise FormatError(f"{fields.path}.tlogEntries: holds log entries, expected none")
    fields.end()
    return hint


def _read_subject(fields: Fields) -> tuple[str, str]:
    model, digest = fields.text("name"), fields.object("digest")
    fields.end()
    root = digest.sha256("sha256")
    digest.end()
    return model, root


def _read_resource(fields: Fields) -> tuple[str, str]:
    fields.exactly("algorithm", "sha256")
    resource = fields.text("name"), fields.sha256("digest")
    fields.end()
    return resource


def _check_serialization(fields: Fields) -> None:
    fields.exactly("method", "files")
    fields.exactly("hash_type", "sha256")
    if fields.truth("allow_symlinks"):
        raise FormatError(f"{fields.path}.allow_symlinks: true, expected false")
    ignored = fields.optional("ignore_paths", lambda name: fields.texts(name, most=16)) or ()
    if hidden := set(ignored) - _IGNORABLE:
        raise FormatError(f"{fields.path}.ignore_paths: hides {min(hidden)!r} from the signature")
    fields.end()


def _check_files(resources: tuple[tuple[str, str], ...], digests: Mapping[str, str]) -> None:
    signed = dict(resources)
    if len(signed) != len(resources):
        raise FormatError(f"{SIGNATURE}: lists a file twice")
    if extra := digests.keys() - signed.keys():
        raise SignatureError(f"{SIGNATURE}: does not cover {min(extra)!r}")
    if missing := signed.keys() - digests.keys():
        raise SignatureError(f"{SIGNATURE}: covers {min(missing)!r}, which is not there")
    for name, digest in resources:
        if digests[name] != digest:
            raise SignatureError(f"{name}: sha256 is {digests[name]}, the signature says {digest}")
