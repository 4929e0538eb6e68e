"""
``ternary license``: look at a license, or issue one.
"""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ternary_cli.options import (
    ClaimOption,
    JsonOption,
    KeysOption,
    LicenseArgument,
    MachineOption,
    NewFileOption,
    StateOption,
    TrustOption,
    option,
    whole,
)
from ternary_cli.vendor_extra import vendor_extra

if TYPE_CHECKING:
    from ternary_license_server.keys.keyring import KeyRing
    from ternary_sdk._internal.identity import PackageIdentity, PackageTerm, VersionRange
    from ternary_sdk._internal.packages import package as packages

MAX_KEY: Final = 4096
_MACHINE: Final = re.compile(r"[mx]-[0-9a-f]{32}")

Package = Annotated[
    Path | None, option("--package", metavar="FILE", text="The package it is for, by its digest.")
]
Product = Annotated[
    str | None,
    option("--product", metavar="NAME", text="Instead: packages of this name that are not encrypted."),
]
VersionsFrom = Annotated[
    str | None,
    option("--versions-from", metavar="V", text="With --product: first version; default: 0.0.0."),
]
VersionsBelow = Annotated[
    str | None, option("--versions-below", metavar="V", text="With --product: first version it is not for.")
]
Customer = Annotated[str, option("--to", metavar="CUSTOMER", text="Whom it is for.")]
Expires = Annotated[str, option("--expires", metavar="DATE", text="Its last day, UTC, or 'never'.")]
Allow = Annotated[
    str,
    option("--allow", metavar="LIST", text="Of encode,decode,sample (default), and your own, x-NAME."),
]
Quota = Annotated[
    int | None,
    whole("--unique-operations", metavar="N", text="Most different operations it may ever return."),
]
Machines = Annotated[
    list[str] | None, option("--machine", metavar="ID", text="A machine it runs on; repeat for more.")
]

Bind = Annotated[
    Path | None,
    option(
        "--bind", metavar="KEY", text="Only under this installation key, as 'ternary machine --key' wrote it."
    ),
]
Seats = Annotated[
    int | None, whole("--seats", metavar="N", text="Machines at once; with --machine or --bind.")
]
ContentKey = Annotated[
    Path | None, option("--content-key", metavar="F", text="What an encrypted package was encrypted with.")
]
Perpetual = Annotated[
    bool,
    option("--perpetual", text="Versions released until --expires stay usable for ever; later ones are not."),
]


