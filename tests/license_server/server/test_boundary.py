"""What the border lets in and out: limits, hostile bytes, signed refusals, health, and nothing secret."""

import asyncio
import json
import logging
import re
from datetime import timedelta

import httpx
import pytest

from ternary_license_server.addresses import Proxies
from ternary_license_server.keys import keyring, rotation
from ternary_license_server.settings import Settings
from ternary_license_server.web import reading
from ternary_license_server.web.observation import JsonLines
from ternary_sdk._internal.licensing.usage import MAX_REPORT
from ternary_sdk._internal.online import answer as online_answer
from ternary_sdk._internal.online import request as online_request
from ternary_sdk._internal.online.answer import Answer, Question
from ternary_sdk._internal.trust.trust import Role

NONCE = {"Ternary-Nonce": "n-1"}


def check_signature(site, method, path, body, came, nonce="n-1"):
    question = Question(nonce=nonce, method=method, path=path, body=body)
    answer = Answer(
        status=came.status_code,
        body=came.content,
        time=came.headers["ternary-time"],
        signature=came.headers["ternary-answer"],
    )
    online_answer.verify(question, answer, site.ring.trust, site.moment)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/livez", b"", 200),
        ("HEAD", "/v1/nothing", b"", 404),
        ("GET", "/v1/trust", b"", 200),
        ("GET", "/nothing", b"", 404),
        ("DELETE", "/v1/trust", b"", 405),
        ("POST", "/v1/activations", b"{}", 400),
        ("POST", "/v1/standing", b"\xff", 400),
        ("POST", "/v1/renewals", b"x" * 100_000, 413),
        ("POST", "/v1/usage", b"x" * 300_000, 400),
        ("POST", "/v1/usage", b"x" * (MAX_REPORT + 1), 413),
        ("POST", "/admin/v1/customers", b"{}", 400),
        ("GET", "/admin/v1/customers", b"", 401),
        ("GET", "/v1/%F0%9F%98%80", b"", 404),
    ],
)
def test_every_answer_is_signed_refusals_too(site, method, path, body, status):
    came = site.http(method, path, content=body, headers=NONCE)
    assert came.status_code == status
    check_signature(site, method, path, body, came)


@pytest.mark.parametrize("nonce", [b"n" * 65, b"\xc3\xbc"])
def test_nonce_that_cannot_be_signed_is_refused_by_an_answer_over_none(site, nonce):
    came = site.http("GET", "/v1/keys", headers={"Ternary-Nonce": nonce})
    assert (came.status_code, came.json()["detail"]) == (
        400,
        "Ternary-Nonce: expected at most 64 ASCII characters",
    )
    check_signature(site, "GET", "/v1/keys", b"", came, nonce="")


def test_wrong_method_is_told_every_right_one(site):
    for path, allowed in (("/admin/v1/customers", "GET, POST"), ("/admin/v1/licenses/L-1", "GET")):
        came = site.http("DELETE", path)
        assert (came.status_code, came.headers["allow"]) == (405, allowed)


def test_failure_inside_is_a_signed_answer_without_internals(make_site, vendor_keys, caplog):
    site = make_site("sqlite", vendor_keys)
    engine, site.database.engine = site.database.engine, None
    came = site.http("GET", "/v1/trust", headers=NONCE)
    site.database.engine = engine
    check_signature(site, "GET", "/v1/trust", b"", came)
    told = came.json()
    assert (told["status"], told["code"]) == (500, "INTERNAL")
    assert told["detail"] == f"the server failed; quote request {came.headers['ternary-request']}"


def test_database_that_does_not_answer_is_unavailable(make_site, vendor_keys, tmp_path):
    site = make_site("sqlite", vendor_keys)
    site.database.engine.dispose()
    for path in tmp_path.glob("*.sqlite3*"):
        path.unlink()
    came = site.http("GET", "/v1/trust", headers=NONCE)
    assert (came.status_code, came.json()["code"], came.headers["retry-after"]) == (503, "UNAVAILABLE", "5")
    assert site.http("GET", "/readyz").status_code == 503
    assert site.http("GET", "/livez").status_code == 200


