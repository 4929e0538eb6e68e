"""Segments: what is added stays, few are kept, and sets that are alike share them."""

import numpy as np
import pytest
from sqlalchemy import select

from ternary_license_server.database import schema
from ternary_license_server.service import segments
from ternary_license_server.service.segments import Place, Role
from ternary_sdk._internal.licensing.decoded import Decoded
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import Space

TERNARY_3 = Space(3, 3)


@pytest.fixture
def small(monkeypatch):
    """Segments that are not merged from eight operations on, and no room for decoded sets."""
    monkeypatch.setattr(segments, "LARGEST", 8)
    monkeypatch.setattr(segments, "DECODED", Decoded(most=0))


def a_set(*operations):
    return OperationSet.of(operations, TERNARY_3)


def place(license_id, role=Role.REPORTED):
    return Place(license=license_id, holder="one S-1", role=role, space=TERNARY_3)


def sizes(kept):
    return [segment.operations for segment in kept.segments]


def stored(transaction, license_id):
    table = schema.segments
    return len(transaction.execute(select(table.c.sha256).where(table.c.license == license_id)).all())


def test_set_that_grows_has_few_segments_and_all_its_operations(small, shop, now):
    license_id, _ = shop.sell(now=now)
    numbers = np.random.default_rng(7).permutation(200).tolist()
    with shop.database.write() as transaction:
        kept, shapes = segments.find(transaction, place(license_id)), []
        for start in range(0, 60, 3):
            kept = segments.append(transaction, kept, a_set(*numbers[start : start + 3])).after
            assert segments.find(transaction, place(license_id)) == kept
            assert segments.load(transaction, kept) == a_set(*numbers[: start + 3])
            assert stored(transaction, license_id) == len(kept.segments)
            shapes.append(sizes(kept))
    assert shapes[:6] == [[3], [6], [9], [9, 3], [9, 6], [9, 9]]
    assert len(kept) == 60


def test_nothing_added_writes_nothing(small, shop, now):
    license_id, _ = shop.sell(now=now)
    with shop.database.write() as transaction:
        kept = segments.append(transaction, segments.find(transaction, place(license_id)), a_set()).after
        assert (kept.segments, stored(transaction, license_id)) == ((), 0)
        assert segments.load(transaction, kept) == a_set()


def test_sets_that_grow_alike_share_and_each_keeps_what_it_needs(small, shop, now):
    license_id, _ = shop.sell(now=now)
    with shop.database.write() as transaction:
        one, other = (segments.find(transaction, place(license_id, role)) for role in list(Role)[:2])
        grown = segments.append(transaction, one, a_set(1, 2))
        alike = segments.append(transaction, other, a_set(1, 2), like=grown)
        assert alike.after.segments == grown.after.segments
        assert stored(transaction, license_id) == 1
        more = segments.append(transaction, grown.after, a_set(9))
        unlike = segments.append(transaction, alike.after, a_set(8), like=more)
        assert segments.load(transaction, more.after) == a_set(1, 2, 9)
        assert segments.load(transaction, unlike.after) == a_set(1, 2, 8)
        assert stored(transaction, license_id) == 2
        segments.rewrite(transaction, more.after, a_set())
        assert stored(transaction, license_id) == 1
        assert segments.load(transaction, segments.find(transaction, place(license_id))) == a_set()


def test_rewritten_set_is_cut_into_segments(small, shop, now):
    license_id, _ = shop.sell(now=now)
    with shop.database.write() as transaction:
        kept = segments.find(transaction, place(license_id))
        kept = segments.rewrite(transaction, kept, a_set(*range(20)))
        assert sizes(kept) == [8, 8, 4]
        assert segments.load(transaction, kept) == a_set(*range(20))


def test_licenses_and_roles_have_sets_of_their_own(small, shop, now):
    (one, _), (two, _) = shop.sell(now=now), shop.sell(now=now)
    with shop.database.write() as transaction:
        segments.append(transaction, segments.find(transaction, place(one)), a_set(1))
        for other in (place(two), place(one, Role.BASE)):
            assert segments.find(transaction, other).segments == ()


def test_decoded_sets_are_those_that_were_used_last():
    decoded = Decoded(most=5)
    for name, operations in (("a", a_set(1, 2)), ("b", a_set(3, 4))):
        assert decoded.keep(name, operations) == operations
    assert decoded.find("a") == a_set(1, 2)
    decoded.keep("c", a_set(5, 6))
    assert [decoded.find(name) for name in "abc"] == [a_set(1, 2), None, a_set(5, 6)]
    decoded.keep("a", a_set(7))
    assert (decoded.find("a"), len(decoded)) == (a_set(7), 3)
    decoded.keep("d", a_set(*range(6)))
    assert (decoded.find("d"), len(decoded)) == (None, 0)
    decoded.keep("e", a_set(1))
    decoded.clear()
    assert (decoded.find("e"), len(decoded)) == (None, 0)
