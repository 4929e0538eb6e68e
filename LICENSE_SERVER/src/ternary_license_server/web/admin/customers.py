"""
Customers: who licenses are for.
"""

from functools import partial
from typing import Annotated

from fastapi import Query, Response

from ternary_license_server.service import catalog
from ternary_license_server.web.admin.gate import After, Change, Limit, Look, resource
from ternary_license_server.web.bodies import Given, Line, Taken

router = resource()
Called = Annotated[str | None, Query(min_length=1, max_length=200)]


class NewCustomer(Taken):
    """A customer to be made."""

    name: Line


class Customer(Given):
    """A customer."""

    id: str
    name: str
    created: int


@router.post("/customers", status_code=201, response_model=Customer)
def add_customer(new: NewCustomer, asking: Change) -> Response:
    """Make a customer."""
    return asking.change(partial(catalog.add_customer, name=new.name), status=201)


@router.get("/customers", response_model=list[Customer])
def customers(asked: Look, after: After = "", limit: Limit = 100, name: Called = None) -> Response:
    """Customers, by id; with `name`, those who have exactly this one."""
    return asked.look(partial(catalog.list_customers, after=after, limit=limit, name=name))
