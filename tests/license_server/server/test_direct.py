"""Requests of clients that go to their routes directly get what the framework would have answered."""

from contextlib import ExitStack

import pytest

from ternary_license_server.keys.vendor_keys import VendorKeys
from ternary_license_server.settings import Settings
from ternary_license_server.web import app as application
from ternary_sdk._internal.online import request as online_request

PATHS = ("/v1/standing", "/v1/activations", "/v1/renewals", "/v1/releases", "/v1/carried", "/v1/usage")
KEYS = {
    "none": [],
    "short": [("Idempotency-Key", "short")],
    "forbidden letter": [("Idempotency-Key", "a key of blanks")],
    "long": [("Idempotency-Key", "k" * 81)],
    "another": [("Idempotency-Key", "k" * 22)],
    "line feed": [("Idempotency-Key", "k" * 22 + "\x0b")],
    "two": [("Idempotency-Key", "k" * 22), ("Idempotency-Key", "l" * 22)],
}


@pytest.fixture
def ways(make_site, vendor_keys, monkeypatch):
    """One server by both ways: directly, and through the framework alone."""
    site, direct = make_site("sqlite", vendor_keys), []
    settings = Settings(keys=vendor_keys.directory, rate=1_000_000, key_rate=1_000_000)

    def framework(app, routes, refused):
        direct.extend(route.path for route in routes)
        return app

    monkeypatch.setattr(application, "Direct", framework)
    with ExitStack() as stack:
        built = application.build(settings, database=site.database, vendor=VendorKeys(vendor_keys.directory))
        plain = type(site.wired)(built)
        stack.callback(plain.runner.close)
        assert sorted(direct) == sorted(PATHS)
        yield site, plain


def asked(site, wire, method, path, **arguments):
    before, site.wired = site.wired, wire
    try:
        came = site.http(method, path, **arguments)
    finally:
        site.wired = before
    own = ("ternary-request", "ternary-answer", "date")
    headers = {name: value for name, value in came.headers.items() if name not in own}
    return came.status_code, came.content, headers


@pytest.mark.parametrize("path", PATHS)
def test_both_ways_answer_alike(ways, new_client, path):
    site, plain = ways
    _, key = site.sell()
    document = online_request.activate(
        key, vendor=site.ring.trust.root.kid, held=new_client(), now=site.moment, machine=None
    )
    own = [("Idempotency-Key", online_request.number(document))]
    bodies = (b"", b"{", b'{"format":"x"}', document)
    for body in bodies:
        for headers in (*KEYS.values(), own):
            told = [
                asked(site, wire, "POST", path, content=body, headers=headers)
                for wire in (plain, site.wired)
            ]  # fmt: skip
            assert told[0] == told[1], (body, headers)
    for method in ("GET", "HEAD", "PUT", "OPTIONS"):
        assert asked(site, plain, method, path) == asked(site, site.wired, method, path)


def test_direct_requests_are_counted_by_their_routes(ways):
    site, _ = ways
    site.http("POST", "/v1/standing", content=b"{")
    line = 'ternary_requests_total{method="POST",route="/v1/standing",status="400"} 1.0\n'
    assert line in site.http("GET", "/metrics").text
