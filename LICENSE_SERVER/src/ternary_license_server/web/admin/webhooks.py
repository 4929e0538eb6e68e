"""
Webhooks: where events are sent.
"""

from functools import partial
from typing import Annotated, Literal

from fastapi import Path, Response
from pydantic import Field

from ternary_license_server.database.transaction import Transaction
from ternary_license_server.destinations import LONGEST, check_literal
from ternary_license_server.keys import webhook_key
from ternary_license_server.service import webhooks as service
from ternary_license_server.service.access import Scope
from ternary_license_server.service.events import Kind
from ternary_license_server.web.admin.gate import ID, Change, Look, resource
from ternary_license_server.web.bodies import Given, Taken
from ternary_license_server.web.server import Server
from ternary_sdk._internal.documents.canonical import Json

router = resource()
WebhookId = Annotated[str, Path(pattern=ID)]


class NewWebhook(Taken):
    """A webhook to be made."""

    url: Annotated[
        str, Field(min_length=1, max_length=LONGEST, description="https; http for the server's own machine.")
    ]
    kinds: Annotated[
        list[Annotated[str, Field(max_length=40)]],
        Field(max_length=len(Kind), description="Of the events that it takes; empty: all."),
    ] = []  # noqa: RUF012  pydantic copies it


class Webhook(Given):
    """A webhook, without its secret; `delivered` and `failed` count attempts."""

    id: str
    url: str
    kinds: list[str]
    state: Literal["active", "paused", "gone"]
    created: int
    delivered: int
    failed: int


class KeyedWebhook(Webhook):
    """A new webhook and its secret, told once."""

    secret: str


class Test(Given):
    """The event that a test sends."""

    event: str


@router.post("/webhooks", status_code=201, response_model=KeyedWebhook)
def add_webhook(new: NewWebhook, asking: Change) -> Response:
    """Make a webhook; its secret is told once."""
    work = partial(_make, new=new, server=asking.server)
    return asking.change(work, status=201, scope=Scope.ADMIN)


@router.get("/webhooks", response_model=list[Webhook])
def webhooks(asked: Look) -> Response:
    """Webhooks, by id, without their secrets; their addresses may hold secrets of others."""
    return asked.look(lambda transaction: [*service.every(transaction)], Scope.ADMIN)


@router.post("/webhooks/{webhook}/pause", response_model=Webhook)
def pause(webhook: WebhookId, asking: Change) -> Response:
    """Send nothing to a webhook until it is resumed; its events wait."""
    return asking.change(partial(service.pause, webhook=webhook), scope=Scope.ADMIN)


@router.post("/webhooks/{webhook}/resume", response_model=Webhook)
def resume(webhook: WebhookId, asking: Change) -> Response:
    """Send to a webhook again that was paused or gone."""
    return asking.change(partial(service.resume, webhook=webhook), scope=Scope.ADMIN)


@router.post("/webhooks/{webhook}/remove", response_model=Webhook)
def remove(webhook: WebhookId, asking: Change) -> Response:
    """Remove a webhook and what waits for it."""
    return asking.change(partial(service.remove, webhook=webhook), scope=Scope.ADMIN)


@router.post("/webhooks/{webhook}/test", response_model=Test)
def test(webhook: WebhookId, asking: Change) -> Response:
    """Have an event sent to a webhook that is about nothing but this webhook."""
    return asking.change(partial(service.test, webhook=webhook), scope=Scope.ADMIN)


def _make(transaction: Transaction, *, new: NewWebhook, server: Server, actor: str) -> Json:
    check_literal(new.url, server.settings.webhook_networks)
    kinds, key = service.known(new.kinds), webhook_key.load(server.vendor.directory)
    return service.add(transaction, key, url=new.url, kinds=kinds, actor=actor)
