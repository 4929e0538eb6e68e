"""
Customers: who licenses are for.
"""

from functools import partial
from typing import Annotated

from fastapi import Path, Query, Response
from pydantic import Field

from ternary_license_server.service import catalog
from ternary_license_server.service import customers as service
from ternary_license_server.service.access import Scope
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_license_server.web.admin.gate import ID, After, Change, Limit, Look, resource
from ternary_license_server.web.bodies import Given, Id, Line, Taken

router = resource()
Contact = Annotated[Line, Field(description="Whom to write to, such as an address; one line.")]
InPath = Annotated[str, Path(pattern=ID)]
Called = Annotated[str | None, Query(min_length=1, max_length=200)]


class NewCustomer(Taken):
    """A customer to be made."""

    name: Line
    contact: Contact | None = None


class CustomerChange(Taken):
    """What of a customer changes; what is left out stays."""

    name: Line | None = None
    contact: Contact | None = None


class Remaining(Taken):
    """The customer that another is merged into."""

    into: Id


class Customer(Given):
    """A customer."""

    id: str
    name: str
    contact: str | None
    merged_into: str | None
    merged: int | None
    anonymised: int | None
    created: int


@router.post("/customers", status_code=201, response_model=Customer)
def add_customer(new: NewCustomer, asking: Change) -> Response:
    """Make a customer."""
    return asking.change(partial(catalog.add_customer, name=new.name, contact=new.contact), status=201)


@router.post("/customers/{customer}/edit", response_model=Customer)
def edit(customer: InPath, new: CustomerChange, asking: Change) -> Response:
    """Give a customer another name or contact; licenses that are there keep the name that they have."""
    changes = {name: getattr(new, name) for name in sorted(new.model_fields_set)}
    if not changes or changes.get("name", "") is None:
        raise ServiceError(Code.INVALID, "customer: nothing to change; give a name or a contact")
    return asking.change(partial(service.edit, customer=customer, changes=changes))


@router.post("/customers/{customer}/merge", response_model=Customer)
def merge(customer: InPath, new: Remaining, asking: Change) -> Response:
    """Bill a customer as another one from now on; scope admin."""
    return asking.change(partial(service.merge, customer=customer, into=new.into), scope=Scope.ADMIN)


@router.post("/customers/{customer}/anonymise", response_model=Customer)
def anonymise(customer: InPath, asking: Change) -> Response:
    """Erase a customer's name and contact; issued invoices keep them. Scope admin."""
    return asking.change(partial(service.anonymise, customer=customer), scope=Scope.ADMIN)


@router.get("/customers", response_model=list[Customer])
def customers(asked: Look, after: After = "", limit: Limit = 100, name: Called = None) -> Response:
    """Customers, by id; with `name`, those who have exactly this one."""
    return asked.look(partial(catalog.list_customers, after=after, limit=limit, name=name))
