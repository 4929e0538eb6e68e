"""
Talking to a license server's admin interface: one call, one answer, one sentence if it refuses.
"""

import os
import re
import secrets
from pathlib import Path
from typing import Any, Final

import httpx

from ternary_sdk._internal.documents import outer, plain
from ternary_sdk._internal.online import connection
from ternary_sdk.errors import FormatError, InputError, ServerError

URL: Final = "TERNARY_SERVER_URL"
TOKEN: Final = "TERNARY_SERVER_TOKEN"
MAX_TOKEN_FILE: Final = 4096
DEFAULT: Final = "http://127.0.0.1:8750"
TIMEOUT: Final = 30.0
_NOT_IN_A_TOKEN: Final = re.compile(rb"[^!-~]")


class Admin:
    """A license server's admin interface.

    Args:
        url: The server's address; default: the environment's, else this machine's.
        token_file: A file that holds the token; default: the environment's token.
    Raises:
        InputError: If there is no token, or it would travel in the clear.
    """

    def __init__(self, url: str | None, token_file: Path | None) -> None:
        if url:
            self._url = connection.checked(url)
        else:
            self._url = connection.checked(os.environ.get(URL) or DEFAULT, named=URL)
        self._token = _token(token_file)

    def get(self, path: str, **query: str | int | None) -> Any:
        """What is at a path, as JSON.

        Raises:
            ServerError: If the server cannot be reached or refuses.
        """
        return self._json(
            self._call("GET", path, {name: value for name, value in query.items() if value is not None})
        )

    def text(self, path: str, **query: str | int | None) -> str:
        """What is at a path, as text."""
        return self._call(
            "GET", path, {name: value for name, value in query.items() if value is not None}
        ).text

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Change something, once: a connection that fails is tried again under the same key.

        Raises:
            ServerError: If the server cannot be reached or refuses.
        """
        return self._json(self._call("POST", path, {}, body))

    def _json(self, came: httpx.Response) -> Any:
        try:
            return plain.decode(came.content)
        except FormatError as refusal:
            raise ServerError(f"license server {self._url}: its answer: {refusal}") from None

    def _call(
        self, method: str, path: str, query: dict[str, str | int], body: dict[str, Any] | None = None
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._token}", "Idempotency-Key": secrets.token_hex(16)}
        advice = "; is 'ternary serve' running there?"
        with connection.connected(self._url, timeout=TIMEOUT, retries=2, advice=advice) as client:
            came = client.request(method, f"/admin/v1{path}", params=query, json=body, headers=headers)
        if came.is_error:
            raise _refusal(came)
        return came


def _token(file: Path | None) -> str:
    if file is not None:
        from ternary_cli.files import read

        return _plain(read(file, most=MAX_TOKEN_FILE)[0], str(file))
    token = os.environ.get(TOKEN, "").strip()
    if not token:
        raise InputError(
            f"no admin token: set {TOKEN} or add --token-file; 'ternary serve' shows the first one once"
        )
    return _plain(token.encode(errors="surrogateescape"), TOKEN)


def _plain(data: bytes, named: str) -> str:
    """A token as a header can carry it; what is wrong with another is said without printing it."""
    text = outer.bare(data, named, _NOT_IN_A_TOKEN).decode()
    if not text:
        raise InputError(f"{named}: empty, expected an admin token")
    return text


def _refusal(came: httpx.Response) -> ServerError:
    try:
        problem = came.json()
        return ServerError(f"{problem['detail']} ({problem['code']})", str(problem["code"]))
    except (ValueError, KeyError, TypeError):
        return ServerError(f"license server: status {came.status_code} without an explanation")