def show(
    license: LicenseArgument = None,
    trust: TrustOption = None,
    machine_id: MachineOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what a license allows, whether that holds here and now, and whether it ends within 30 days."""
    from ternary_cli.facts import license_facts, license_words
    from ternary_cli.selection import select_license
    from ternary_cli.standing import drawn, licensed_package, refusals, state_words
    from ternary_cli.terminal import pairs, show_json
    from ternary_cli.terminal import show as show_lines
    from ternary_sdk._internal.licensing.ends import near
    from ternary_sdk._internal.licensing.license import SOON
    from ternary_sdk._internal.licensing.permit import Permit

    granted = select_license(license, trust, machine_id, state=state)
    held, trusted = granted.license, granted.trust
    permit = Permit(held, licensed_package(held), trusted, machine_id=granted.machine_id, state=state)
    moment = datetime.now(UTC)
    now, used = refusals(permit, moment), drawn(permit)
    if as_json:
        left = held.ends_in(moment)
        answers = {action: str(refusal.code) if refusal else "allowed" for action, refusal in now.items()}
        ends = {"ends_in_days": left.days if left is not None else None, "ends_soon": held.ends_soon(moment)}
        show_json(license_facts(held) | ends | {"drawn": used, "now": answers})
        return
    soon = "; ".join(
        f"{end.what} {end.words(moment)}: {end.remedy}" for end in near(held, trusted, moment, SOON)
    )
    words = license_words(held, moment, drawn=used) | ({"ends": soon} if soon else {})
    show_lines(pairs(words | {"state": state_words(held, now)}))


def issue(
    customer: Customer,
    expires: Expires,
    keys: KeysOption,
    out: NewFileOption,
    package: Package = None,
    product: Product = None,
    versions_from: VersionsFrom = None,
    versions_below: VersionsBelow = None,
    allow: Allow = "encode,decode,sample",
    unique_operations: Quota = None,
    machine: Machines = None,
    bind: Bind = None,
    seats: Seats = None,
    content_key: ContentKey = None,
    perpetual: Perpetual = False,
    claim: ClaimOption = None,
    as_json: JsonOption = False,
) -> None:
    """Vendor: issue a license for one package, or for a range of versions of a product."""
    from ternary_cli.dates import end_after
    from ternary_cli.facts import license_facts, license_words
    from ternary_cli.files import read, write_new
    from ternary_cli.terminal import pairs, show, show_json
    from ternary_sdk._internal.licensing import own_claims
    from ternary_sdk._internal.licensing.license import License
    from ternary_sdk._internal.signing.keys import PublicKey
    from ternary_sdk.errors import InputError

    if (package is None) is (product is None):
        raise typer.BadParameter("Name what it is for: either --package FILE or --product NAME.")
    versions = None if product is None else _versions(product, versions_from, versions_below, content_key)
    if package is not None and (versions_from is not None or versions_below is not None):
        raise typer.BadParameter("--versions-from and --versions-below need --product, not --package.")
    now = datetime.now(UTC)
    end = end_after(expires, now)
    if perpetual and end is None:
        raise InputError("--perpetual: needs --expires DATE, until which versions must have been released")
    own = own_claims.parse(claim or ())
    machines = [_machine(given) for given in machine or ()]
    with vendor_extra("ternary license issue"):
        from ternary_license_server.keys import issue as issuing
        from ternary_license_server.keys import keyring
    ring = keyring.load(keys)
    terms: PackageIdentity | list[PackageTerm] = [] if versions is None else [versions]
    secrets: dict[str, bytes] | None = None
    if package is not None:
        terms, secrets = _licensed(package, content_key, ring)
    token = issuing.issue(
        ring,
        package=terms,
        customer=customer,
        expires=None if perpetual else end,
        released_until=end if perpetual else None,
        own=own,
        entitlements=[name.strip() for name in allow.split(",")],
        unique_operations=unique_operations,
        machines=machines or None,
        bound_to=PublicKey.from_pem(read(bind, most=MAX_KEY)[0], str(bind)) if bind else None,
        seats=seats,
        content_keys=secrets,
        now=now,
    )
    write_new(token + b"\n", out)
    issued, written = License.read(token, ring.trust), {"file": str(out)}
    show_json(written | license_facts(issued)) if as_json else show(
        pairs(written | license_words(issued, now))
    )


def _licensed(
    package: Path, content_key: Path | None, ring: "KeyRing"
) -> "tuple[PackageIdentity, dict[str, bytes] | None]":
    """A package and, if it is encrypted, its content key by its digest."""
    from ternary_license_server.keys import content_key as content_keys
    from ternary_sdk.errors import InputError

    licensed = own_package(package, ring)
    if licensed.locked and content_key is None:
        raise InputError(
            f"{package}: its graphs are encrypted; add --content-key F, what 'ternary package' encrypted "
            "them with"
        )
    if content_key is None:
        return licensed.identity, None
    secret = content_keys.load(content_key, licensed.manifest.label)
    licensed.unlock(secret)  # a license whose key opens nothing is not issued
    return licensed.identity, {licensed.identity.digest: secret}


def _versions(product: str, start: str | None, below: str | None, content_key: Path | None) -> "VersionRange":
    """The range of a product's versions that options name."""
    from ternary_cli.server_terms import checked_name
    from ternary_sdk._internal.identity import VersionRange, parse_version
    from ternary_sdk.errors import InputError

    if below is None:
        raise typer.BadParameter("--product needs --versions-below V, the first version it is not for.")
    if content_key is not None:
        raise InputError(
            "--content-key cannot be used with --product: a key opens one package; use --package"
        )
    return VersionRange(
        name=checked_name(product, "--product"),
        start=parse_version(start or "0.0.0"),
        below=parse_version(below),
    )


def own_package(package: Path, ring: "KeyRing") -> "packages.Package":
    """The package, which the vendor's own keys must have signed."""
    from ternary_cli.documents import verified_package
    from ternary_sdk.errors import SignatureError

    try:
        return verified_package(package, ring.trust)
    except SignatureError as refusal:
        advice = (
            f"name a package that the keys in {ring.directory} signed, or with --keys those that signed it"
        )
        raise SignatureError(str(refusal).replace(ring.trust.update_advice, advice)) from None


def _machine(given: str) -> str:
    from ternary_sdk.errors import InputError

    if not _MACHINE.fullmatch(given):
        raise InputError(
            f"--machine: {given[:60]!r}, expected an id that 'ternary machine' printed: "
            "m- or x-, then 32 hex digits"
        )
    return given