HOSTILE = {
    "nothing": b"",
    "no JSON": b"{",
    "not UTF-8": b"\xff\xfe",
    "an array": b"[]",
    "a float": b'{"name": 1.5}',
    "not a number": b'{"name": NaN}',
    "a name twice": b'{"name": "a", "name": "b"}',
    "a lone surrogate": b'{"name": "\\ud800"}',
    "a control character": b'{"name": "a\\u0000b"}',
    "a right-to-left override": '{"name": "a\u202eb"}'.encode(),
    "a zero width space": '{"name": "a\u200bb"}'.encode(),
    "a variation selector": '{"name": "a\ufe0f"}'.encode(),
    "a tag": '{"name": "a\U000e0041"}'.encode(),
    "only blanks": b'{"name": "   "}',
    "too long": json.dumps({"name": "x" * 201}).encode(),
    "an unknown member": b'{"name": "a", "admin": true}',
    "null": b'{"name": null}',
    "a number": b'{"name": 7}',
    "nested deeply": b'{"name": ' + b"[" * 2000 + b"]" * 2000 + b"}",
    "a huge number": b'{"name": ' + b"9" * 5000 + b"}",
}


@pytest.mark.parametrize("how", HOSTILE)
def test_hostile_body_is_a_documented_refusal(site, how):
    came = site.admin(
        "POST", "/customers", content=HOSTILE[how], headers={"Content-Type": "application/json"}
    )
    assert (came.status_code, came.json()["code"]) == (400, "MALFORMED")
    for path in ("/v1/activations", "/v1/usage", "/v1/standing"):
        headers = {"Idempotency-Key": "12345678"}
        came = site.http("POST", path, content=HOSTILE[how], headers=headers)
        assert (came.status_code, came.json()["code"]) == (400, "MALFORMED")


@pytest.mark.parametrize("key", ["", "short", "x" * 81, "white space", "ümlaut-ümlaut", None])
def test_idempotency_key_must_be_one(site, key):
    headers = [("authorization", f"Bearer {site.token}")]
    headers += [] if key is None else [("idempotency-key", key.encode())]
    came = site.http("POST", "/admin/v1/customers", json={"name": "a"}, headers=headers)
    assert (came.status_code, came.json()["code"]) == (400, "MALFORMED")


def test_address_that_asks_too_often_is_told_when_to_come_back(make_site, vendor_keys):
    site = make_site("sqlite", vendor_keys, rate=3)
    answers = [site.http("GET", "/v1/keys", headers=NONCE) for _ in range(4)]
    assert [came.status_code for came in answers] == [200, 200, 200, 429]
    assert answers[-1].headers["retry-after"] == "20"
    assert answers[-1].json()["detail"] == "address 127.0.0.1: too many requests; ask again in 20 seconds"
    check_signature(site, "GET", "/v1/keys", b"", answers[-1])


def ask_from(site, peer, **headers):
    """Status of an answer to a peer at an address."""
    site.wired.inner.client = (peer, 4711)
    try:
        return site.http("GET", "/v1/keys", headers=headers).status_code
    finally:
        site.wired.inner.client = ("127.0.0.1", 123)


def test_made_up_addresses_do_not_get_around_the_limit(make_site, vendor_keys):
    site = make_site("sqlite", vendor_keys, rate=1)
    assert ask_from(site, "127.0.0.1") == 200
    for number in range(5):
        made_up = f"203.0.113.{number}"
        for header, value in {
            "X-Forwarded-For": made_up, "Forwarded": f"for={made_up}", "X-Real-IP": made_up,
        }.items():  # fmt: skip
            assert ask_from(site, "127.0.0.1", **{header: value}) == 429


def test_forwarded_is_not_believed_from_a_proxy_either(make_site, vendor_keys):
    site = make_site("sqlite", vendor_keys, rate=1, proxies=Proxies.read("127.0.0.1"))
    known = {"X-Forwarded-For": "203.0.113.1"}
    assert ask_from(site, "127.0.0.1", **known) == 200
    assert ask_from(site, "127.0.0.1", Forwarded="for=203.0.113.2", **known) == 429
    assert ask_from(site, "127.0.0.1", **{"X-Forwarded-For": "198.51.100.1, 203.0.113.1:81"}) == 429
    assert ask_from(site, "127.0.0.1", **{"X-Forwarded-For": "203.0.113.2"}) == 200


def test_addresses_of_one_ipv6_network_share_a_limit(make_site, vendor_keys):
    site = make_site("sqlite", vendor_keys, rate=1)
    assert [ask_from(site, f"2001:db8::{number}") for number in (1, 2, "ffff:1")] == [200, 429, 429]
    assert ask_from(site, "2001:db8:0:1::1") == 200
    assert [ask_from(site, "::ffff:203.0.113.9"), ask_from(site, "203.0.113.9")] == [200, 429]


def test_header_of_a_proxy_that_the_settings_do_not_name_is_warned_of_once(make_site, vendor_keys, caplog):
    site = make_site("sqlite", vendor_keys)
    for _ in range(3):
        ask_from(site, "10.1.2.3", **{"X-Forwarded-For": "203.0.113.9"})
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        "X-Forwarded-For from 10.1.2.3 is not believed; if that is your proxy, name it in "
        "TERNARY_SERVER_PROXIES, or all requests through it count as one address"
    ]


