"""
The software bill of materials of a client's two wheels, in CycloneDX 1.6.

    python -m maintenance.sbom [WHEELS]

writes ``ternary-client.cdx.json`` beside the wheels. It names both wheels with their SHA-256, every package
that they need in the release of constraints.txt, and as optional what their extras need. Requirements are
those of this Python and this system, on which the releases are tested. The same wheels give the same bytes.
"""

import argparse
import hashlib
import json
import re
import sys
import uuid
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.dependency import Dependency
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.metadata import Metadata
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).parents[1]
NAME: Final = "ternary-client.cdx.json"
CLIENTS: Final = ("ternary-sdk", "ternary-cli")
_OURS: Final = "ternary-"
_PIN: Final = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)$", re.M)


class BillError(Exception):
    """The bill cannot be made; the message says what is missing and what to type."""


@dataclass(frozen=True)
class Wheel:
    """A wheel of ours: what its metadata says, and its digest."""

    about: Metadata
    sha256: str

    @property
    def name(self) -> str:
        """The distribution's name, as packages are compared."""
        return canonicalize_name(self.about.name)


Needs = Mapping[str, frozenset[str]]
"""For each package the packages that it needs."""


def made(folder: Path) -> bytes:
    """The bill of the client's wheels in a folder.

    Raises:
        BillError: If a wheel is missing, or a package is not installed in the release of constraints.txt.
    """
    wheels = {name: _wheel(folder, name) for name in CLIENTS}
    pins = {canonicalize_name(name): version for name, version in _PIN.findall(_constraints())}

    def about(name: str) -> Metadata:
        return wheels[name].about if name in wheels else _installed(name, pins)

    needed = _needs([(name, "") for name in wheels], about)
    whole = _needs([(name, extra) for name in wheels for extra in ("", *_extras(about(name)))], about)
    parts = {name: _component(name, about(name), name in needed) for name in whole if name not in wheels}
    parts |= {name: _ours(wheel) for name, wheel in wheels.items()}
    return _written(parts, whole, wheels.values())


def _constraints() -> str:
    return (ROOT / "constraints.txt").read_text("utf-8")


def _wheel(folder: Path, name: str) -> Wheel:
    found = sorted(folder.glob(f"{name.replace('-', '_')}-*.whl"))
    if len(found) != 1:
        raise BillError(f"{folder}: {len(found)} wheels of {name}, expected 1; run 'make wheels'")
    try:
        archive = zipfile.ZipFile(found[0])
        (member,) = (one for one in archive.namelist() if one.endswith(".dist-info/METADATA"))
        about = Metadata.from_email(archive.read(member))
    except (zipfile.BadZipFile, ValueError, ExceptionGroup) as error:
        raise BillError(f"{found[0]}: not a wheel ({error}); run 'make wheels'") from None
    return Wheel(about, hashlib.sha256(found[0].read_bytes()).hexdigest())


def _installed(name: str, pins: Mapping[str, str]) -> Metadata:
    """What a package says of itself, in the pinned release."""
    if name not in pins:
        raise BillError(f"{name}: not in constraints.txt; add its release")
    try:
        found = distribution(name)
    except PackageNotFoundError:
        raise BillError(f"{name}: not installed; run 'make test'") from None
    if found.version != pins[name]:
        raise BillError(
            f"{name}: {found.version} is installed, constraints.txt has {pins[name]}; run 'make test'"
        )
    # members that other people misspell do not matter here
    return Metadata.from_email(found.read_text("METADATA") or "", validate=False)


def _extras(about: Metadata) -> Iterable[str]:
    """The extras of a client: those that need no distribution of the vendor's."""
    for extra in about.provides_extra or ():
        asked = [
            canonicalize_name(one.name)
            for one in about.requires_dist or ()
            if one.marker and one.marker.evaluate({"extra": extra}) and not one.marker.evaluate({"extra": ""})
        ]
        if not any(name.startswith(_OURS) and name not in CLIENTS for name in asked):
            yield extra


def _needs(asked: Iterable[tuple[str, str]], about: Callable[[str], Metadata]) -> Needs:
    """Everything that packages need, each asked for with an extra or without (an empty text)."""
    edges: dict[str, set[str]] = defaultdict(set)
    open_, seen = list(asked), set[tuple[str, str]]()
    while open_:
        name, extra = one = open_.pop()
        if one in seen:
            continue
        seen.add(one)
        edges[name] |= set()
        for needed in about(name).requires_dist or ():
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                other = canonicalize_name(needed.name)
                edges[name].add(other)
                open_ += [(other, each) for each in ("", *needed.extras)]
    return {name: frozenset(others - {name}) for name, others in edges.items()}


def _component(name: str, about: Metadata, required: bool) -> Component:
    version = str(about.version)
    return Component(
        name=name,
        version=version,
        bom_ref=f"{name}@{version}",
        scope=ComponentScope.REQUIRED if required else ComponentScope.OPTIONAL,
        purl=PackageURL("pypi", name=name, version=version),
        licenses=[LicenseExpression(about.license_expression)] if about.license_expression else (),
    )


def _ours(wheel: Wheel) -> Component:
    """A wheel of ours. It is on no index, so its purl must not name one."""
    version = str(wheel.about.version)
    return Component(
        name=wheel.name,
        version=version,
        description=wheel.about.summary,
        bom_ref=f"{wheel.name}@{version}",
        scope=ComponentScope.REQUIRED,
        purl=PackageURL("generic", name=wheel.name, version=version),
        licenses=[LicenseExpression(str(wheel.about.license_expression))],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=wheel.sha256)],
    )


def _written(parts: Mapping[str, Component], needs: Needs, wheels: Iterable[Wheel]) -> bytes:
    """The document. Its serial number is of the wheels and the pins, and it has no time of its own."""
    versions = {str(wheel.about.version) for wheel in wheels}
    client = Component(
        name="ternary-client",
        version=" ".join(sorted(versions)),
        type=ComponentType.APPLICATION,
        bom_ref="ternary-client",
    )
    refs = {name: part.bom_ref for name, part in parts.items()}
    edges = [Dependency(refs[name], [Dependency(refs[one]) for one in needs[name]]) for name in parts]
    edges.append(Dependency(client.bom_ref, [Dependency(refs[name]) for name in CLIENTS]))
    inputs = "".join([*sorted(wheel.sha256 for wheel in wheels), _constraints()])
    bom = Bom(
        components=parts.values(), dependencies=edges, serial_number=uuid.uuid5(uuid.NAMESPACE_OID, inputs)
    )
    bom.metadata.component = client
    document = json.loads(JsonV1Dot6(bom).output_as_string())
    del document["metadata"]["timestamp"]
    return (json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def main(words: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m maintenance.sbom",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("wheels", nargs="?", type=Path, default=ROOT / "wheels", help="default: wheels")
    given = parser.parse_args(words)
    try:
        (given.wheels / NAME).write_bytes(made(given.wheels))
    except (BillError, OSError) as refusal:
        sys.stderr.write(f"error: {refusal}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
