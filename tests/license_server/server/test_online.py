"""The SDK's client against the server: activate, renew, give back, and answers that nobody should believe."""

import inspect
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from hashlib import sha256

import httpx
import pytest

from ternary_license_server.keys import keyring, rotation
from ternary_sdk._internal.licensing import clock, installation
from ternary_sdk._internal.licensing.ledger import Ledger
from ternary_sdk._internal.licensing.license import License
from ternary_sdk._internal.online import answer as online_answer
from ternary_sdk._internal.online import request as online_request
from ternary_sdk._internal.online import state as online_state
from ternary_sdk._internal.online.client import LicenseServer
from ternary_sdk._internal.trust.trust import Role
from ternary_sdk.errors import InputError, LedgerError, LicenseError, Reason, ServerError, SignatureError
from ternary_sdk.operations import OperationSet

MACHINE = "m-" + "17" * 16

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Recorded(httpx.BaseTransport):
    """Travels like another transport, and can bend or repeat what came back."""

    def __init__(self, inner, bend=lambda answer: answer):
        self.inner, self.bend, self.answers = inner, bend, []

    def handle_request(self, request):
        came = self.inner.handle_request(request)
        came.read()
        self.answers.append(came)
        return self.bend(came)


class Replaying(httpx.BaseTransport):
    """Gives one answer to everything."""

    def __init__(self, answer):
        self.answer = answer

    def handle_request(self, request):
        return copy_of(self.answer)


def copy_of(answer, *, status=None, content=None, headers=None):
    return httpx.Response(
        status or answer.status_code,
        headers=[
            *((name, value) for name, value in answer.headers.items() if name not in (headers or {})),
            *(headers or {}).items(),
        ],
        content=answer.content if content is None else content,
    )


def through(site, directory, transport):
    return LicenseServer("http://127.0.0.1", site.ring.trust, state=directory, transport=transport)


def refused(call, kind=LicenseError):
    with pytest.raises(kind) as refusal:
        call()
    return refusal.value


def test_seat_is_taken_renewed_and_given_back(site, tmp_path, now):
    license_id, key = site.sell(seats=1)
    here = site.online(tmp_path)
    taken = here.activate(key.lower(), now, machine_id="build-7")
    path = here.license_file(license_id)
    first = License.read(path.read_bytes(), site.ring.trust)
    assert first.bound_to == installation.find(site.kept(tmp_path)).kid
    assert [taken.due(now), taken.due(now + HOUR)] == [False, True]
    site.moment = now + HOUR
    assert here.renew(license_id, site.moment).ends == taken.ends + HOUR
    assert License.read(path.read_bytes(), site.ring.trust).expires == first.expires + HOUR
    here.deactivate(license_id, site.moment)
    assert not path.exists()
    assert str(refused(lambda: here.renew(license_id, site.moment), LedgerError)) == (
        f"license {license_id}: not activated by this user on this machine"
    )
    site.online(tmp_path / "other").activate(key, site.moment, machine_id="build-8")


def test_signed_denial_removes_the_license_at_once(site, tmp_path, now):
    license_id, key = site.sell()
    here = site.online(tmp_path)
    here.activate(key, now, machine_id="build-7")
    assert site.admin("POST", f"/licenses/{license_id}/suspend").status_code == 200
    refusal = refused(lambda: here.renew(license_id, now))
    assert (refusal.code, str(refusal)) == (
        Reason.SUSPENDED,
        f"license {license_id} is suspended; ask the vendor",
    )
    assert not online_state.license_file(site.kept(tmp_path), license_id).exists()
    assert site.admin("POST", f"/licenses/{license_id}/reinstate").status_code == 200
    here.renew(license_id, now)
    assert online_state.license_file(site.kept(tmp_path), license_id).exists()


def test_standing_is_asked_and_a_denial_of_it_removes_the_license_too(site, tmp_path, now):
    license_id, key = site.sell()
    here = site.online(tmp_path)
    taken = here.activate(key, now)
    site.moment = now + HOUR
    assert here.standing(license_id, site.moment) == taken.ends
    site.admin("POST", f"/licenses/{license_id}/suspend")
    refusal = refused(lambda: here.standing(license_id, site.moment))
    assert (refusal.code, str(refusal)) == (
        Reason.SUSPENDED,
        f"license {license_id} is suspended; ask the vendor",
    )
    assert not online_state.license_file(site.kept(tmp_path), license_id).exists()


