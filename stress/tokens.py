"""
Hostile licenses, trust files, usage reports, clock marks and sealed keys: only this SDK's own errors may
come out.

Half of the inputs are damaged bytes; the other half are damaged claims under a good signature, since what
nobody signed never reaches the reading of claims.
"""

import json
import random
import tempfile
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from ternary_license_server.keys import keyring, rotation
from ternary_license_server.keys.issue import issue
from ternary_license_server.keys.keyring import KeyRing
from ternary_license_server.keys.sealing import seal
from ternary_sdk._internal.documents import base64url, canonical, outer
from ternary_sdk._internal.identity import PackageIdentity
from ternary_sdk._internal.licensing import installation, mark
from ternary_sdk._internal.licensing.counted import Acknowledged, Counted
from ternary_sdk._internal.licensing.installation import Installation
from ternary_sdk._internal.licensing.license import TYP, License
from ternary_sdk._internal.licensing.mark import Denial, Mark, Versions
from ternary_sdk._internal.licensing.usage import TYP as USAGE
from ternary_sdk._internal.licensing.usage import Usage, report
from ternary_sdk._internal.signing import jwe, jws
from ternary_sdk._internal.trust.trust import KEY_SET, REVOCATIONS, Role, Trust
from ternary_sdk.errors import LicenseError, Reason, TernaryError
from ternary_sdk.operations import OperationSet

NOW: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
ODD_VALUES: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 1, 2**53, -(2**53), 2**63, 10**400, 253402300800, 1.5, float("inf")),
    *("", "a", "\x00", "é", "\ud800", "A" * 43, "A" * 100_000, "١"),
    *([], [[]], [None], {}, {"": 0}, ["a", "a"], [{}], [{}, {}]),
)

LICENSE: Final = "license"
TRAVELLING: Final = (LICENSE, "key set", "revocation list", "usage report")
"""Their readers pass over what editors put around a file; those of what never travels do not."""
DAMAGED: Final = "damaged"
ACCEPTED: Final = "accepted"
EXTRA_CLAIMS: Final = ("cnf", "grace", "exp", "nbf", "critical", "seats", "extra")


@dataclass(frozen=True, kw_only=True)
class Target:
    """One kind of document: a good one, its reader, and a way to sign damaged claims."""

    name: str
    good: bytes
    read: Callable[[bytes], object]
    claims: dict[str, Any]
    sign: Callable[[bytes], bytes]


def targets(folder: Path) -> list[Target]:
    """The documents a client reads, all of them valid."""
    ring = keyring.create(folder / "keys", "Acme", NOW)
    held = installation.draft(folder)
    ring = rotation.revoke_license(rotation.rotate(ring, Role.LICENSE, NOW), "L-1", NOW)
    sealed = seal(bytes(32), held.public)
    return [_license(ring, held), *_trust(ring), _usage(held), _mark(held), _sealed(held, sealed)]


def sweep(count: int, seed: int) -> Counter[str]:
    """Read ``count`` hostile documents.

    Returns:
        How many were refused, by reader, what was done to the document and error, and how many accepted.
    Raises:
        Exception: Whatever escapes that is not this SDK's own: that is the failure.
    """
    found: Counter[str] = Counter()
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        documents = targets(Path(folder))
        for _ in range(count):
            target = chance.choice(documents)
            signed = chance.random() >= 0.5
            data = _resigned(target, chance) if signed else _damaged(target.good, chance)
            found[f"{target.name}, {'signed again' if signed else DAMAGED}: {_outcome(target, data)}"] += 1
    return found


def accepted_damage(found: Counter[str]) -> Counter[str]:
    """Of what a sweep found, the damaged documents that were accepted: not one may be."""
    ending = f", {DAMAGED}: {ACCEPTED}"
    return Counter({outcome: number for outcome, number in found.items() if outcome.endswith(ending)})


def _outcome(target: Target, data: bytes) -> str:
    try:
        target.read(data)
    except LicenseError as refusal:
        return str(refusal.code)
    except TernaryError as refusal:
        return type(refusal).__name__
    unchanged = outer.stripped(data) if target.name in TRAVELLING else data
    return "unchanged" if unchanged == target.good else ACCEPTED


def _damaged(good: bytes, chance: random.Random) -> bytes:
    data = bytearray(good)
    for _ in range(chance.choice((1, 1, 2, 8))):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(5):
            case 0 if at < len(data):
                data[at] ^= 1 << chance.randrange(8)
            case 1:
                del data[at : at + chance.choice((1, 4, 64, len(data)))]
            case 2:
                data[at:at] = chance.randbytes(chance.choice((1, 4, 64)))
            case 3:
                data[at:at] = good[at : at + chance.randrange(1, 200)]
            case _:
                data[at:at] = chance.choice((b".", b"=", b"\n", b'"', b"{", b"[" * 50, b"\\u0000", b"\xff"))
        if not data:
            break
    return bytes(data)


