"""
What may cross from one process to another: every public error and value of all five distributions.

Both are found by walking the packages, so a class that is added later is tested too.
"""

import copy
import dataclasses
import enum
import importlib
import pickle
import pkgutil
import traceback
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import onnx
import pytest
import torch
from sqlalchemy import Select

from ternary_export.build import Build
from ternary_export.vast_certifying import Effort
from ternary_license_server.database.engine import Database
from ternary_license_server.keys.keyring import KeyRing
from ternary_license_server.keys.vendor_keys import VendorKeys
from ternary_license_server.service.policies import Policy
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_sdk import Model
from ternary_sdk._internal.identity import PackageIdentity, VersionRange
from ternary_sdk._internal.inference.dial import Dial
from ternary_sdk._internal.inference.runtime import Workers
from ternary_sdk._internal.licensing.installation import Installation
from ternary_sdk._internal.licensing.permit import Permit
from ternary_sdk._internal.packages.package import Package
from ternary_sdk.errors import CodedError, InputError, LicenseError, Reason
from ternary_sdk.logic import Condition, Counted, Partial, commutative, counted
from ternary_sdk.operations import OperationSet
from ternary_sdk.signature import STANDARD
from ternary_sdk.space import Space
from ternary_trainer.architecture import V55
from ternary_trainer.compute import Price
from ternary_trainer.device import CPU
from ternary_trainer.evenness import Tally
from ternary_trainer.model import TernaryVAE
from ternary_trainer.validation.networks import TorchNetwork
from ternary_trainer.validation.subject import Decoder
from ternary_trainer.validation.vast_draws import VastDecoder
from ternary_trainer.validation.vast_subject import Effort as ValidationEffort

DISTRIBUTIONS = ("ternary_sdk", "ternary_trainer", "ternary_export", "ternary_license_server", "ternary_cli")
BOUND = {
    *(
        "Asked",
        "Asking",
        "Bills",
        "Certificates",
        "Exchange",
        "Installation",
        "KeyRing",
        "Meter",
        "ProvedPath",
    ),
    *("Parsed", "Reported", "Row", "Server", "SigningKey", "Taken", "WebhookKey"),
}
"""Values that hold a key, a connection, a file or a session, or what a database is asked for when read."""
WAYS: Mapping[str, Callable[[Any], Any]] = {
    **{
        f"pickle protocol {number}": lambda value, number=number: pickle.loads(pickle.dumps(value, number))
        for number in range(pickle.HIGHEST_PROTOCOL + 1)
    },
    "copy": copy.copy,
    "deep copy": copy.deepcopy,
}


def public_classes() -> Iterator[type]:
    for distribution in DISTRIBUTIONS:
        root = importlib.import_module(distribution)
        for entry in pkgutil.walk_packages(root.__path__, f"{distribution}."):
            if ".migrations" in entry.name:
                continue
            module = importlib.import_module(entry.name)
            for name, found in vars(module).items():
                if isinstance(found, type) and found.__module__ == entry.name and not name.startswith("_"):
                    yield found


def error_of(kind: type[BaseException]) -> BaseException:
    """One with every argument that its constructor takes."""
    if not isinstance(vars(kind).get("__init__"), types.FunctionType):
        return kind("a: is 1, expected 2")
    arguments = typing.get_type_hints(kind.__init__)
    arguments.pop("return")
    return kind(*map(argument, arguments.values()))


def argument(wanted: object) -> object:
    if isinstance(wanted, type) and issubclass(wanted, enum.Enum):
        return [*Reason, *wanted][-1]
    if dataclasses.is_dataclass(wanted):
        return made(wanted, {}, {})
    return 15 if wanted is int else "why"


def test_every_public_error_survives_pickling_and_copying() -> None:
    errors = [kind for kind in public_classes() if issubclass(kind, BaseException)]
    assert {"LicenseError", "ServiceError", "FaultError", "RowConflictError"} <= {e.__name__ for e in errors}
    for kind in errors:
        error = error_of(kind)
        for way, passed in WAYS.items():
            again = passed(error)
            assert type(again) is kind, way
            assert (str(again), repr(again)) == (str(error), repr(error)), way
            assert vars(again) == vars(error), way


