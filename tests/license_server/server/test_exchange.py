"""What boundary and routes know of a request has fixed names."""

import pytest

from ternary_license_server.web.exchange import begin, exchange_of


def test_misspelled_member_is_refused():
    with pytest.raises(AttributeError) as refusal:
        begin({}, None).principle = "somebody"
    assert str(refusal.value).startswith("'Exchange' object has no attribute 'principle'")


def test_what_a_route_writes_is_what_the_boundary_reads():
    scope = {}
    exchange = begin(scope, None)
    exchange_of(scope).principal, exchange_of(scope).code = "token T-1", "CONFLICT"
    assert (exchange.principal, exchange.code, exchange.body) == ("token T-1", "CONFLICT", b"")
