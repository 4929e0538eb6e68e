"""
Doing once what a client's signed request asks for.

An activation or a release is claimed by its number and its answer is stored (``once``). A renewal is found
again in the audit log (``renewing``), so nothing else is kept of it.
"""

from datetime import timedelta

from ternary_license_server.database.engine import Database
from ternary_license_server.keys.keyring import KeyRing
from ternary_license_server.service import activation
from ternary_license_server.service.once import REMEMBERED, Done, once
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.online.request import Action, Request


def answer(
    database: Database,
    ring: KeyRing,
    request: Request,
    document: bytes,
    *,
    carried: bool,
    remember: timedelta = REMEMBERED,
) -> Done:
    """Do what a request asks for, unless it was done before; give the answer either way.

    Args:
        database: Where.
        ring: Keys of role ``license``.
        request: What the client signed.
        document: The same, as it came.
        carried: Whether it came as a file from a machine without a network.
        remember: How long stored answers are given again.
    Raises:
        TernaryError: As ``activation.perform`` and ``once``.
    """
    if request.action is Action.RENEW:
        with database.write() as transaction:
            facts = activation.perform(transaction, ring, request, carried=carried)
            return Done(status=200, body=canonical.encode(facts))
    return once(
        database,
        principal=request.installation.kid,
        key=request.number,
        request=document,
        secret=document,
        work=lambda transaction: activation.perform(transaction, ring, request, carried=carried),
        remember=remember,
    )
