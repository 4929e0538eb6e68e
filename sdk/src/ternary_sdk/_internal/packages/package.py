"""
Reading a package: from untrusted bytes to a model whose every byte is known.

Everything happens in memory, on bytes read once, so what was verified is what is used. The order of the
steps in ``Package.read`` is the security argument; docs/formats.md, section 5, is the format.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

from ternary_sdk._internal.certificates import reading
from ternary_sdk._internal.certificates.certificate import Certificate
from ternary_sdk._internal.certificates.path_coverage import PathCoverage
from ternary_sdk._internal.certificates.records import Records
from ternary_sdk._internal.certificates.statement import CERTIFICATE
from ternary_sdk._internal.certificates.vast_certificate import VastCertificate
from ternary_sdk._internal.certificates.vast_path import VastPath
from ternary_sdk._internal.identity import PackageIdentity
from ternary_sdk._internal.packages import archive, attachments, oms
from ternary_sdk._internal.packages.inspection import inspected
from ternary_sdk._internal.packages.manifest import Manifest
from ternary_sdk._internal.packages.members import MANIFEST, SIGNATURE, cap
from ternary_sdk._internal.packages.validation import Validation
from ternary_sdk._internal.trust.trust import Role, Trust
from ternary_sdk.errors import FormatError, InputError, SignatureError
from ternary_sdk.signature import Signature

MAX_PACKAGE: Final = archive.MAX_BYTES
"""Longest file that is looked at, in bytes."""

_VIEWS: Final = ("members", "graphs", "records")


@dataclass(frozen=True, kw_only=True)
class Package:
    """A verified package."""

    manifest: Manifest
    certificate: Certificate | VastCertificate
    """Of a listed space or of a vast one."""

    signed_by: str
    """Name of the key that signed the package."""

    validation: Validation | None
    """What the vendor's validation found, where the package carries it: its word, not proved again."""

    members: Mapping[str, bytes] = field(repr=False)
    """All stored members by name, in their order: what an unpacked copy holds."""

    graphs: Mapping[str, bytes] = field(repr=False)
    """ONNX graphs by member name, through the firewall; none while the package is locked."""

    records: Mapping[str, Records] = field(repr=False)
    """What the binary members say, by path; none in a listed space."""

    @classmethod
    def read(cls, data: bytes, trust: Trust) -> "Package":
        """Verify a package:

        1. it is a canonical archive of the manifest, the members in ascending order, and the signature;
        2. no member is larger than its kind may be;
        3. the signature is canonical, and made by a key of role ``package`` over what it says;
        4. the manifest is of this format, and the key was trusted at the moment the build was made;
        5. the signed statement is, byte for byte, that of this name, version and these stored members;
        6. the manifest lists exactly these members, with their sizes and digests;
        7. the certificate is signed by a key of role ``package`` and agrees with itself;
        8. it certifies exactly the manifest's graphs, the default path is the one that covers most, and in
           a vast space the binary members are those of which it speaks;
        9. card, terms, bill of materials and validation are of their forms;
        10. every graph passes the firewall, and together they are not more work than a client does; this
            is checked of encrypted ones when the package is unlocked.

        Args:
            data: The whole file.
            trust: Whom to believe.
        Raises:
            FormatError: If the bytes are not of this format or disagree with each other.
            SignatureError: If a signature is missing, wrong, or by a key that is not trusted for it.
        """
        members = archive.decode(data, "package")  # 1
        _check_order(list(members))
        _check_caps(members)  # 2
        envelope = oms.open_own(members[SIGNATURE], lambda kid: trust.candidate(kid, Role.PACKAGE))  # 3
        manifest = Manifest.read(members[MANIFEST])  # 4
        trust.key(envelope.keyid, Role.PACKAGE, manifest.released)
        digests = {name: hashlib.sha256(member).hexdigest() for name, member in members.items()}
        del digests[SIGNATURE]
        if envelope.payload != oms.statement(manifest.label, digests):  # 5
            raise SignatureError(
                f"{SIGNATURE}: signs other members than those of {manifest.label} stored here"
            )
        _check_members(manifest, members, digests)  # 6
        certificate = reading.read(members[CERTIFICATE], trust)  # 7
        _check_certificate(manifest, certificate)  # 8
        return cls(
            manifest=manifest,
            certificate=certificate,
            signed_by=envelope.keyid,
            validation=attachments.read(members),  # 9
            members=MappingProxyType(members),
            records=MappingProxyType(_records(certificate, members)),  # 8
            graphs=MappingProxyType({} if manifest.encrypted else inspected(manifest, members)),  # 10
        )

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {name: dict(self.__dict__[name]) for name in _VIEWS}

    def __setstate__(self, state: dict[str, Any]) -> None:
        views = {name: MappingProxyType(state[name]) for name in _VIEWS}
        self.__dict__.update(state | views)  # no view can be pickled, so a pickle has what it shows

    @property
    def identity(self) -> PackageIdentity:
        """How licenses name this package."""
        return self.manifest.identity

    @property
    def signature(self) -> Signature:
        """What the model is of."""
        return self.manifest.signature

    @property
    def locked(self) -> bool:
        """Whether its graphs are encrypted and not yet decrypted: signed, but not to be proved again."""
        return not self.graphs

    def unlock(self, content_key: bytes) -> "Package":
        """The same package with its graphs decrypted; one that is not locked is returned as it is.

        Args:
            content_key: 32 bytes, from the license.
        Raises:
            InputError: If the key is not 32 bytes long.
            FormatError: If it is not this package's key, or the graphs do not pass step 10 of ``read``.
        """
        if not self.locked:
            return self
        from ternary_sdk._internal.packages.encryption import decrypt  # only encrypted packages need it

        graphs = {
            graph.member: decrypt(
                self.members[graph.member],
                key=content_key,
                name=graph.member,
                plaintext_digest=self.manifest.plaintext_digest(graph.member),
            )
            for graph, _ in self.manifest.graphs
        }
        return replace(self, graphs=MappingProxyType(inspected(self.manifest, graphs)))

    def coverage(self, path: str) -> PathCoverage | VastPath:
        """The certified coverage of one path.

        Raises:
            InputError: If the package has no such path.
        """
        for coverage in self.certificate.paths:
            if coverage.path == path:
                return coverage
        raise InputError(f"{self.manifest.label}: has no path {path[:20]!r}")


