"""
The admin interface: what the vendor does, one module for each resource.
"""

from fastapi import APIRouter

from ternary_license_server.web.admin import (
    audit,
    customers,
    events,
    invoices,
    licenses,
    overview,
    policies,
    releases,
    tokens,
    usage,
    webhooks,
)


def routes() -> APIRouter:
    """Every admin path; each needs a token."""
    router = APIRouter()
    resources = (customers, releases, policies, licenses, usage, invoices, audit, tokens, overview)
    for resource in (*resources, webhooks, events):
        router.include_router(resource.router)
    return router
