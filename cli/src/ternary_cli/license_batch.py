"""
``ternary license issue-all``: a CSV of customers in, a folder of licenses and their register out.

Every row is checked before anything is signed, and the folder is written whole or not at all.
"""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from ternary_cli.options import JsonOption, KeysOption, argument, option
from ternary_cli.spreadsheets import as_text
from ternary_cli.vendor_extra import vendor_extra

if TYPE_CHECKING:
    from ternary_sdk._internal.licensing.license import License

MAX_ROWS: Final = 10_000
MAX_CSV: Final = 8 << 20
REGISTER: Final = "register.csv"
_COLUMNS: Final = ("customer", "expires", "unique_operations", "allow", "order", "notes")
_NEEDED: Final = ("customer", "expires")
_ACTIONS: Final = "encode,decode,sample"


@dataclass(frozen=True, kw_only=True)
class Order:
    """One row of the customers."""

    row: int
    """Its number in the file; that of the headings is 1."""
    customer: str
    expires: datetime | None
    unique_operations: int | None
    allow: tuple[str, ...]
    order: str
    """The vendor's order number; only the register has it."""
    notes: str
    """Only the register has them."""


def issue_all(
    customers: Annotated[Path, argument("CSV", f"Columns {', '.join(_COLUMNS)}; the first two are needed.")],
    package: Annotated[Path, option("--package", metavar="FILE", text="The package that all are for.")],
    keys: KeysOption,
    out: Annotated[Path, option("--out", "-o", metavar="DIR", text="A folder that does not exist yet.")],
    as_json: JsonOption = False,
) -> None:
    """Vendor: issue a license to each customer of a CSV file, and write a register of them."""
    from ternary_cli.files import read_text
    from ternary_cli.licenses import own_package
    from ternary_cli.terminal import show, show_json
    from ternary_sdk._internal import folder
    from ternary_sdk._internal.licensing.license import License
    from ternary_sdk.errors import InputError

    now = datetime.now(UTC)
    orders = read_orders(read_text(customers, most=MAX_CSV), str(customers), now)
    with vendor_extra("ternary license issue-all"):
        from ternary_license_server.keys import issue as issuing
        from ternary_license_server.keys import keyring
    ring = keyring.load(keys)
    licensed = own_package(package, ring)
    if licensed.locked:
        raise InputError(f"{package}: its graphs are encrypted; issue such licenses one by one")
    files, issued = dict[str, bytes](), list[tuple[Order, License]]()
    for order in orders:
        try:
            token = issuing.issue(
                ring,
                package=licensed.identity,
                customer=order.customer,
                expires=order.expires,
                entitlements=order.allow,
                unique_operations=order.unique_operations,
                now=now,
            )
        except InputError as refusal:
            raise InputError(f"{customers}: row {order.row}: {refusal}; nothing was written") from None
        license = License.read(token, ring.trust)
        files[f"{license.id}.license"] = token + b"\n"
        issued.append((order, license))
    folder.write(files | {REGISTER: register(issued, licensed.manifest.label)}, out)
    told = {"folder": str(out), "licenses": len(issued), "register": str(out / REGISTER)}
    show_json(told) if as_json else show([f"{out}: {len(issued)} licenses and {REGISTER}"])


def read_orders(text: str, what: str, now: datetime) -> list[Order]:
    """Read the customers; every refusal names its row, counted from 1 with the headings.

    Raises:
        InputError: If there is no row, a column is unknown, missing or repeated, or a cell is wrong.
    """
    from ternary_sdk.errors import InputError

    try:
        rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True))
    except csv.Error as error:
        raise InputError(f"{what}: not CSV: {error}") from None
    heads = [head.strip() for head in rows[0]] if rows else []
    unknown = [head for head in heads if head not in _COLUMNS]
    missing = [name for name in _NEEDED if name not in heads]
    if unknown or missing or len(set(heads)) < len(heads):
        raise InputError(
            f"{what}: its columns are {', '.join(heads)[:200] or 'none'}, expected {', '.join(_NEEDED)} and, "
            f"each once and if wanted, {', '.join(_COLUMNS[2:])}"
        )
    filled = [(number, row) for number, row in enumerate(rows[1:], 2) if any(cell.strip() for cell in row)]
    if not 0 < len(filled) <= MAX_ROWS:
        raise InputError(f"{what}: {len(filled)} customers, expected 1 to {MAX_ROWS}")
    return [_order(number, row, heads, what, now) for number, row in filled]


def register(issued: "Sequence[tuple[Order, License]]", package: str) -> bytes:
    """One line for each license, with what the vendor wrote beside it, as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(["license", "file", "package", "issued", *_COLUMNS])
    for order, license in issued:
        writer.writerow(
            [
                license.id,
                f"{license.id}.license",
                package,
                f"{license.issued:%Y-%m-%dT%H:%M:%SZ}",
                as_text(order.customer),
                f"{order.expires:%Y-%m-%d}" if order.expires else "never",
                "" if order.unique_operations is None else order.unique_operations,
                ",".join(order.allow),
                as_text(order.order),
                as_text(order.notes),
            ]
        )
    return text.getvalue().encode()


def _order(number: int, row: list[str], heads: list[str], what: str, now: datetime) -> Order:
    from ternary_cli.dates import end_after
    from ternary_sdk.errors import InputError

    if len(row) != len(heads):
        raise InputError(f"{what}: row {number}: {len(row)} cells, expected {len(heads)} as in the headings")
    cells = dict.fromkeys(_COLUMNS, "") | {head: cell.strip() for head, cell in zip(heads, row, strict=True)}
    quota = cells["unique_operations"]
    if not re.fullmatch("([1-9][0-9]{0,15})?", quota):
        raise InputError(
            f"{what}: row {number}: unique_operations: {quota[:40]!r}, expected digits or nothing"
        )
    if not cells["customer"]:
        raise InputError(f"{what}: row {number}: customer: empty, expected a name")
    try:
        expires = end_after(cells["expires"], now)
    except InputError as refusal:
        raise InputError(f"{what}: row {number}: {str(refusal).removeprefix('--')}") from None
    return Order(
        row=number,
        customer=cells["customer"],
        expires=expires,
        unique_operations=int(quota) if quota else None,
        allow=tuple(name.strip() for name in (cells["allow"] or _ACTIONS).split(",")),
        order=cells["order"],
        notes=cells["notes"],
    )