def _records(certificate: Certificate | VastCertificate, members: Mapping[str, bytes]) -> dict[str, Records]:
    if isinstance(certificate, Certificate):
        return {}
    return {path.path: Records.read(path, members) for path in certificate.paths}


def _check_order(names: list[str]) -> None:
    expected = [MANIFEST, *sorted(set(names) - {MANIFEST, SIGNATURE}), SIGNATURE]
    if names != expected:
        raise FormatError(f"package: holds {names}, expected {expected}, in this order")


def _check_caps(members: Mapping[str, bytes]) -> None:
    for name, member in members.items():
        if len(member) > cap(name):
            raise FormatError(f"{name}: {len(member)} bytes, expected at most {cap(name)}")


def _check_members(manifest: Manifest, members: Mapping[str, bytes], digests: Mapping[str, str]) -> None:
    listed = [member.name for member in manifest.members]
    stored = [name for name in members if name not in (MANIFEST, SIGNATURE)]
    if listed != stored:
        raise FormatError(f"{MANIFEST}: lists {listed}, the package holds {stored}")
    for member in manifest.members:
        if member.size != len(members[member.name]):
            raise FormatError(
                f"{member.name}: {len(members[member.name])} bytes, the manifest says {member.size}"
            )
        if member.sha256 != digests[member.name]:
            raise FormatError(
                f"{member.name}: sha256 is {digests[member.name]}, the manifest says {member.sha256}"
            )


def _check_certificate(manifest: Manifest, certificate: Certificate | VastCertificate) -> None:
    certified = [(path.path, path.encoder, path.decoder) for path in certificate.paths]
    listed = [
        (path.path, path.encoder and path.encoder.member, path.decoder.member) for path in manifest.paths
    ]
    if certified != listed:
        raise FormatError(f"{CERTIFICATE}: certifies the graphs {certified}, the manifest lists {listed}")
    if certificate.signature != manifest.signature:
        raise FormatError(
            f"{CERTIFICATE}: is of {certificate.signature}, the manifest says {manifest.signature}"
        )
    for name, digest in certificate.subjects.items():
        if manifest.plaintext_digest(name) != digest:
            raise FormatError(
                f"{CERTIFICATE}: certifies another {name}, sha256 {digest}, "
                f"the manifest says {manifest.plaintext_digest(name)}"
            )
    if certificate.released != manifest.released:
        raise FormatError(
            f"{CERTIFICATE}: made for the build of {certificate.released:%Y-%m-%d %H:%M:%S}, "
            f"the manifest says {manifest.released:%Y-%m-%d %H:%M:%S}"
        )
    if certificate.best_path.path != manifest.default_path:
        raise FormatError(
            f"{MANIFEST}: default_path is {manifest.default_path}, "
            f"the certificate gives path {certificate.best_path.path} the higher coverage"
        )
