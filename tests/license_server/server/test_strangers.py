"""Who never had a seat of a license learns nothing about it, not even that it is there."""

import pytest

from ternary_sdk._internal.online import request as online_request

MISSING = "L-there-is-none"
STATES = ["active", "suspend", "revoke"]


def ask(site, what, license_id, held, now):
    """The whole answer to a signed question about a license, but for its id."""
    if what == "usage":
        document = site.usage(license_id, held, [1], now)
        came = site.http("POST", "/v1/usage", content=document)
    else:
        document = site.asking(getattr(online_request, what), license_id, 1, held, now)
        path = {"standing": "/v1/standing", "renew": "/v1/renewals", "release": "/v1/releases"}[what]
        headers = {"Idempotency-Key": online_request.number(document)}
        came = site.http("POST", path, content=document, headers=headers)
    return came.status_code, came.content.replace(license_id.encode(), b"ID"), sorted(came.headers)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("what", ["standing", "renew", "release", "usage"])
def test_license_of_others_is_to_a_stranger_as_one_that_does_not_exist(site, new_client, now, what, state):
    license_id, key = site.sell()
    site.activate(key, new_client(), now)
    if state != "active":
        assert site.admin("POST", f"/licenses/{license_id}/{state}").status_code == 200
    stranger = new_client()
    there = ask(site, what, license_id, stranger, now)
    assert there[0] == 404
    assert there == ask(site, what, MISSING, stranger, now)


@pytest.mark.parametrize("what", ["standing", "renew", "release"])
def test_who_once_had_a_seat_is_told_why_it_is_gone(site, new_client, now, what):
    (license_id, key), held = site.sell(), new_client()
    site.activate(key, held, now)
    site.release(license_id, 1, held, now)
    assert ask(site, what, license_id, held, now)[0] == 409
