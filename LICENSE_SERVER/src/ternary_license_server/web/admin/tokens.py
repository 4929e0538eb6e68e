"""
Tokens: who may use this interface, and how far.
"""

from functools import partial
from typing import Annotated, Literal

from fastapi import Path, Response
from pydantic import Field

from ternary_license_server.service import access
from ternary_license_server.service.records import moment
from ternary_license_server.web.admin.gate import ID, After, Change, Limit, Look, resource
from ternary_license_server.web.bodies import Given, Line, Moment, Taken

router = resource()
TokenId = Annotated[str, Path(pattern=ID)]
Scope = Literal["admin", "issuer", "auditor"]


class NewToken(Taken):
    """A token to be made."""

    name: Line
    scope: Scope
    expires: Moment


class Ending(Taken):
    """That a token may end although nobody gets in then."""

    last: Annotated[bool, Field(description="It may be the last usable one of scope admin.")] = False


class Token(Given):
    """An admin token, without its secret."""

    id: str
    name: str
    scope: Scope
    created: int
    expires: int
    revoked: int | None


class KeyedToken(Given):
    """A new token and its secret, told once."""

    id: str
    name: str
    scope: Scope
    created: int
    expires: int
    secret: str


@router.post("/tokens", status_code=201, response_model=KeyedToken)
def add_token(new: NewToken, asking: Change) -> Response:
    """Make a token; its secret is told once."""
    work = partial(access.add, name=new.name, scope=access.Scope(new.scope), expires=moment(new.expires))
    return asking.change(work, status=201, scope=access.Scope.ADMIN)


@router.get("/tokens", response_model=list[Token])
def tokens(asked: Look, after: After = "", limit: Limit = 100) -> Response:
    """Tokens, by id, without their secrets."""
    return asked.look(partial(access.page, after=after, limit=limit), access.Scope.ADMIN)


@router.post("/tokens/{token_id}/revoke", response_model=Token)
def revoke_token(token_id: TokenId, asking: Change, ending: Ending | None = None) -> Response:
    """End a token at once; the last usable one of scope admin only if `last` says so."""
    last = ending is not None and ending.last
    work = partial(access.revoke, token_id=token_id, last=last)
    return asking.change(work, scope=access.Scope.ADMIN, ending=token_id)