def test_nothing_but_the_probes_is_free_of_the_limit(make_site, vendor_keys):
    site = make_site("sqlite", vendor_keys, rate=1)
    site.http("GET", "/v1/keys")
    for path in ("/livez", "/readyz", "/metrics"):
        assert [site.http("GET", path).status_code for _ in range(3)] == [200, 200, 200]
    for path in ("/z", "/v1/z", "/admin/v1/customers/z", "/livez/", "//livez", "/metrics/", "/v1/metrics"):
        assert site.http("GET", path).status_code == 429


def test_license_key_that_is_tried_too_often_has_to_wait(make_site, vendor_keys, new_client, tmp_path, now):
    site = make_site("sqlite", vendor_keys, key_rate=2)
    _, key = site.sell(seats=9)
    for place in ("a", "b"):
        site.online(tmp_path / place).activate(key, now)
    with pytest.raises(Exception, match="this license: too many requests; ask again in 30 seconds"):
        site.online(tmp_path / "c").activate(key, now)


def ask_of_a_license(site, what, license_id, held, now):
    """One signed question about a license; the status of its answer and what a refusal says."""
    path = {"standing": "/v1/standing", "renew": "/v1/renewals", "release": "/v1/releases"}.get(what)
    if path is None:
        document = site.usage_1(license_id, held, [1], now)
        came = site.http("POST", "/v1/usage", content=document)
    else:
        document = site.asking(getattr(online_request, what), license_id, 1, held, now)
        headers = {"Idempotency-Key": online_request.number(document)}
        came = site.http("POST", path, content=document, headers=headers)
    return came.status_code, came.json().get("detail")


TOO_MANY = (429, "this license: too many requests; ask again in 30 seconds")


@pytest.mark.parametrize("what", ["standing", "usage", "renew"])
def test_holder_that_asks_too_often_about_its_license_has_to_wait(
    make_site, vendor_keys, new_client, now, what
):
    site, held = make_site("sqlite", vendor_keys, key_rate=2), new_client()
    license_id, key = site.sell()
    site.activate(key, held)
    asked = [ask_of_a_license(site, what, license_id, held, now) for _ in range(3)]
    assert asked == [(200, None), (200, None), TOO_MANY]


@pytest.mark.parametrize("what", ["standing", "usage", "renew", "release"])
def test_stranger_cannot_use_up_what_the_holder_may_ask(make_site, vendor_keys, new_client, now, what):
    site, held, stranger = make_site("sqlite", vendor_keys, key_rate=2), new_client(), new_client()
    license_id, key = site.sell()
    site.activate(key, held)
    refused = [ask_of_a_license(site, what, license_id, stranger, now) for _ in range(3)]
    assert [answer[0] for answer in refused] == [404, 404, 429]
    assert refused[-1] == TOO_MANY
    assert ask_of_a_license(site, what, license_id, held, now) == (200, None)


def test_body_that_does_not_arrive_is_refused_by_an_answer_that_can_be_verified(make_site, vendor_keys):
    site, sent = make_site("sqlite", vendor_keys, body_timeout=0), []
    scope = {
        "type": "http", "method": "POST", "path": "/v1/usage", "raw_path": b"/v1/usage",
        "headers": [(b"ternary-nonce", b"n-1")], "client": ("127.0.0.1", 1),
    }  # fmt: skip

    async def send(message):
        sent.append(message)

    async def ask():
        first = iter([{"type": "http.request", "body": b"half", "more_body": True}])

        async def receive():
            return next(first, None) or await asyncio.Event().wait()

        await site.wired.inner.app(scope, receive, send)

    asyncio.run(ask())
    came = httpx.Response(sent[0]["status"], headers=sent[0]["headers"], content=sent[1]["body"])
    assert (came.status_code, came.json()["detail"]) == (408, "the body did not arrive within 0 seconds")
    check_signature(site, "POST", "/v1/usage", b"half and the rest", came)


