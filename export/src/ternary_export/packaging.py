"""
From a build to a ``.ternary`` file: card, bill of materials, manifest, two signatures, one archive.

The same build, name, version, terms and signatures give the same bytes. The signer may be a file or a key
management service; nothing here sees a private key.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from typing import Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ternary_export.bom import bill_of_materials
from ternary_export.build import Build
from ternary_export.card import model_card
from ternary_sdk._internal.certificates import reading
from ternary_sdk._internal.certificates.statement import CERTIFICATE
from ternary_sdk._internal.counting.progress import Progress, silent
from ternary_sdk._internal.identity import Version, format_version
from ternary_sdk._internal.packages import archive, attachments, oms, requirement
from ternary_sdk._internal.packages.encryption import associated_data, nonce
from ternary_sdk._internal.packages.inspection import inspected
from ternary_sdk._internal.packages.manifest import Manifest
from ternary_sdk._internal.packages.manifest_entries import Graph, Member, ModelPath
from ternary_sdk._internal.packages.members import BOM, CARD, MANIFEST, SIGNATURE, TERMS, VALIDATION, cap
from ternary_sdk._internal.packages.requirement import Requirement
from ternary_sdk._internal.packages.validation import Validation
from ternary_sdk._internal.signing import dsse
from ternary_sdk._internal.signing.dsse import Envelope
from ternary_sdk._internal.signing.keys import PublicKey
from ternary_sdk.errors import InputError, ProofError


class Signer(Protocol):
    """A private key of role ``package``, wherever it is kept."""

    @property
    def public(self) -> PublicKey:
        """The public half, which the trust file lists."""

    def sign(self, message: bytes) -> bytes:
        """DER-encoded ECDSA P-256 signature over the SHA-256 of the message."""


def package(
    build: Build,
    *,
    name: str,
    version: Version,
    signer: Signer,
    terms: str | None = None,
    content_key: bytes | None = None,
    validation: Validation | None = None,
    required: Sequence[Requirement] = (),
    tell: Callable[[str], None] = lambda _: None,
    watch: Callable[[Progress], None] = silent,
) -> bytes:
    """Make a package; what the build's certificate says is computed again before anything is signed.

    Args:
        build: What is packaged.
        name: Lowercase letters, digits and hyphens, at most 64.
        version: Major, minor, patch.
        signer: Signs the certificate and the package.
        terms: License terms, Markdown; by default the standard ones.
        content_key: 32 bytes that encrypt the graphs, a new one for each release; None leaves them in
            the clear. Licenses carry it to those who may use the package.
        validation: What validating the build's snapshot found; by default the package carries none.
        required: What the certificate and the validation must reach; compared first.
        tell: Called for each path of a vast space with one sentence: what is proved before anything is
            signed, and what is not.
        watch: Called in a vast space with how far that has come.
    Returns:
        The bytes of ``NAME-VERSION.ternary``.
    Raises:
        InputError: If the name is no name, the content key no key, the validation of another snapshot, a
            member larger than it may be, or a requirement is not met.
        FormatError: If the terms hold something hidden (``documents.legible``), or certificate, manifest or
            graphs are not what a client reads.
        ProofError: If the certificate says of the graphs what is not so.
    """
    documents = {
        CARD: model_card(name, version, build.certificate, build.provenance).encode(),
        BOM: bill_of_materials(name, version, build.certificate, build.provenance),
        TERMS: (standard_terms() if terms is None else terms.replace("\r\n", "\n")).encode(),
    }
    if validation is not None:
        documents[VALIDATION] = _validation(build, validation)
    short = f"{name}-{format_version(version)}"
    requirement.check(required, build.certificate, validation, short, "nothing was signed")
    attachments.read(documents)  # what no client would open is not signed
    statement = build.certificate.to_statement()
    reading.from_statement(statement)
    _prove(build, tell, watch)
    documents[CERTIFICATE] = _sign(statement, signer, CERTIFICATE).to_bytes()
    graphs = build.graphs if content_key is None else _encrypted(build.graphs, content_key)
    members = dict(sorted({**documents, **graphs, **build.binary}.items()))
    manifest = _manifest(build, name, version, members)
    stored = {MANIFEST: manifest.to_bytes(), **members}
    for member, data in stored.items():
        if len(data) > cap(member):
            raise InputError(f"{member}: {len(data)} bytes, expected at most {cap(member)}")
    inspected(Manifest.read(stored[MANIFEST]), build.graphs)
    digests = {member: hashlib.sha256(data).hexdigest() for member, data in stored.items()}
    envelope = _sign(oms.statement(manifest.label, digests), signer, SIGNATURE)
    return archive.encode([*stored.items(), (SIGNATURE, oms.write(envelope, signer.public))])


def standard_terms() -> str:
    """The license terms that a package carries unless the vendor gives others."""
    return files("ternary_export").joinpath("terms.md").read_text("utf-8")


def _prove(build: Build, tell: Callable[[str], None], watch: Callable[[Progress], None]) -> None:
    try:
        build.prove(tell=tell, watch=watch)
    except ProofError as refusal:
        raise ProofError(
            f"{refusal}; nothing was signed: run 'ternary certify BUILD' to compute the certificate again"
        ) from None


def _validation(build: Build, validation: Validation) -> bytes:
    if build.provenance.origin.kind == "onnx":
        raise InputError(
            f"{VALIDATION}: is of a training; the build is of a model that was brought as ONNX, "
            "which 'ternary validate' knows nothing of; leave --validation out"
        )
    snapshot = build.provenance.origin.file
    if validation.digest != snapshot:
        raise InputError(
            f"{VALIDATION}: is of the {validation.kind} with sha256 {validation.digest}, "
            f"the build was made from the snapshot {snapshot}"
        )
    # Imported here: it loads torch, for seconds, and most packages carry no validation.
    from ternary_trainer.validation.checks import CHECKS

    found = {check.name for check in validation.checks}
    left_out = [name for name in CHECKS if name not in found]
    if left_out:
        raise InputError(
            f"{VALIDATION}: leaves out {', '.join(left_out)}; a package carries all checks or none"
        )
    return validation.to_bytes()


def _sign(payload: bytes, signer: Signer, what: str) -> Envelope:
    signature = dsse.one_form(signer.sign(dsse.pae(payload)), what)
    envelope = Envelope(payload=payload, keyid=signer.public.kid, signature=signature)
    envelope.verify(signer.public, what)  # a signer that signed something else is found out here
    return envelope


def _manifest(build: Build, name: str, version: Version, members: Mapping[str, bytes]) -> Manifest:
    graphs = {
        graph.member: Graph(member=graph.member, parameters=graph.parameters)
        for graph in build.provenance.graphs
    }
    manifest = Manifest(
        name=name,
        version=version,
        released=build.provenance.released,
        space=build.certificate.space,
        latent_size=build.certificate.latent_size,
        default_path=build.certificate.best_path.path,
        paths=tuple(
            ModelPath(
                path=path.path,
                encoder=graphs[path.encoder] if path.encoder is not None else None,
                decoder=graphs[path.decoder],
            )
            for path in build.certificate.paths
        ),
        members=tuple(
            _member(member, data, build.certificate.subjects.get(member)) for member, data in members.items()
        ),
    )
    _ = manifest.identity  # refuses a name that is none
    return manifest


def _member(name: str, data: bytes, plaintext: str | None) -> Member:
    stored = hashlib.sha256(data).hexdigest()
    encrypted = plaintext is not None and plaintext != stored
    return Member(name=name, sha256=stored, size=len(data), plaintext_sha256=plaintext if encrypted else None)


def _encrypted(graphs: Mapping[str, bytes], key: bytes) -> dict[str, bytes]:
    sealed = {}
    for name, graph in graphs.items():
        associated = associated_data(name, hashlib.sha256(graph).hexdigest())
        once = nonce(key, associated)
        sealed[name] = AESGCM(key).encrypt(once, graph, associated)
    return sealed
