"""
What a verification found, as a document that can be kept: ``ternary-evidence/1``.

It says what was checked, with which result, by whom and when, and tells apart what a signature claims and
what was recomputed. It is not signed: whoever needs it signed signs the file. docs/formats.md, section 11.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from ternary_sdk._internal.certificates import evenness
from ternary_sdk._internal.certificates.evenness import Evenness
from ternary_sdk._internal.certificates.statistics import share_at_least
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.stated import read_latent_size, read_space
from ternary_sdk.space import Space

FORMAT: Final = "ternary-evidence/1"
MAX_EVIDENCE: Final = 1 << 20

_LETTER: Final = re.compile(r"[A-Z]")
_NAME: Final = re.compile(r"[a-z]+(-[a-z]+)*")
_SEED: Final = re.compile(r"0x[0-9a-f]{16}")
_MOST_CHECKS: Final = 64
_MOST_GRAPHS: Final = 16
_MOST_DRAWS: Final = 10**12
_MOST_TRIED: Final = 1 << 40


class Result(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Basis(StrEnum):
    """What a check rests on."""

    SIGNATURE = "signature"
    """Somebody's word, and that it is his."""
    RECOMPUTED = "recomputed"
    """What the verifier's own machine computed from the graphs."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was, or could have been, checked."""

    name: str
    """Lower-case words with hyphens, such as ``reachable``."""

    path: str | None
    """The letter of a path; None for what is of the whole package."""

    basis: Basis
    result: Result
    detail: str
    """One sentence: what was found, or why nothing was."""

    def to_json(self) -> Json:
        """As the document states it."""
        return {
            "basis": str(self.basis),
            "check": self.name,
            "detail": self.detail,
            "path": self.path,
            "result": str(self.result),
        }

    @classmethod
    def read(cls, fields: Fields) -> "Check":
        """Read what ``to_json`` wrote.

        Raises:
            FormatError: If it is not of this form.
        """
        check = cls(
            name=fields.text("check", pattern=_NAME, longest=40),
            path=fields.text_or_null("path", pattern=_LETTER),
            basis=Basis(fields.one_of("basis", list(map(str, Basis)))),
            result=Result(fields.one_of("result", list(map(str, Result)))),
            detail=fields.text("detail"),
        )
        fields.end()
        return check


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A package that was understood."""

    label: str
    """``NAME-VERSION``."""

    digest: str
    """Of its manifest, hex: what licenses name."""

    space: Space
    latent_size: int

    graphs: Mapping[str, str]
    """SHA-256 of each graph's plaintext by member name, hex, as certified."""

    signatures: Mapping[str, str]
    """By member, the thumbprint of the key that signed it."""

    def to_json(self) -> Json:
        """As the document states it."""
        return {
            "digest": self.digest,
            "graphs": dict(self.graphs),
            "latent_size": self.latent_size,
            "name": self.label,
            "signatures": dict(self.signatures),
            "space": self.space.to_json(),
        }

    @classmethod
    def read(cls, fields: Fields) -> "Subject":
        """Read what ``to_json`` wrote.

        Raises:
            FormatError: If it is not of this form.
        """
        subject = cls(
            label=fields.line("name"),
            digest=fields.sha256("digest"),
            space=read_space(fields.object("space")),
            latent_size=read_latent_size(fields),
            graphs=fields.labels("graphs", most=_MOST_GRAPHS),
            signatures=fields.labels("signatures", most=2),
        )
        fields.end()
        return subject


@dataclass(frozen=True, kw_only=True)
class Counted:
    """A recount: the verifier's own draws of a path, and what they prove."""

    path: str
    seed: int
    evenness: Evenness

    tried: tuple[int, int] | None
    """Uniform operations that were tried, and how many of them have no witness; None if none were."""

    def to_json(self) -> Json:
        """As the document states it."""
        tried: Json = None
        if self.tried is not None:
            operations, failures = self.tried
            share = share_at_least(failures, operations)
            tried = {"operations": operations, "failures": failures, "share": share}
        return {
            "evenness": evenness.write(self.evenness),
            "path": self.path,
            "seed": f"0x{self.seed:016x}",
            "uniform_operations": tried,
        }

    @classmethod
    def read(cls, fields: Fields, space: Space) -> "Counted":
        """Read what ``to_json`` wrote; what follows from the counts is computed and compared.

        Raises:
            FormatError: If it is not of this form or contradicts itself.
        """
        counted = cls(
            path=fields.text("path", pattern=_LETTER),
            seed=int(fields.text("seed", pattern=_SEED), 16),
            evenness=evenness.read(fields.object("evenness"), space, most=_MOST_DRAWS),
            tried=fields.or_null("uniform_operations", lambda name: _read_tried(fields.object(name))),
        )
        fields.end()
        return counted


def _read_recount(fields: Fields, name: str, subject: Subject | None) -> Counted:
    if subject is None:
        raise fields.wrong(name, {}, "null, because the file was refused")
    return Counted.read(fields.object(name), subject.space)


def _read_tried(fields: Fields) -> tuple[int, int]:
    operations = fields.integer("operations", least=1, most=_MOST_TRIED)
    failures = fields.integer("failures", most=operations)
    fields.exactly("share", share_at_least(failures, operations))
    fields.end()
    return operations, failures


@dataclass(frozen=True, kw_only=True)
class Verification:
    """All that one run of a verifier found."""

    file: str
    """SHA-256 of the file that was verified, hex."""

    size: int
    """Its bytes."""

    subject: Subject | None
    """What it is; None if it was refused before that was known."""

    vendor: str
    """The vendor of the trust file."""

    root: str
    """Thumbprint of the trust file's root key: whom the verifier believed."""

    key_set: int
    """Version of the trust file's key set."""

    verifier: Mapping[str, str]
    """Names and versions of the software that verified."""

    made: datetime
    """UTC, whole seconds, by the verifier's own clock."""

    checks: tuple[Check, ...]
    recount: Counted | None

    def to_bytes(self) -> bytes:
        """Write the document."""
        return canonical.encode(
            {
                "checks": [check.to_json() for check in self.checks],
                "file": {"bytes": self.size, "sha256": self.file},
                "format": FORMAT,
                "made": int(self.made.timestamp()),
                "recount": None if self.recount is None else self.recount.to_json(),
                "subject": None if self.subject is None else self.subject.to_json(),
                "trust": {"key_set": self.key_set, "root": self.root, "vendor": self.vendor},
                "verifier": dict(self.verifier),
            }
        )

    @classmethod
    def read(cls, data: bytes, what: str = "evidence") -> "Verification":
        """Read a document.

        Raises:
            FormatError: If it is not canonical, not of this format, or contradicts itself.
        """
        fields = Fields(canonical.decode(data, what), what)
        fields.exactly("format", FORMAT)
        file, trust = fields.object("file"), fields.object("trust")
        subject = fields.or_null("subject", lambda name: Subject.read(fields.object(name)))
        recount = fields.or_null("recount", lambda name: _read_recount(fields, name, subject))
        verification = cls(
            file=file.sha256("sha256"),
            size=file.integer("bytes"),
            subject=subject,
            vendor=trust.line("vendor"),
            root=trust.line("root", longest=64),
            key_set=trust.integer("key_set", least=1),
            verifier=fields.labels("verifier", most=16),
            made=fields.moment("made"),
            checks=fields.items("checks", Check.read, least=1, most=_MOST_CHECKS),
            recount=recount,
        )
        for part in (file, trust, fields):
            part.end()
        return verification
