"""A few rounds of what ``make stress`` does a thousand times."""

import re
from collections import Counter

import httpx
from stress import clocks
from stress.seats import CLIENTS, SEATS, prepare, race, serving


def test_exactly_as_many_as_there_are_seats_get_one(kind, tmp_path, database_address, vendor_keys):
    with database_address(kind, tmp_path) as url:
        prepare(url)
        with serving(vendor_keys, url) as addresses:
            assert race(vendor_keys, url, addresses, rounds=8) == Counter({SEATS: 8})


def test_wait_until_a_lease_has_ended_and_clocks_apart_never_give_a_seat_twice(
    kind, tmp_path, database_address, vendor_keys
):
    with database_address(kind, tmp_path) as url:
        prepare(url)
        with serving(vendor_keys, url, programs=clocks.programs()) as addresses:
            outcomes = clocks.race(vendor_keys, url, addresses, rounds=1)
    assert outcomes == {clocks.TAKEN: clocks.LICENSES, clocks.IN_DOUBT: clocks.LICENSES}


def test_processes_of_one_server_share_seats_and_metrics(kind, tmp_path, database_address, vendor_keys):
    with database_address(kind, tmp_path) as url:
        prepare(url)
        with serving(vendor_keys, url, number=1, workers=2) as addresses:
            assert race(vendor_keys, url, addresses, rounds=4) == Counter({SEATS: 4})
            told = [httpx.get(f"{addresses[0]}/metrics").text for _ in range(8)]
    counted = [
        sum(map(float, re.findall(r'ternary_requests_total\{.*route="/v1/activations".*\} (.+)', text)))
        for text in told
    ]
    assert counted == [4.0 * CLIENTS] * 8
