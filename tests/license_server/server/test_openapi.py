"""The OpenAPI document: committed as served, and true: whatever it allows is answered as it says."""

import json
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

COMMITTED = Path(__file__).parents[3] / "LICENSE_SERVER" / "openapi.json"


@pytest.fixture
def document(site):
    return site.http("GET", "/openapi.json").json()


def test_served_document_is_the_committed_one(document):
    assert document["openapi"].startswith("3.1")
    assert COMMITTED.read_text("utf-8") == json.dumps(document, indent=1, sort_keys=True) + "\n"


def test_whatever_the_document_allows_is_answered_as_it_says(make_site, vendor_keys):
    site = make_site("sqlite", vendor_keys)
    document = site.http("GET", "/openapi.json").json()
    schema, asked = schemathesis.openapi.from_dict(document), set()
    for found in schema.get_all_operations():
        asked |= ask(site, found.ok(), document)
    assert asked >= {200, 400, 404}


def ask(site, operation, document):
    """Ask one operation what its schema allows; the statuses that came."""
    documented = document["paths"][operation.path][operation.method.lower()]["responses"]
    asked = set()

    @given(case=operation.as_strategy())
    @settings(
        max_examples=8,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def answers_as_documented(case):
        came = send(site, case)
        assert str(came.status_code) in documented, (came.status_code, came.text)
        assert came.status_code < 500, came.text
        if came.status_code != 304:
            media = came.headers["content-type"].split(";")[0]
            assert media in documented[str(came.status_code)].get("content", {}), media
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
