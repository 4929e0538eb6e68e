"""
The OpenAPI document: committed as served, and true: schemathesis' own checks find nothing wrong with answers.

In this process and a few examples of each operation; ``python -m stress.interface`` asks thousands over HTTP.
"""

import json
from datetime import timedelta
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

COMMITTED = Path(__file__).parents[3] / "LICENSE_SERVER" / "openapi.json"
RESENDING = ("ignored_auth",)
"""Checks that ask again over a network of their own; ``stress.interface`` has one."""
SIGNED = ("positive_data_acceptance",)
"""No schema can say that a document must be signed, or that a license's end must lie ahead."""


@pytest.fixture
def document(site):
    return site.http("GET", "/openapi.json").json()


@pytest.fixture(scope="module")
def checks():
    load_all_checks()
    return CHECKS.get_by_names([name for name in CHECKS.get_all_names() if name not in RESENDING + SIGNED])


def test_served_document_is_the_committed_one(document):
    assert document["openapi"].startswith("3.1")
    assert json.loads(COMMITTED.read_text("utf-8")) == document


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_whatever_is_asked_is_answered_as_the_document_says(site, document, checks, mode):
    schema, asked = schemathesis.openapi.from_dict(without_credentials(document)), set()
    for operation in (found.ok() for found in schema.get_all_operations()):
        stated = document["paths"][operation.path][operation.method]
        takes_something = stated["parameters"] or "requestBody" in stated
        if mode is GenerationMode.POSITIVE or takes_something:
            asked |= ask(site, operation, checks, mode)
    assert asked >= ({200, 400, 404} if mode is GenerationMode.POSITIVE else {400})


def without_credentials(document):
    """The document without the header that ``send`` puts in itself."""
    for operations in document["paths"].values():
        for operation in operations.values():
            parameters = operation.get("parameters", [])
            operation["parameters"] = [one for one in parameters if one["name"] != "Authorization"]
    return document


def ask(site, operation, checks, mode):
    """Ask one operation something that its schema allows, or forbids; the statuses that came."""
    asked = set()

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=6,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def answers_as_documented(case):
        came = send(site, case)
        came.elapsed = timedelta(0)  # asked for by schemathesis; nothing travels in this process
        case.validate_response(came, checks=checks)
        asked.add(came.status_code)

    answers_as_documented()
    return asked


def send(site, case):
    wanted = case.as_transport_kwargs(base_url="http://127.0.0.1")
    headers = {name: value.encode("latin-1", "ignore") for name, value in wanted["headers"].items()}
    headers.pop("Transfer-Encoding", None)
    if "/admin/" in case.path:
        headers["Authorization"] = f"Bearer {site.token}".encode()
    body = {name: wanted[name] for name in ("json", "data") if wanted.get(name) is not None}
    if "data" in body:
        body["content"] = body.pop("data")
    return site.http(
        case.method, wanted["url"].removeprefix("http://127.0.0.1"), headers=headers,
        params=wanted.get("params"), cookies=None, **body,
    )  # fmt: skip
