"""What ``make bench`` measures the server with is what the server itself would accept."""

from contextlib import closing
from datetime import UTC, datetime

from benchmarks import server as benchmark

from ternary_license_server.database.engine import Database
from ternary_license_server.service import activation
from ternary_sdk._internal.online import request as online_request
from ternary_sdk._internal.online.request import Request


def test_every_seat_of_the_benchmark_stands(kind, tmp_path, database_address, vendor_keys):
    vendor = vendor_keys.trust.root.kid
    with database_address(kind, tmp_path) as url:
        seats, now = benchmark._fill(url, 30), datetime.now(UTC)
        with closing(Database(url)) as database, database.read() as transaction:
            for seat in seats:
                asked = online_request.standing(
                    seat.license_id, seat.lease, 1, vendor=vendor, held=seat.held, now=now
                )
                request = Request.read(asked, vendor)
                told = activation.perform(transaction, vendor_keys, request, carried=False)
                assert (told["id"], told["code"]) == (seat.license_id, "VALID")
    assert len(seats) == 30
