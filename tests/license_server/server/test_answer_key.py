"""Stored answers hold license keys and tokens. Whoever has the whole database cannot read one of them."""

import base64
import hashlib
import json
from datetime import timedelta

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import func, insert, select, text

from ternary_license_server.database.engine import Database
from ternary_license_server.database.migration import migrate
from ternary_license_server.database.schema import answered, customers, metadata
from ternary_license_server.keys import keyring, rotation
from ternary_license_server.service import catalog
from ternary_license_server.service.answer_key import AnswerKey
from ternary_license_server.service.once import once
from ternary_license_server.service.refusals import Code, ServiceError
from ternary_sdk._internal.online import request as online_request
from ternary_sdk._internal.trust.trust import Role

SHORT = "12345678"
"""The shortest ``Idempotency-Key`` that is taken, such as an administrator chooses."""


def dump(site):
    with site.database.read() as transaction:
        return {
            table.name: [dict(row._mapping) for row in transaction.execute(select(table))]
            for table in metadata.sorted_tables
        }


def values(found):
    """Every value in a dump as bytes, and what is in those that are JSON, base64 or hexadecimal digits."""
    match found:
        case dict():
            return {found_in for value in found.values() for found_in in values(value)}
        case list():
            return {found_in for value in found for found_in in values(value)}
        case bytes():
            return {found}
        case str():
            return {found.encode(), *decoded(found)}
        case _:
            return {str(found).encode()}


def decoded(found):
    for decode in (json.loads, bytes.fromhex, base64.b64decode):
        try:
            yield from values(decode(found)) if decode is json.loads else {decode(found)}
        except ValueError:
            continue


def opens(row, key, secret):
    """What a secret makes of a stored answer, as this release encrypts, and as the first one did."""
    try:
        return AnswerKey(principal=row["principal"], key=key, secret=secret).unseal(row["body"])
    except InvalidTag:
        pass
    try:
        first = HKDF(hashes.SHA256(), 32, salt=row["principal"].encode(), info=b"ternary-answered-v1")
        cipher = AESGCM(first.derive(secret))
        return cipher.decrypt(row["created"].to_bytes(12, "big"), base64.b64decode(row["body"]), None)
    except InvalidTag:
        return None


def stored(found, key):
    (row,) = (row for row in found["answered"] if row["key"] == hashlib.sha256(key.encode()).hexdigest())
    return row


@pytest.fixture
def robbed(make_site, vendor_keys, new_client, kind, now):
    """A site that has issued a license and given a seat; all that its database holds; the signed request."""
    site, held = make_site(kind, vendor_keys), new_client()
    license_id, _ = site.sell()
    receiver = site.admin("POST", "/customers", json={"name": "Hooli"}).json()["id"]
    key = site.admin(
        "POST", f"/licenses/{license_id}/transfer", json={"customer": receiver},
        headers={"Idempotency-Key": SHORT},
    ).json()["key"]  # fmt: skip
    vendor = vendor_keys.trust.root.kid
    document = online_request.activate(key, vendor=vendor, held=held, now=now, machine=None)
    headers = {"Idempotency-Key": online_request.number(document)}
    assert site.http("POST", "/v1/activations", content=document, headers=headers).status_code == 200
    return site, dump(site), key, document


def test_nothing_in_the_database_opens_the_answer_to_a_clients_request(robbed):
    _, found, _, document = robbed
    number = online_request.number(document)
    assert number.encode() in values(found["audit"])  # the thief knows it
    row = stored(found, number)
    assert [opens(row, number, secret) for secret in values(found)] == [None] * len(values(found))
    assert b'"license":' in opens(row, number, document)


def test_short_key_that_an_administrator_chose_opens_no_answer(robbed):
    site, found, key, _ = robbed
    row = stored(found, SHORT)
    guesses = {SHORT.encode(), *values(found)}
    assert [opens(row, SHORT, secret) for secret in guesses] == [None] * len(guesses)
    assert json.loads(opens(row, SHORT, site.token.encode()))["key"] == key


def test_same_theft_opens_what_the_first_release_stored():
    first = HKDF(hashes.SHA256(), 32, salt=b"T-1", info=b"ternary-answered-v1").derive(SHORT.encode())
    sealed = AESGCM(first).encrypt((7).to_bytes(12, "big"), b"a license key", None)
    row = {"principal": "T-1", "created": 7, "body": base64.b64encode(sealed).decode()}
    assert opens(row, SHORT, SHORT.encode()) == b"a license key"


def test_no_secret_of_a_caller_is_in_the_database(robbed):
    site, found, key, document = robbed
    assert {site.token.encode(), key.encode(), document} & values(found) == set()


def test_every_process_gives_the_answer_again_before_and_after_the_keys_are_rotated(
    make_site, tmp_path, new_client, kind, now
):
    ring = keyring.create(tmp_path / "keys", "Acme Logic", now - timedelta(days=1))
    site, held = make_site(kind, ring), new_client()
    _, key = site.sell(seats=1)
    document = online_request.activate(key, vendor=ring.trust.root.kid, held=held, now=now, machine=None)
    asked = {"content": document, "headers": {"Idempotency-Key": online_request.number(document)}}
    first = site.http("POST", "/v1/activations", **asked)
    for role in (Role.LICENSE, Role.ANSWER):
        rotation.rotate(keyring.load(ring.directory), role, now)
    site.vendor._next = 0.0
    again = site.beside().http("POST", "/v1/activations", **asked)
    assert (again.status_code, again.content) == (first.status_code, first.content) == (200, first.content)


def test_another_secret_under_the_same_key_gets_no_answer(shop):
    def work(transaction):
        return catalog.add_customer(transaction, "Initech", actor="T-1")

    asked = {"principal": "T-1", "key": "of-another-secret", "request": b"new customer", "work": work}
    once(shop.database, secret=b"the token", **asked)
    with pytest.raises(ServiceError) as refused:
        once(shop.database, secret=b"another token", **asked)
    assert str(refused.value) == (
        "idempotency key 'of-another-secret': it was used for another request before"
    )


def test_answers_of_an_earlier_release_are_erased_and_nothing_is_done_twice(
    kind, tmp_path, database_address, now
):
    body, name = "an answer that the database gave away", hashlib.sha256(SHORT.encode()).hexdigest()
    asked = {"principal": "T-1", "key": SHORT, "request": b"new customer", "secret": b"the token"}
    row = {
        "principal": "T-1", "key": name, "request": hashlib.sha256(asked["request"]).hexdigest(),
        "status": 201, "body": body, "created": int(now.timestamp()),
    }  # fmt: skip
    with database_address(kind, tmp_path) as url:
        database = Database(url)
        migrate(database, to="0007")
        with database.write() as transaction:
            transaction.execute(insert(answered), row)
        migrate(database)
        if database.file is not None:
            with database.engine.connect() as connection:
                connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
            assert body.encode() not in database.file.read_bytes()
        with pytest.raises(ServiceError) as refused:
            once(
                database, **asked, remember=timedelta(days=36_500),
                work=lambda transaction: catalog.add_customer(transaction, "Initech", actor="T-1"),
            )  # fmt: skip
        with database.read() as transaction:
            kept = transaction.execute(select(answered.c.status, answered.c.body)).all()
            made = transaction.execute(select(func.count()).select_from(customers)).scalar_one()
        database.close()
    assert (kept, made, refused.value.code) == ([(0, "")], 0, Code.CONFLICT)
    assert str(refused.value) == (
        "idempotency key '12345678': its request was done by an earlier release of this server, and the "
        "answer is no longer kept; see what was done, and ask anew under another key"
    )
