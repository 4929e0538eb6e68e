"""
The admin interface: what the vendor does, one module for each resource.
"""

from fastapi import APIRouter

from ternary_license_server.web.admin import (
    audit,
    customers,
    invoices,
    licenses,
    overview,
    policies,
    releases,
    tokens,
    usage,
)


def routes() -> APIRouter:
    """Every admin path; each needs a token."""
    router = APIRouter()
    for resource in (customers, releases, policies, licenses, usage, invoices, audit, tokens, overview):
        router.include_router(resource.router)
    return router