def test_refusal_of_the_request_itself_takes_nothing_away(site, tmp_path, now, monkeypatch):
    license_id, key = site.sell()
    here = site.online(tmp_path)
    here.activate(key, now)
    monkeypatch.setattr(online_request, "renew", online_request.release)
    refusal = refused(lambda: here.renew(license_id, now))
    assert (refusal.code, str(refusal)) == (
        Reason.MALFORMED,
        "request.action: 'release' is not asked for at this address",
    )
    assert online_state.license_file(site.kept(tmp_path), license_id).exists()


def test_unreachable_server_takes_nothing_away(site, tmp_path, now):
    license_id, key = site.sell()
    site.online(tmp_path).activate(key, now)

    def gone(request):
        raise httpx.ConnectError("connection refused")

    cut_off = through(site, tmp_path, httpx.MockTransport(gone))
    assert str(refused(lambda: cut_off.renew(license_id, now), ServerError)) == (
        "license server http://127.0.0.1: cannot be reached (connection refused)"
    )
    assert online_state.license_file(site.kept(tmp_path), license_id).exists()


def test_captured_answer_does_not_pass_again(site, tmp_path, now):
    license_id, key = site.sell()
    recorded = Recorded(site.wire())
    here = through(site, tmp_path, recorded)
    here.activate(key, now)
    here.renew(license_id, now)
    site.admin("POST", f"/licenses/{license_id}/suspend")
    replayed = through(site, tmp_path, Replaying(recorded.answers[-1]))
    refusal = refused(lambda: replayed.renew(license_id, now), SignatureError)
    assert "over these bytes" in str(refusal)


@pytest.mark.parametrize("difference", [timedelta(minutes=5, seconds=1), -timedelta(minutes=5, seconds=1)])
def test_future_dated_and_stale_answers_are_refused(site, tmp_path, now, difference):
    _, key = site.sell()
    site.moment = now + difference
    refusal = refused(lambda: site.online(tmp_path).activate(key, now), SignatureError)
    assert str(refusal) == (
        f"server's answer: dated {site.moment:%Y-%m-%d %H:%M:%S} UTC, this machine's clock says "
        "2026-03-01 12:00:00 UTC; one of the two clocks is wrong, or the answer is an old one"
    )


def header(name, change):
    return lambda answer: copy_of(answer, headers={name: change(answer.headers[name])})


BENT = {
    "another status": lambda answer: copy_of(answer, status=201),
    "another body": lambda answer: copy_of(answer, content=answer.content.replace(b"false", b"true")),
    "another time": header("ternary-time", lambda text: str(int(text) + 1)),
    "no time": header("ternary-time", lambda text: ""),
    "odd time": header("ternary-time", lambda text: "-1"),
    "no signature": header("ternary-answer", lambda text: ""),
    "attached payload": header("ternary-answer", lambda text: text.replace("..", ".e30.")),
    "header alone": header("ternary-answer", lambda text: "e30.."),
}


@pytest.mark.parametrize("how", BENT)
def test_altered_answer_is_refused(site, tmp_path, now, how):
    _, key = site.sell()
    bent = through(site, tmp_path, Recorded(site.wire(), BENT[how]))
    refused(lambda: bent.activate(key, now), SignatureError)
    assert not list(online_state.every(site.kept(tmp_path)))


@pytest.mark.parametrize("part", ["nonce", "method", "path", "body"])
def test_answer_to_another_question_is_refused(site, now, part):
    ring = site.ring
    asked = {"nonce": "n1", "method": "POST", "path": "/v1/renewals", "body": b"{}"}
    other = asked | {part: b"[]" if part == "body" else "n2"}
    payload = online_answer.payload(
        online_answer.Question(**other),
        vendor=ring.vendor,
        status=200,
        sha256=sha256(b"1").hexdigest(),
        time=int(now.timestamp()),
    )
    token = ring.signer(Role.ANSWER).sign_token(payload, typ=online_answer.TYP)
    answer = online_answer.Answer(
        status=200, body=b"1", time=str(int(now.timestamp())), signature=online_answer.detach(token)
    )
    online_answer.verify(online_answer.Question(**other), answer, ring.trust, now)
    refused(
        lambda: online_answer.verify(online_answer.Question(**asked), answer, ring.trust, now), SignatureError
    )


