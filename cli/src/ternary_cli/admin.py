"""
Talking to a license server's admin interface: one call, one answer, one sentence if it refuses.
"""

import os
import secrets
from pathlib import Path
from typing import Any, Final

import httpx

from ternary_sdk.documents import plain
from ternary_sdk.errors import FormatError, InputError, ServerError

URL: Final = "TERNARY_SERVER_URL"
TOKEN: Final = "TERNARY_SERVER_TOKEN"
DEFAULT: Final = "http://127.0.0.1:8750"
TIMEOUT: Final = 30.0
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


class Admin:
    """A license server's admin interface.

    Args:
        url: The server's address; default: the environment's, else this machine's.
        token_file: A file that holds the token; default: the environment's token.
    Raises:
        InputError: If there is no token, or it would travel in the clear.
    """

    def __init__(self, url: str | None, token_file: Path | None) -> None:
        self._url = (url or os.environ.get(URL) or DEFAULT).rstrip("/")
        parsed = httpx.URL(self._url)
        if parsed.scheme != "https" and parsed.host not in _LOOPBACK:
            raise InputError(
                f"license server: {self._url}, expected an https address; http is for this machine"
            )
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
        transport = httpx.HTTPTransport(retries=2)
        try:
            with httpx.Client(base_url=self._url, timeout=TIMEOUT, transport=transport) as client:
                came = client.request(method, f"/admin/v1{path}", params=query, json=body, headers=headers)
        except httpx.HTTPError as error:
            raise ServerError(
                f"license server {self._url}: cannot be reached ({error}); is 'ternary serve' running there?"
            ) from None
        if came.is_error:
            raise ServerError(_sentence(came))
        return came


def _token(file: Path | None) -> str:
    if file is not None:
        from ternary_cli.files import read_text

        return read_text(file).strip()
    token = os.environ.get(TOKEN, "").strip()
    if not token:
        raise InputError(
            f"no admin token: set {TOKEN} or add --token-file; 'ternary serve' shows the first one once"
        )
    return token


def _sentence(came: httpx.Response) -> str:
    try:
        problem = came.json()
        return f"{problem['detail']} ({problem['code']})"
    except (ValueError, KeyError, TypeError):
        return f"license server: status {came.status_code} without an explanation"
