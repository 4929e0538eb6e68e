"""A server in a process of its own: how it stops, what it logs, what the HTTP server answers by itself."""

import json
import os
import signal
import socket
import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from stress.seats import serving

from ternary_license_server.database.schema import leases
from ternary_sdk._internal.online import request as online_request


def port_of(address):
    return int(address.rpartition(":")[2])


def logged(log):
    return [json.loads(line) for line in log.read_text().splitlines()]


def rest(wire):
    """What comes until the server closes the connection."""
    return b"".join(iter(lambda: wire.recv(65_536), b""))


def await_closed(port):
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return
        threading.Event().wait(0.1)
    raise AssertionError("the server still listens")


def test_request_that_runs_when_the_server_is_told_to_stop_is_finished(
    kind, tmp_path, database_address, make_shop, vendor_keys, new_client
):
    log, now, held = tmp_path / "log", datetime.now(UTC), new_client()
    with database_address(kind, tmp_path) as url:
        shop = make_shop(url)
        _, key = shop.sell(now)
        vendor = vendor_keys.trust.root.kid
        document = online_request.activate(key, vendor=vendor, held=held, now=now, machine=None)
        head = (
            "POST /v1/activations HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
            f"Idempotency-Key: {online_request.number(document)}\r\nContent-Length: {len(document)}\r\n\r\n"
        )
        with (
            serving(vendor_keys, url, number=1, log=log) as (address,),
            socket.create_connection(("127.0.0.1", port_of(address)), 30) as wire,
        ):
            wire.sendall(head.encode())
            assert wire.recv(1024).startswith(b"HTTP/1.1 100 ")  # sent by the request that now waits
            os.kill(logged(log)[0]["process"], signal.SIGTERM)
            await_closed(port_of(address))
            wire.sendall(document)
            assert rest(wire).startswith(b"HTTP/1.1 200 ")
        with shop.database.read() as transaction:
            holders = transaction.execute(select(leases.c.installation)).scalars().all()
        shop.database.close()
    assert holders == [held.kid]
    assert [line["route"] for line in logged(log)][-1] == "/v1/activations"


@pytest.mark.parametrize("workers", [1, 2])
def test_bytes_that_are_no_request_get_an_unsigned_400_and_a_json_line(
    tmp_path, database_address, vendor_keys, workers
):
    log = tmp_path / "log"
    with (
        database_address("sqlite", tmp_path) as url,
        serving(vendor_keys, url, number=1, workers=workers, log=log) as (address,),
        socket.create_connection(("127.0.0.1", port_of(address)), 30) as wire,
    ):
        wire.sendall(b"\x16\x03\x01 garbage\r\n\r\n")
        came = rest(wire).lower()
    assert came.startswith(b"http/1.1 400 ")
    assert b"ternary-answer" not in came
    warned = [line for line in logged(log) if line["level"] == "warning"]
    assert [line["message"] for line in warned] == ["Invalid HTTP request received."]