def _resigned(target: Target, chance: random.Random) -> bytes:
    claims = json.loads(json.dumps(target.claims))
    for _ in range(chance.choice((1, 1, 2, 5))):
        _twist(claims, chance)
    payload = json.dumps(claims, ensure_ascii=chance.random() < 0.9).encode("utf-8", "surrogatepass")
    return target.sign(_damaged(payload, chance) if chance.random() < 0.3 else payload)


def _twist(node: Any, chance: random.Random) -> None:
    """Change one member somewhere in a document."""
    while True:
        places = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not places:
            return
        place = chance.choice(places)
        if isinstance(node[place], dict | list) and node[place] and chance.random() < 0.7:
            node = node[place]
            continue
        match chance.randrange(4):
            case 0:
                del node[place]
            case 1 if isinstance(node, list):
                node.extend([node[place]] * chance.choice((1, 300)))
            case 2 if isinstance(node, dict):
                node[chance.choice(EXTRA_CLAIMS)] = _odd(chance)
            case _:
                node[place] = _odd(chance)
        return


def _odd(chance: random.Random) -> Any:
    return deepcopy(chance.choice(ODD_VALUES))


def _license(ring: KeyRing, held: Installation) -> Target:
    package = PackageIdentity(name="acme", version=(1, 0, 0), digest="ab" * 32)
    token = issue(
        ring,
        package=package,
        customer="Initech",
        now=NOW,
        expires=NOW.replace(year=2030),
        grace_from=NOW.replace(year=2030, month=2),
        machines=["m-1", "x-2"],
        bound_to=held.public,
        content_keys={package.digest: bytes(32)},
        unique_operations=5000,
        license_id="L-17",
    )
    signer = ring.signer(Role.LICENSE)
    return Target(
        name=LICENSE,
        good=token,
        read=lambda data: License.read(data, ring.trust),
        claims=_payload(token),
        sign=lambda payload: _token(payload, TYP, signer.kid, signer.sign),
    )


def _trust(ring: KeyRing) -> list[Target]:
    fields = json.loads(ring.trust.data)
    root, signer = ring.signer(Role.ROOT), ring.signer(Role.LICENSE)

    def file(**change: str) -> bytes:
        return canonical.encode(fields | change)

    return [
        Target(
            name="key set",
            good=ring.trust.data,
            read=Trust.read,
            claims=_payload(fields["keys"].encode()),
            sign=lambda payload: file(keys=_token(payload, KEY_SET, root.kid, root.sign).decode()),
        ),
        Target(
            name="revocation list",
            good=ring.trust.data,
            read=Trust.read,
            claims=_payload(fields["revocations"].encode()),
            sign=lambda payload: file(
                revocations=_token(payload, REVOCATIONS, signer.kid, signer.sign).decode()
            ),
        ),
    ]


def _usage(held: Installation) -> Target:
    counted = Counted(
        lease="S-17",
        owner="Initech",
        history="A" * 22,
        sequence=3,
        operations=OperationSet.of([1, 2, 3]),
        acknowledged=Acknowledged(operations=1, sha256=OperationSet.of([1]).digest),
    )
    good = report("L-17", counted, held, NOW)
    fields = json.loads(good)
    return Target(
        name="usage report",
        good=good,
        read=Usage.read,
        claims=_payload(fields["report"].encode()),
        sign=lambda payload: canonical.encode(
            fields | {"report": _token(payload, USAGE, held.kid, held.sign).decode()}
        ),
    )


def _mark(held: Installation) -> Target:
    seen = Mark(
        time=NOW,
        signed=NOW,
        versions=Versions(key_set=2, revocations=1),
        denials=(Denial(license="L-17", code=Reason.SUSPENDED, issued=NOW),),
    )
    mark.write(held, seen)
    file = mark.mark_file(held)

    def read(data: bytes) -> Mark:
        file.write_bytes(data)
        return mark.read(held)

    good = file.read_bytes()
    return Target(
        name="clock mark",
        good=good,
        read=read,
        claims=_payload(good),
        sign=lambda payload: _token(payload, mark.TYP, held.kid, held.sign),
    )


def _sealed(held: Installation, sealed: str) -> Target:
    header, _, rest = sealed.partition(".")
    return Target(
        name="sealed key",
        good=sealed.encode(),
        read=lambda data: jwe.unseal(data.decode("latin-1"), held.private, held.kid, what="content key"),
        claims=json.loads(base64url.decode(header, "header")),
        sign=lambda payload: f"{base64url.encode(payload)}.{rest}".encode(),
    )


def _payload(token: bytes) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(base64url.decode(token.decode().split(".")[1], "payload"))
    return claims


def _token(payload: bytes, typ: str, kid: str, sign: Callable[[bytes], bytes]) -> bytes:
    """A well-formed token over any bytes at all."""
    header = base64url.encode(canonical.encode({"alg": jws.ALGORITHM, "kid": kid, "typ": typ}))
    signed = f"{header}.{base64url.encode(payload)}".encode()
    return jws.assemble(signed, sign(signed))
