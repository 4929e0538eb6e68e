"""
What a product guarantees: requirements that every release of it must meet, such as a contracted coverage.

The command that releases a package checks it, because it has the package; the server has only its digest. It
refuses a release that does not say that each requirement of today was checked.
"""

from collections.abc import Sequence

from sqlalchemy import insert, select, update

from ternary_license_server.database.schema import products
from ternary_license_server.database.transaction import Transaction
from ternary_license_server.service import audit
from ternary_license_server.service.records import seconds
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.packages import requirement
from ternary_sdk.errors import InputError


def find(transaction: Transaction, product: str) -> list[str]:
    """The requirements of a product, as they were written; none of one that is not there."""
    query = select(products.c.guarantee).where(products.c.name == product)
    return _read(transaction.execute(query).scalar_one_or_none())


def change(transaction: Transaction, product: str, wanted: Sequence[str], *, actor: str) -> dict[str, Json]:
    """Let releases of a product meet these requirements from now on; the product is made if it is not there.

    Raises:
        ServiceError: INVALID, if one is no requirement.
    """
    for text in wanted:
        try:
            requirement.parse(text)
        except InputError as refusal:
            raise ServiceError(Code.INVALID, f"product {product}: {refusal}") from None
    stream = f"product {product}"
    audit.lock(transaction, stream)
    before, now = find(transaction, product), seconds(transaction.now)
    after: list[Json] = list(dict.fromkeys(wanted))
    column = {"guarantee": canonical.encode(after).decode() if after else None}
    this = products.c.name == product
    if transaction.execute(select(products.c.name).where(this)).first() is None:
        transaction.execute(insert(products), {"name": product, "created": now} | column)
    else:
        transaction.execute(update(products).where(this).values(**column))
    detail: dict[str, Json] = {"from": list[Json](before), "to": after}
    audit.append(transaction, stream, actor=actor, action="product.guarantee", detail=detail)
    return {"name": product, "guarantee": after}


def check(transaction: Transaction, product: str, checked: Sequence[str]) -> None:
    """Refuse a release that was not checked for what its product guarantees.

    Raises:
        ServiceError: CONFLICT.
    """
    missing = [text for text in find(transaction, product) if text not in checked]
    if missing:
        raise ServiceError(
            Code.CONFLICT,
            f"product {product}: guarantees {', '.join(missing)}, and this release was not checked for it; "
            "'ternary server release' checks it",
        )


def page(transaction: Transaction, *, after: str, limit: int) -> list[Json]:
    """Products in the order of their names."""
    query = select(products).where(products.c.name > after).order_by(products.c.name).limit(limit)
    return [
        {"name": row.name, "guarantee": list[Json](_read(row.guarantee)), "created": row.created}
        for row in transaction.execute(query)
    ]


def _read(text: str | None) -> list[str]:
    found = canonical.decode(text.encode(), "guarantee") if text else []
    return [str(one) for one in found] if isinstance(found, list) else []
