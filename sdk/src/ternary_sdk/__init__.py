"""
Multi-valued logic operations from a licensed model, with coverage that anyone can recompute.

    from ternary_sdk import Model

    with Model.evaluation() as model:
        draw = model.sample(1000, unique=True, seed=7)

What is public is in ``__all__``, here and in the modules that it names; docs/api.md lists it. Everything is
imported when first asked for, so that a program which only numbers operations or reads a license does not
load ONNX Runtime.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

from ternary_sdk._internal.release import VERSION
from ternary_sdk.errors import (
    CodedError,
    CoverageError,
    FormatError,
    InputError,
    LedgerError,
    LicenseError,
    ProofError,
    Reason,
    ServerError,
    SignatureError,
    TernaryError,
)

if TYPE_CHECKING:
    from ternary_sdk import atlas, coverage, errors, exchange, logic, operations, signature, space
    from ternary_sdk._internal.certificates.certificate import Certificate
    from ternary_sdk._internal.certificates.evenness import Evenness
    from ternary_sdk._internal.certificates.path_coverage import PathCoverage, Prior, Reachable
    from ternary_sdk._internal.certificates.records import Records
    from ternary_sdk._internal.certificates.vast_certificate import VastCertificate
    from ternary_sdk._internal.certificates.vast_path import FileDigest, ReachableShare, VastPath
    from ternary_sdk._internal.graphs.interface import Interface, Tensor
    from ternary_sdk._internal.identity import ExactPackage, PackageIdentity, VersionRange
    from ternary_sdk._internal.inference.vast_proof import Replayed
    from ternary_sdk._internal.licensing.claims import ContentKey
    from ternary_sdk._internal.licensing.license import License
    from ternary_sdk._internal.licensing.machine import Machine, identify
    from ternary_sdk._internal.online.client import LicenseServer
    from ternary_sdk._internal.online.state import Activation
    from ternary_sdk._internal.packages.manifest import Manifest
    from ternary_sdk._internal.packages.manifest_entries import Graph, Member, ModelPath
    from ternary_sdk._internal.packages.package import Package
    from ternary_sdk._internal.packages.validation import CheckResult, Ending, Figure, Relation, Validation
    from ternary_sdk._internal.signing.keys import PublicKey
    from ternary_sdk._internal.streams.stream import Stream
    from ternary_sdk._internal.trust.trust import Revocations, Role, Trust
    from ternary_sdk.draw import Draw
    from ternary_sdk.model import Model
    from ternary_sdk.operations import OperationSet
    from ternary_sdk.proved import ProvedModel
    from ternary_sdk.signature import Signature
    from ternary_sdk.space import TERNARY_2, Space

__version__ = VERSION

__all__ = [
    "TERNARY_2",
    "Activation",
    "Certificate",
    "CheckResult",
    "CodedError",
    "ContentKey",
    "CoverageError",
    "Draw",
    "Ending",
    "Evenness",
    "ExactPackage",
    "Figure",
    "FileDigest",
    "FormatError",
    "Graph",
    "InputError",
    "Interface",
    "LedgerError",
    "License",
    "LicenseError",
    "LicenseServer",
    "Machine",
    "Manifest",
    "Member",
    "Model",
    "ModelPath",
    "OperationSet",
    "Package",
    "PackageIdentity",
    "PathCoverage",
    "Prior",
    "ProofError",
    "ProvedModel",
    "PublicKey",
    "Reachable",
    "ReachableShare",
    "Reason",
    "Records",
    "Relation",
    "Replayed",
    "Revocations",
    "Role",
    "ServerError",
    "Signature",
    "SignatureError",
    "Space",
    "Stream",
    "Tensor",
    "TernaryError",
    "Trust",
    "Validation",
    "VastCertificate",
    "VastPath",
    "VersionRange",
    "__version__",
    "atlas",
    "coverage",
    "errors",
    "exchange",
    "identify",
    "logic",
    "operations",
    "signature",
    "space",
]

_WHERE: Final = {
    "TERNARY_2": "space",
    "Activation": "_internal.online.state",
    "Certificate": "_internal.certificates.certificate",
    "CheckResult": "_internal.packages.validation",
    "ContentKey": "_internal.licensing.claims",
    "Draw": "draw",
    "Ending": "_internal.packages.validation",
    "Evenness": "_internal.certificates.evenness",
    "ExactPackage": "_internal.identity",
    "Figure": "_internal.packages.validation",
    "FileDigest": "_internal.certificates.vast_path",
    "Graph": "_internal.packages.manifest_entries",
    "Interface": "_internal.graphs.interface",
    "License": "_internal.licensing.license",
    "LicenseServer": "_internal.online.client",
    "Machine": "_internal.licensing.machine",
    "Manifest": "_internal.packages.manifest",
    "Member": "_internal.packages.manifest_entries",
    "Model": "model",
    "ModelPath": "_internal.packages.manifest_entries",
    "OperationSet": "operations",
    "Package": "_internal.packages.package",
    "PackageIdentity": "_internal.identity",
    "PathCoverage": "_internal.certificates.path_coverage",
    "Prior": "_internal.certificates.path_coverage",
    "ProvedModel": "proved",
    "PublicKey": "_internal.signing.keys",
    "Reachable": "_internal.certificates.path_coverage",
    "ReachableShare": "_internal.certificates.vast_path",
    "Records": "_internal.certificates.records",
    "Relation": "_internal.packages.validation",
    "Replayed": "_internal.inference.vast_proof",
    "Revocations": "_internal.trust.trust",
    "Role": "_internal.trust.trust",
    "Signature": "signature",
    "Space": "space",
    "Stream": "_internal.streams.stream",
    "Tensor": "_internal.graphs.interface",
    "Trust": "_internal.trust.trust",
    "Validation": "_internal.packages.validation",
    "VastCertificate": "_internal.certificates.vast_certificate",
    "VastPath": "_internal.certificates.vast_path",
    "VersionRange": "_internal.identity",
    "identify": "_internal.licensing.machine",
}
"""The module of each name that is imported when first asked for; a module's own name is not in it."""


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'ternary_sdk' has no attribute {name!r}")
    if name not in _WHERE:
        return import_module(f"ternary_sdk.{name}")
    return getattr(import_module(f"ternary_sdk.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return __all__