class CustomersError(LicenseError):
    """A host's own, with a constructor of another form."""

    def __init__(self, *, order: int) -> None:
        super().__init__(Reason.EXPIRED, "license L-17 expired")
        self.order = order


def test_an_error_that_a_host_derives_survives_too() -> None:
    for passed in WAYS.values():
        again = passed(CustomersError(order=3))
        assert (again.order, again.code, str(again)) == (3, Reason.EXPIRED, "license L-17 expired")


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (LicenseError(Reason.EXPIRED, "it expired"), "LicenseError(Reason.EXPIRED, 'it expired')"),
        (ServiceError(Code.UNKNOWN, "no such"), "ServiceError(Code.UNKNOWN, 'no such')"),
    ],
)
def test_code_is_shown_where_programmers_look_and_not_in_the_sentence(error: CodedError, shown: str) -> None:
    assert str(error) == error.args[0]
    assert repr(error) == shown
    for passed in (error, pickle.loads(pickle.dumps(error))):
        last = traceback.format_exception(passed)
        assert last[-1] == f"code: {error.code}\n"


def instances(value: object, found: dict[type, object]) -> dict[type, object]:
    """The first instance of each value class within a value."""
    if dataclasses.is_dataclass(value) and type(value) not in found:
        found[type(value)] = value
        parts: list[object] = [getattr(value, field.name) for field in dataclasses.fields(value)]
    elif isinstance(value, Mapping):
        parts = [*value.keys(), *value.values()]
    else:
        parts = list(value) if isinstance(value, tuple) else []
    for part in parts:
        instances(part, found)
    return found