def test_one_large_trust_file_is_read_at_a_time(make_site, vendor_keys):
    site, large = make_site("sqlite", vendor_keys), b" " * 70_000

    async def post(*chunks, wait):
        sent, left = [], list(chunks)
        scope = {
            "type": "http", "method": "POST", "path": "/v1/trust", "raw_path": b"/v1/trust",
            "query_string": b"", "headers": [], "client": ("127.0.0.1", 1),
        }  # fmt: skip

        async def receive():
            if len(left) == 1:
                await wait.wait()
            return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

        async def send(message):
            sent.append(message)

        await site.wired.inner.app(scope, receive, send)
        return sent[0]["status"], json.loads(sent[1]["body"])["detail"]

    async def ask():
        whole, now = asyncio.Event(), asyncio.Event()
        now.set()
        first = asyncio.create_task(post(large, b"{", wait=whole))
        await asyncio.sleep(0)
        beside, small = await post(large, wait=now), await post(b"{", wait=now)
        whole.set()
        return beside, small[0], (await first)[0], (await post(large, wait=now))[0]

    busy = "trust files of more than 65536 bytes: too many requests; ask again in 10 seconds"
    assert site.wired.runner.run(ask()) == ((429, busy), 400, 400, 400)


def test_large_usage_reports_wait_for_their_turn_and_others_do_not(make_site, vendor_keys, monkeypatch):
    monkeypatch.setattr(reading, "REPORTS", 1)
    site, large = make_site("sqlite", vendor_keys), b" " * 300_000
    begun = []

    async def post(*chunks, wait):
        sent, left = [], list(chunks)
        scope = {
            "type": "http", "method": "POST", "path": "/v1/usage", "raw_path": b"/v1/usage",
            "query_string": b"", "headers": [], "client": ("127.0.0.1", 1),
        }  # fmt: skip

        async def receive():
            if len(left) == 1:
                begun.append(chunks[0])
                await wait.wait()
            return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

        async def send(message):
            sent.append(message)

        await site.wired.inner.app(scope, receive, send)
        return sent[0]["status"], json.loads(sent[1]["body"])["code"]

    async def ask():
        whole, now = asyncio.Event(), asyncio.Event()
        now.set()
        first = asyncio.create_task(post(large, b"{", wait=whole))
        await asyncio.sleep(0)
        second = asyncio.create_task(post(large, b"{", wait=now))
        small = await post(b"{", b"{", wait=now)
        waits = len(begun)
        whole.set()
        return small, waits, await first, await second, len(begun)

    malformed = (400, "MALFORMED")
    assert site.wired.runner.run(ask()) == (malformed, 2, malformed, malformed, 3)


def test_large_usage_report_of_an_address_that_has_to_wait_is_not_read(make_site, vendor_keys):
    site = make_site("sqlite", vendor_keys, rate=1)
    site.http("GET", "/v1/keys")
    came = site.http("POST", "/v1/usage", content=b" " * 300_000)
    assert (came.status_code, came.json()["code"], came.json()["detail"]) == (
        413,
        "TOO_LARGE",
        "body of more than 262144 bytes, after too many requests from this address; ask again in 60 seconds",
    )
    check_signature(site, "POST", "/v1/usage", b" " * 300_000, came, nonce="")


