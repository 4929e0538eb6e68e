"""
``ternary server customer``, ``release``, ``policy``: what is sold to whom.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ternary_cli.dates import duration
from ternary_cli.options import JsonOption, StateOption, TrustOption, argument, option, whole
from ternary_cli.server_deals import OveragePrice, OverageUpTo, Perpetual, SeatsUpTo, overage
from ternary_cli.server_pages import Column, CsvOption, dated, minute, one_form, pages, plain, show_list
from ternary_cli.server_terms import (
    TokenFile,
    Url,
    admin,
    checked_name,
    checked_version,
    show_facts,
)
from ternary_cli.vendor_extra import vendor_extra

if TYPE_CHECKING:
    from ternary_cli.admin import Admin


def customer(
    name: Annotated[str, argument("NAME", "Whom licenses will name.")],
    contact: Annotated[str | None, option("--contact", metavar="T", text="Whom to write to.")] = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
) -> None:
    """Make a customer."""
    show_facts(admin(url, token_file).post("/customers", {"name": name, "contact": contact}), as_json)


def customers(
    name: Annotated[str | None, option("--name", metavar="N", text="Those with exactly this name.")] = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """List customers."""
    one_form(as_json, as_csv)
    rows = pages(admin(url, token_file), "/customers", "id", name=name)
    columns = [plain("id"), plain("name"), dated("created", "made"), plain("contact"), plain("merged_into")]
    moments = ("created", "merged", "anonymised")
    show_list(rows, columns, moments, as_json=as_json, as_csv=as_csv)


def release(
    package: Annotated[Path, argument("FILE", "The .ternary package.")],
    content_key: Annotated[
        Path | None,
        option("--content-key", metavar="F", text="What an encrypted package was encrypted with."),
    ] = None,
    trust: TrustOption = None,
    state: StateOption = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
) -> None:
    """Release a package: every license of its product covers it from now on."""
    import base64

    from ternary_cli.documents import verified_package
    from ternary_cli.selection import select_trust
    from ternary_sdk._internal.identity import format_version
    from ternary_sdk._internal.packages import requirement
    from ternary_sdk.errors import InputError

    opened = verified_package(package, select_trust(trust, state=state))
    if opened.locked and content_key is None:
        raise InputError(f"{package}: is encrypted; add --content-key with the key it was encrypted with")
    identity, asked = opened.identity, admin(url, token_file)
    guaranteed = _guarantee(asked, identity.name)
    requirement.check(
        map(requirement.parse, guaranteed),
        opened.certificate,
        opened.validation,
        str(package),
        "nothing was released",
        asked=f"what product {identity.name} guarantees:",
    )
    body: dict[str, Any] = {
        "name": identity.name,
        "version": format_version(identity.version),
        "digest": identity.digest,
        "released": int(opened.manifest.released.timestamp()),
    }
    if content_key is not None:
        with vendor_extra("ternary server release"):
            from ternary_license_server.keys import content_key as content_keys
        secret = content_keys.load(content_key, opened.manifest.label)
        opened.unlock(secret)
        body["content_key"] = base64.b64encode(secret).decode()
    show_facts(asked.post("/releases", body | {"required": guaranteed}), as_json)


def guarantee(
    product: Annotated[str, argument("PRODUCT", "A package's name.")],
    require: Annotated[
        list[str] | None,
        option("--require", metavar="R", text="As of 'ternary package', coverage=0.91; repeat for more."),
    ] = None,
    nothing: Annotated[bool, option("--nothing", text="Let it guarantee nothing any more.")] = False,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
) -> None:
    """Say what every release of a product must meet from now on, such as its contracted coverage."""
    from ternary_sdk._internal.packages import requirement

    if bool(require) is nothing:
        raise typer.BadParameter("Add --require R for each thing that is guaranteed, or --nothing.")
    wanted = [requirement.parse(text).text for text in require or []]
    path = f"/products/{checked_name(product, 'product')}/guarantee"
    show_facts(admin(url, token_file).post(path, {"require": wanted}), as_json)


def _guarantee(asked: "Admin", product: str) -> list[str]:
    """What a product guarantees, as the server has it."""
    rows = pages(asked, "/products", "name")
    return next((row["guarantee"] for row in rows if row["name"] == product), [])


def releases(
    url: Url = None,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """List releases."""
    one_form(as_json, as_csv)
    rows = pages(admin(url, token_file), "/releases", "digest")
    columns = [plain("product"), plain("version"), Column("released", _released), plain("encrypted")]
    columns.append(plain("digest", "sha256"))
    show_list(rows, columns, ("released", "created"), as_json=as_json, as_csv=as_csv)


def _released(row: dict[str, Any]) -> str:
    """When a package was built; of what was released before that was kept, when the server took it."""
    return minute(row["created"] if row["released"] is None else row["released"])


def policy(
    name: Annotated[str, argument("NAME", "Lowercase letters, digits and hyphens.")],
    product: Annotated[str, option("--product", metavar="P", text="A released package's name.")],
    days: Annotated[int | None, whole("--days", metavar="N", text="Term; default: without end.")] = None,
    allow: Annotated[
        str,
        option(
            "--allow",
            metavar="LIST",
            text="Of encode,decode,sample (default), and your own, x-NAME.",
        ),
    ] = "encode,decode,sample",
    seats: Annotated[
        int | None, whole("--seats", metavar="N", text="Machines at once; default: any number.")
    ] = None,
    unique_operations: Annotated[
        int | None, whole("--unique-operations", metavar="N", text="Quota, over all spaces; default: none.")
    ] = None,
    lease: Annotated[
        int, whole("--lease", metavar="MINUTES", text="How long until a renewal is due; default: 60.")
    ] = 60,
    grace: Annotated[
        int, whole("--grace", metavar="MINUTES", text="How much longer without the server; default: 60.")
    ] = 60,
    offline: Annotated[
        int, whole("--offline", metavar="DAYS", text="For machines without a network; default: 0, none.")
    ] = 0,
    trial: Annotated[bool, option("--trial", text="A customer gets only one.")] = False,
    versions_from: Annotated[
        str | None,
        option("--versions-from", metavar="V", text="First version it is for; needs --versions-below."),
    ] = None,
    versions_below: Annotated[
        str | None,
        option(
            "--versions-below", metavar="V", text="First version it is not for; default: all that come out."
        ),
    ] = None,
    prices: Annotated[
        Path | None,
        option("--prices", metavar="F", text="What its customers are invoiced by, .toml or .json."),
    ] = None,
    perpetual: Perpetual = False,
    seats_up_to: SeatsUpTo = None,
    overage_up_to: OverageUpTo = None,
    overage_price: OveragePrice = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
) -> None:
    """Make a policy: the template that licenses are issued by."""
    from ternary_cli.price_lists import read_prices

    body = {
        "name": name,
        "product": product,
        "term": None if days is None else 86_400 * days,
        "entitlements": [word.strip() for word in allow.split(",")],
        "seats": seats,
        "unique_operations": unique_operations,
        "lease": 60 * lease,
        "grace": 60 * grace,
        "offline": 86_400 * offline,
        "trial": trial,
        "versions_from": checked_version(versions_from),
        "versions_below": checked_version(versions_below),
        "prices": None if prices is None else read_prices(prices).to_json(),
        "perpetual": perpetual,
    } | overage(seats_up_to, overage_up_to, overage_price)
    show_facts(admin(url, token_file).post("/policies", body), as_json)


def policies(
    url: Url = None,
    token_file: TokenFile = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """List policies; --json has all of each."""
    one_form(as_json, as_csv)
    rows = pages(admin(url, token_file), "/policies", "name")
    show_list(rows, _POLICY, ("ended",), as_json=as_json, as_csv=as_csv)


_POLICY: Final = [
    plain("name"),
    plain("product"),
    Column("versions", lambda row: _versions(row)),
    Column("term", lambda row: duration(row["term"], "without end")),
    plain("entitlements", "allows"),
    Column("seats", lambda row: str(row["seats"] or "any")),
    Column("quota", lambda row: f"{row['unique_operations']:,}" if row["unique_operations"] else "none"),
    Column("lease + grace", lambda row: f"{duration(row['lease'])} + {duration(row['grace'])}"),
    Column("offline", lambda row: duration(row["offline"], "no")),
    plain("trial"),
    Column("priced", lambda row: "yes" if row["prices"] or row["later_prices"] else "no"),
    dated("ended"),
]


def _versions(row: dict[str, Any]) -> str:
    if row["versions_below"] is None:
        return "all"
    return f"{row['versions_from'] or '0.0.0'} to below {row['versions_below']}"
