"""A few rounds of what ``make stress`` does a thousand times."""

from collections import Counter

from stress.seats import SEATS, prepare, race, serving


def test_exactly_as_many_as_there_are_seats_get_one(kind, tmp_path, database_address, vendor_keys):
    with database_address(kind, tmp_path) as url:
        prepare(url)
        with serving(vendor_keys, url) as addresses:
            assert race(vendor_keys, url, addresses, rounds=8) == Counter({SEATS: 8})