@pytest.fixture(scope="module")
def real(shipped: bytes, build: Build, vendor: KeyRing, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Real instances of what annotations alone do not make."""
    package, now = Package.read(shipped, vendor.trust), datetime(2026, 3, 1, tzinfo=UTC)
    with Model.evaluation(threads=1) as model:
        roots = (STANDARD, V55, package, build, vendor.trust, model.sample(3), model.license, model.package)
    versions = VersionRange(name="acme", start=(1, 0, 0), below=(2, 0, 0))
    span = timedelta(hours=1)
    policy = Policy(
        name="team", product="acme", entitlements=("sample",), seats=1, unique_operations=None, lease=span,
        grace=span, offline=span, trial=False, versions=versions, term=None,
    )  # fmt: skip
    found: dict[type, object] = {
        OperationSet: OperationSet.of([1, 2]),
        Path: Path("a"),
        datetime: now,
        date: now.date(),
        httpx.Proxy: httpx.Proxy("https://proxy.acme.example"),
        timedelta: span,
        torch.Tensor: torch.ones(2),
        onnx.AttributeProto: onnx.helper.make_attribute("axis", 0),
        torch.device: CPU,
        np.ndarray: np.arange(3),
        Condition: commutative,
        Counted: counted(Space(2, 2), commutative),
        Decoder: TorchNetwork(TernaryVAE(), "A", CPU),
        VastDecoder: TorchNetwork(TernaryVAE(), "A", CPU),
        Dial: Dial(explore=0.5),
        Effort: Effort(draws=5),
        PackageIdentity: package.identity,
        Partial: Partial(Space(2, 1), (0, None)),
        Price: Price(per_core_hour=0.04, currency="EUR"),
        VersionRange: versions,
        Policy: policy,
        ValidationEffort: ValidationEffort(),
        Tally: Tally(Space(2, 5)),
    }
    return instances(roots, found)


def example(hint: Any, given: dict[type, object], names: dict[str, type]) -> Any:
    """A value of an annotation's type; of a union the first alternative."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if isinstance(hint, typing.TypeVar) or hint in (Any, str):
        return "text"
    if origin is typing.Literal:
        return arguments[0]
    if origin in (typing.Union, types.UnionType):
        return example(next(one for one in arguments if one is not type(None)), given, names)
    if origin is tuple:
        return tuple(example(one, given, names) for one in arguments if one is not Ellipsis)
    if origin is not None and issubclass(origin, Callable):  # type: ignore[arg-type]
        return len
    if origin is not None and issubclass(origin, Mapping):
        key, value = arguments
        return {example(key, given, names): example(value, given, names)}
    if (origin or hint) in given:
        return given[origin or hint]
    if origin is not None:
        return (list if origin.__module__ == "collections.abc" else origin)(
            [example(arguments[0], given, names)]
        )
    if issubclass(hint, enum.Enum):
        return list(hint)[-1]
    if dataclasses.is_dataclass(hint):
        return made(hint, given, names)
    return hint(1) if hint is not bytes else b"bytes"


def made(kind: Any, given: dict[type, object], names: dict[str, type]) -> Any:
    """A real instance of a value class, else one with a value in every field."""
    if kind not in given:
        hints = typing.get_type_hints(kind, localns={"torch": torch, **names})
        fields = {field.name: example(hints[field.name], given, names) for field in dataclasses.fields(kind)}
        given[kind] = kind(**fields)
    return given[kind]


def same(one: Any, other: Any) -> bool:
    """Whether two values are of one type and hold the same, arrays' permission to write included."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other) and one.flags.writeable == other.flags.writeable
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, Select | httpx.Proxy):
        return str(one) == str(other)
    if isinstance(one, OperationSet):
        return same(one.mask, other.mask)
    if dataclasses.is_dataclass(one):
        return all(
            same(getattr(one, field.name), getattr(other, field.name)) for field in dataclasses.fields(one)
        )
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, Tally):
        return same(vars(one), vars(other))
    return isinstance(one, TorchNetwork) or bool(one == other)


def test_every_public_value_survives_pickling_and_copying(real: dict[type, object]) -> None:
    values = {kind for kind in public_classes() if dataclasses.is_dataclass(kind)} | {OperationSet}
    names = {kind.__name__: kind for kind in values}
    assert names.keys() >= BOUND
    for kind in sorted(values, key=lambda kind: (kind.__module__, kind.__name__)):
        if kind.__name__ in BOUND:
            continue
        value = made(kind, real, names)
        for way in ("pickle protocol 2", "pickle protocol 5", "copy", "deep copy"):
            assert same(value, WAYS[way](value)), f"{kind.__module__}.{kind.__name__}: {way}"


def refusal(act: Callable[[Any], object], value: object) -> str:
    with pytest.raises(InputError) as found:
        act(value)
    return str(found.value)


POOL = "open it in each worker, for example in the pool's initializer"
SESSIONS = f"holds threads and sessions of this process and cannot be pickled or copied; {POOL}"
KEY = "holds a private key and cannot be pickled or copied; read it from its file in each worker"


@pytest.mark.parametrize("act", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_model_is_refused_with_the_pattern_to_use(act: Callable[[Any], object]) -> None:
    with Model.evaluation(threads=1) as model:
        assert refusal(act, model) == f"Model: {SESSIONS}"


def test_what_belongs_to_a_process_is_refused(vendor: KeyRing, tmp_path: Path) -> None:
    signer = next(iter(vendor.keys.values()))
    held = Installation(directory=tmp_path, public=signer.public, private=signer._private)
    with Model.evaluation(threads=1) as model:
        path = model._path("A")[1]
        assert refusal(pickle.dumps, path) == f"Encoder: {SESSIONS}"
        assert refusal(pickle.dumps, model._permit) == f"Permit: {SESSIONS}"
    assert isinstance(model._permit, Permit)
    assert refusal(pickle.dumps, Workers()) == f"Workers: {SESSIONS}"
    assert refusal(copy.deepcopy, signer) == f"SigningKey: {KEY}"
    assert refusal(pickle.dumps, vendor) == f"SigningKey: {KEY}"
    assert refusal(pickle.dumps, held) == f"Installation: {KEY}"
    assert refusal(pickle.dumps, VendorKeys(vendor.directory)) == f"VendorKeys: {KEY}"
    assert refusal(pickle.dumps, Database("sqlite:///a")) == f"Database: {SESSIONS}"