def test_documents_are_cached_by_their_tag(site):
    first = site.http("GET", "/v1/keys")
    assert first.headers["cache-control"] == "public, max-age=60"
    again = site.http("GET", "/v1/keys", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert site.http("GET", "/v1/keys", headers={"If-None-Match": '"other"'}).status_code == 200


def test_revocation_list_is_the_same_from_every_replica_and_only_goes_forward(make_site, tmp_path, now):
    ring = keyring.create(tmp_path / "keys", "Acme Logic", now - timedelta(days=1))
    site = make_site("sqlite", ring)
    assert site.http("GET", "/v1/revocations").status_code == 404
    listed = rotation.revoke_license(ring, "L-by-hand", now - timedelta(hours=1))
    site.vendor._next = 0.0
    first = site.http("GET", "/v1/trust").content
    license_id, _ = site.sell()
    site.admin("POST", f"/licenses/{license_id}/revoke")
    site.moment = now + timedelta(hours=1)
    from ternary_sdk._internal.licensing.renewal import replacement
    from ternary_sdk._internal.trust.trust import Trust

    before, after = Trust.read(first), Trust.read(site.http("GET", "/v1/trust").content)
    assert before == listed.trust
    assert replacement(before, after).revoked_licenses == {"L-by-hand", license_id}
    assert site.http("GET", "/v1/trust").content == after.data


def test_server_signs_on_with_the_old_keys_while_the_directory_is_damaged(make_site, tmp_path, now):
    ring = keyring.create(tmp_path / "keys", "Acme Logic", now - timedelta(days=1))
    site = make_site("sqlite", ring)
    (ring.directory / "answer.pem").unlink()
    site.vendor._next = 0.0
    came = site.http("GET", "/v1/keys", headers=NONCE)
    check_signature(site, "GET", "/v1/keys", b"", came)
    told = site.http("GET", "/readyz")
    assert (told.status_code, told.json()["faults"]) == (
        503,
        [
            f"keys: {ring.directory}/answer.pem: no such file; signing needs this key; if it is lost, run "
            "'ternary keys rotate answer'"
        ],
    )


def test_ended_key_set_makes_the_server_not_ready(make_site, tmp_path, now):
    ring = keyring.create(tmp_path / "keys", "Acme", now, expires=now + timedelta(days=1))
    site = make_site("sqlite", ring)
    assert site.http("GET", "/readyz").json() == {"faults": [], "ready": True, "warnings": []}
    site.moment = now + timedelta(days=2)
    assert site.http("GET", "/readyz").json()["faults"] == [
        "keys: the key set ended on 2026-03-02; extend it"
    ]


def test_log_line_is_json_and_holds_no_secret(site, tmp_path, now, caplog):
    _, key = site.sell()
    with caplog.at_level(logging.INFO, "ternary.server"):
        taken = site.online(tmp_path).activate(key, now)
        site.admin("GET", "/customers?after=x")
    lines = [JsonLines().format(record) for record in caplog.records]
    told = [json.loads(line) for line in lines]
    assert [(line["method"], line["route"], line["status"]) for line in told] == [
        ("POST", "/v1/activations", 200),
        ("GET", "/admin/v1/customers", 200),
    ]
    from ternary_sdk._internal.online import key as online_key
    from ternary_sdk._internal.online import state as online_state

    token = online_state.license_file(site.kept(tmp_path), taken.license_id).read_text()
    for secret in (key, online_key.digest(key), site.token, token[:60]):
        assert not any(secret in line for line in lines)


def test_metrics_count_answers_and_refusals(make_site, vendor_keys):
    site = make_site("sqlite", vendor_keys)
    site.http("GET", "/v1/keys")
    site.http("GET", "/nothing")
    text = site.http("GET", "/metrics").text
    assert 'ternary_requests_total{method="GET",route="/v1/keys",status="200"} 1.0' in text
    assert 'ternary_refusals_total{code="NO_SUCH_PATH"} 1.0' in text


def test_nothing_that_a_client_writes_is_a_label(make_site, vendor_keys):
    site = make_site("sqlite", vendor_keys, rate=300)
    for number in range(100):
        name = f"MADE-UP-{number}"
        headers = dict.fromkeys(("Authorization", "Idempotency-Key", "User-Agent", "Host", name), name)
        site.http(name, "/v1/keys")
        site.http("GET", f"/{name}")
        site.http("POST", f"/admin/v1/licenses/{name}/renew?{name}=1", content=name, headers=headers)
        site.http(name, "/nothing")  # from the 76th on refused: the address asks too often
    text, labels = site.http("GET", "/metrics").text, {}
    for name, value in re.findall(r'(\w+)="([^"]*)"', text):
        labels.setdefault(name, set()).add(value)
    del labels["le"]
    assert labels == {
        "method": {"GET", "POST", "other"},
        "route": {"/v1/keys", "/admin/v1/licenses/{license_id}/renew", "none"},
        "status": {"400", "404", "405", "429"},
        "code": {"MALFORMED", "NO_SUCH_PATH", "WRONG_METHOD", "TOO_MANY_REQUESTS"},
    }


def test_made_up_method_is_not_logged(site, caplog):
    with caplog.at_level(logging.INFO, "ternary.server"):
        site.http("X" * 5000, "/v1/keys")
    assert caplog.records[-1].facts["method"] == "other"


def test_password_is_not_in_the_settings_representation(vendor_keys):
    settings = Settings.read(
        {
            "TERNARY_SERVER_KEYS": str(vendor_keys.directory),
            "TERNARY_SERVER_DATABASE": "postgresql://u:secret@h/d",
            "OTHER": "x",
        }
    )
    assert settings.port == 8750
    assert "secret" not in repr(settings)


def test_settings_reach_every_process_of_a_server_as_they_were(vendor_keys):
    given = {
        "KEYS": str(vendor_keys.directory),
        "WORKERS": "4",
        "PROXIES": "10.1.2.3",
        "PORT": "0",
        "REMEMBER": "90",
    }
    settings = Settings.read({f"TERNARY_SERVER_{name}": text for name, text in given.items()})
    assert Settings.read(settings.environment()) == settings


def test_answer_key_alone_signs_answers(site):
    import base64

    came = site.http("GET", "/livez")
    header = came.headers["ternary-answer"].split("..")[0]
    told = json.loads(base64.urlsafe_b64decode(header + "=="))
    assert told == {
        "alg": "ES256", "kid": site.ring.signer(Role.ANSWER).kid, "typ": "ternary-answer+jws"
    }  # fmt: skip
