"""Rate limits: what is remembered is bounded, and nobody gets a bucket back by crowding it out cheaply."""

import pytest

from ternary_license_server.web.limits import RateLimit


@pytest.fixture
def clock():
    return [0.0]


def test_bucket_fills_steadily_and_never_overflows(clock):
    limit = RateLimit(60, clock=lambda: clock[0])
    assert [limit.wait("a") for _ in range(61)] == [0] * 60 + [1]
    assert limit.wait("b") == 0
    clock[0] = 2.0
    assert [limit.wait("a") for _ in range(3)] == [0, 0, 1]
    clock[0] = 10_000.0
    assert [limit.wait("a") for _ in range(61)] == [0] * 60 + [1]


def test_clock_that_is_set_back_fills_nothing_and_takes_nothing(clock):
    limit = RateLimit(2, clock=lambda: clock[0])
    assert [limit.wait("a") for _ in range(2)] == [0, 0]
    clock[0] = -10_000.0
    assert limit.wait("a") == 30
    clock[0] += 30
    assert limit.wait("a") == 0


def test_buckets_that_are_full_again_are_forgotten(clock):
    limit = RateLimit(60, clock=lambda: clock[0])
    for name in range(1000):
        limit.wait(f"before {name}")
    clock[0] = 59.9
    limit.wait("a minute later")
    assert len(limit) == 1001
    clock[0] = 120.0
    for name in range(1000):
        limit.wait(f"after {name}")
    assert len(limit) == 1000


def test_no_more_buckets_are_remembered_than_said(clock):
    limit = RateLimit(60, clock=lambda: clock[0], most=50)
    for name in range(1000):
        limit.wait(f"{name}")
    assert len(limit) == 50


def test_empty_bucket_is_crowded_out_by_no_fewer_names_than_are_remembered(clock):
    limit = RateLimit(1, clock=lambda: clock[0], most=50)
    assert [limit.wait("mine"), limit.wait("mine")] == [0, 60]
    for name in range(49):
        limit.wait(f"{name}")
    assert limit.wait("mine") == 60
    for name in range(49):  # asking in vain has made it the one used last
        limit.wait(f"{name}")
    assert limit.wait("mine") == 60