@pytest.mark.parametrize("role", [Role.LICENSE, Role.PACKAGE])
def test_answer_signed_by_a_key_of_another_role_is_refused(site, now, role):
    question = online_answer.Question(nonce="n", method="GET", path="/", body=b"")
    payload = online_answer.payload(
        question,
        vendor=site.ring.vendor,
        status=200,
        sha256=sha256(b"").hexdigest(),
        time=int(now.timestamp()),
    )
    token = site.ring.signer(role).sign_token(payload, typ=online_answer.TYP)
    answer = online_answer.Answer(
        status=200, body=b"", time=str(int(now.timestamp())), signature=online_answer.detach(token)
    )
    refusal = refused(lambda: online_answer.verify(question, answer, site.ring.trust, now), SignatureError)
    assert str(refusal) == (
        f"server's answer: key {site.ring.signer(role).kid} has role {role}, expected answer"
    )


def test_answer_of_another_vendors_server_is_refused(site, make_site, tmp_path, now):
    _, key = site.sell()
    other = keyring.create(tmp_path / "other", "Acme Logic", now)
    stranger = LicenseServer("http://127.0.0.1", other.trust, state=tmp_path / "s", transport=site.wire())
    refusal = refused(lambda: stranger.activate(key, now), SignatureError)
    assert "is not in the key set of Acme Logic" in str(refusal)


def test_license_of_another_installation_is_not_kept(site, tmp_path, now):
    _, key = site.sell()
    recorded = Recorded(site.wire())
    through(site, tmp_path / "one", recorded).activate(key, now)
    stranger = clock.establish(tmp_path / "two", now, signed=now)
    refusal = refused(
        lambda: online_state.accept(recorded.answers[0].content, site.ring.trust, stranger, server=None)
    )
    assert refusal.code is Reason.MACHINE_MISMATCH


def test_air_gapped_machine_activates_and_releases_by_files(site, tmp_path, now):
    license_id, key = site.sell(seats=1, offline=30 * DAY)
    held = clock.establish(site.kept(tmp_path), now, signed=now)
    vendor = site.ring.trust.root.kid
    carrier = site.online(tmp_path / "carrier")
    asked = online_request.activate(key, vendor=vendor, held=held, now=now, machine=MACHINE, offline=True)
    site.moment = now + DAY
    response = carrier.carry(asked, site.moment)
    assert carrier.carry(asked, site.moment) == response
    taken = online_state.accept(response, site.ring.trust, held, server=None)
    assert (taken.renew_after, taken.server) == (None, None)
    assert License.read(
        online_state.license_file(site.kept(tmp_path), license_id).read_bytes(), site.ring.trust
    ).expires == now + 31 * DAY - timedelta(minutes=5)
    refusal = refused(lambda: site.online(tmp_path / "other").activate(key, site.moment))
    assert refusal.code is Reason.TOO_MANY_MACHINES
    proof = online_request.release(
        license_id, taken.lease, taken.generation, vendor=vendor, held=held, now=now + 2 * DAY
    )
    site.moment = now + 3 * DAY
    carrier.carry(proof, site.moment)
    site.online(tmp_path / "other").activate(key, site.moment)


def test_request_that_was_touched_on_the_way_is_still_the_same_request(site, tmp_path, now):
    _, key = site.sell(seats=1, offline=30 * DAY)
    held = installation.draft(tmp_path)
    installation.keep(held)
    vendor = site.ring.trust.root.kid
    asked = online_request.activate(key, vendor=vendor, held=held, now=now, machine=MACHINE, offline=True)
    headers = {"Idempotency-Key": online_request.number(asked), "Content-Type": "application/json"}
    headers["Ternary-Nonce"] = online_answer.new_nonce()
    first = site.http("POST", "/v1/carried", content=asked, headers=headers)
    again = site.http("POST", "/v1/carried", content=b"\xef\xbb\xbf" + asked + b"\r\n", headers=headers)
    assert (first.status_code, again.status_code, again.content) == (200, 200, first.content)


def test_usage_is_reported_at_renewal_where_there_is_a_quota(site, tmp_path, now):
    license_id, key = site.sell(unique_operations=100)
    here = site.online(tmp_path)
    here.activate(key, now)
    Ledger(site.kept(tmp_path) / "ledger.sqlite3").record(license_id, 100, OperationSet.of([1, 2, 3]))
    here.renew(license_id, now)
    assert here.report(license_id, now) == 3
    assert site.admin("GET", f"/licenses/{license_id}").json()["operations"] == 3


