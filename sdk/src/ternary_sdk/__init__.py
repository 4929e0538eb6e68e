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
    from ternary_sdk import atlas, coverage, errors, logic, operations, signature, space
    from ternary_sdk._internal.certificates.certificate import Certificate
    from ternary_sdk._internal.licensing.license import License
    from ternary_sdk._internal.licensing.machine import Machine, identify
    from ternary_sdk._internal.online.client import LicenseServer
    from ternary_sdk._internal.packages.package import Package
    from ternary_sdk._internal.trust.trust import Trust
    from ternary_sdk.draw import Draw
    from ternary_sdk.model import Model
    from ternary_sdk.operations import OperationSet
    from ternary_sdk.proved import ProvedModel
    from ternary_sdk.signature import Signature
    from ternary_sdk.space import TERNARY_2, Space

__version__ = VERSION

__all__ = [
    "TERNARY_2",
    "Certificate",
    "CodedError",
    "CoverageError",
    "Draw",
    "FormatError",
    "InputError",
    "LedgerError",
    "License",
    "LicenseError",
    "LicenseServer",
    "Machine",
    "Model",
    "OperationSet",
    "Package",
    "ProofError",
    "ProvedModel",
    "Reason",
    "ServerError",
    "Signature",
    "SignatureError",
    "Space",
    "TernaryError",
    "Trust",
    "__version__",
    "atlas",
    "coverage",
    "errors",
    "identify",
    "logic",
    "operations",
    "signature",
    "space",
]

_WHERE: Final = {
    "TERNARY_2": "space",
    "Certificate": "_internal.certificates.certificate",
    "Draw": "draw",
    "License": "_internal.licensing.license",
    "Machine": "_internal.licensing.machine",
    "Model": "model",
    "OperationSet": "operations",
    "Package": "_internal.packages.package",
    "ProvedModel": "proved",
    "LicenseServer": "_internal.online.client",
    "Signature": "signature",
    "Space": "space",
    "Trust": "_internal.trust.trust",
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