def test_quota_exceeded_by_several_machines_together_ends_their_renewals(site, tmp_path, now):
    license_id, key = site.sell(unique_operations=3)
    places = [tmp_path / name for name in ("one", "two")]
    for number, place in enumerate(places):
        site.online(place).activate(key, now)
        Ledger(site.kept(place) / "ledger.sqlite3").record(
            license_id, 3, OperationSet.of([number, number + 10])
        )
    site.online(places[0]).renew(license_id, now)
    refusal = refused(lambda: site.online(places[1]).renew(license_id, now))
    assert (refusal.code, str(refusal)) == (
        Reason.QUOTA_EXHAUSTED,
        f"license {license_id} allows 3 different operations; its machines together have returned 4; "
        "ask the vendor for a larger quota",
    )


def test_revoked_license_is_on_the_list_that_clients_fetch(site, tmp_path, now):
    license_id, key = site.sell()
    here = site.online(tmp_path)
    here.activate(key, now)
    data = online_state.license_file(site.kept(tmp_path), license_id).read_bytes()
    assert site.admin("POST", f"/licenses/{license_id}/revoke").status_code == 200
    refusal = refused(lambda: License.read(data, here.trust(now)))
    assert refusal.code is Reason.REVOKED
    assert here.trust(now).revoked_licenses == {license_id}


def test_rotated_answer_key_is_taken_up_without_a_restart(make_site, tmp_path, now):
    ring = keyring.create(tmp_path / "keys", "Acme Logic", now - DAY)
    site = make_site("sqlite", ring)
    _, key = site.sell()
    rotated = rotation.rotate(ring, Role.ANSWER, now)
    site.vendor._next = 0.0
    old = LicenseServer("http://127.0.0.1", ring.trust, state=tmp_path / "s", transport=site.wire())
    assert str(refused(lambda: old.activate(key, now), SignatureError)) == (
        f"server's answer: key {rotated.signer(Role.ANSWER).kid} is not in the key set of Acme "
        "Logic (version 1); "
        "if this is the vendor's server, run 'ternary trust update --server URL' with its address"
    )
    assert old.trust(now) == rotated.trust
    old.activate(key, now)


def test_trust_file_under_another_root_is_not_taken_from_a_server(make_site, tmp_path, now):
    site = make_site("sqlite", keyring.create(tmp_path / "keys", "Acme Logic", now - DAY))
    other = keyring.create(tmp_path / "other", "Acme Logic", now - DAY)
    stranger = LicenseServer("http://127.0.0.1", other.trust, state=tmp_path / "s", transport=site.wire())
    assert "is not in the key set of Acme Logic" in str(refused(lambda: stranger.trust(now), SignatureError))


@pytest.mark.parametrize(
    "url",
    [
        "http://licenses.example.com",
        "https://",
        "ftp://x",
        "https://x/path",
        "https://u:p@x",
        "x",
        "http://[",
        "",
    ],
)
def test_address_must_be_https_and_bare(site, tmp_path, url):
    assert "expected an address such as https://licenses.example.com" in str(
        refused(lambda: LicenseServer(url, site.ring.trust, state=tmp_path), InputError)
    )


def test_sdk_does_not_import_the_online_part_by_itself():
    import subprocess
    import sys

    program = "import sys, ternary_sdk, ternary_sdk.model; sys.exit('httpx' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    "says", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"], ids=["nothing", "half"]
)
def test_server_that_does_not_go_on_is_given_up_and_takes_nothing_away(site, tmp_path, now, says):
    license_id, key = site.sell()
    site.online(tmp_path).activate(key, now)
    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor(1) as pool:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        here = LicenseServer(address, site.ring.trust, state=tmp_path, timeout=0.1)
        asking = pool.submit(here.renew, license_id, now)
        connection, _ = listening.accept()
        connection.sendall(says)
        refusal = refused(asking.result, ServerError)
        connection.close()
    assert str(refusal) == f"license server {address}: cannot be reached (timed out)"
    assert online_state.license_file(site.kept(tmp_path), license_id).exists()


def test_timeout_is_on_by_default():
    assert 0 < inspect.signature(LicenseServer).parameters["timeout"].default <= 30
