"""A program that embeds the model and renews its seat: one open model through many leases."""

from datetime import timedelta

import pytest

from ternary_sdk import Model
from ternary_sdk._internal.identity import VersionRange
from ternary_sdk.errors import LicenseError, Reason

HOUR = timedelta(hours=1)
SOLD = VersionRange(name="acme", start=(1, 0, 0), below=(2, 0, 0))


@pytest.fixture
def embedded(make_site, vendor, shipped, tmp_path, now):
    """A site, a seat of it taken here, and the model opened under the license that came."""
    site = make_site("sqlite", vendor)
    _, key = site.sell(versions=SOLD, unique_operations=5000, lease=HOUR, grace=HOUR)
    server = site.online(tmp_path)
    taken = server.activate(key, now, machine_id="build-7")
    with Model.open(
        shipped,
        license=server.license_file(taken.license_id),
        trust=vendor.trust.data,
        machine_id="build-7",
        state=tmp_path,
        clock=lambda: site.moment,
    ) as model:
        yield site, server, taken, model


def test_open_model_outlives_its_first_lease_by_renewals(embedded, now):
    site, server, taken, model = embedded
    for hour in range(1, 6):
        site.moment = now + hour * HOUR
        assert taken.due(site.moment)
        taken = server.renew(taken.license_id, site.moment)
        model.relicense(server.license_file(taken.license_id))
        model.sample(10, unique=True, seed=hour)
    assert site.moment > now + 2 * HOUR
    assert server.standing(taken.license_id, site.moment) == site.moment + 2 * HOUR
    assert server.report(taken.license_id, site.moment) == len(model.drawn())


def test_open_model_that_is_not_renewed_ends_with_its_grace(embedded, now):
    site, _, _, model = embedded
    site.moment = now + 2 * HOUR - timedelta(minutes=6)
    model.sample(1)
    site.moment = now + 2 * HOUR
    with pytest.raises(LicenseError) as refusal:
        model.sample(1)
    assert refusal.value.code is Reason.HEARTBEAT_DEAD


def test_denial_ends_the_open_model_and_a_reinstated_seat_brings_it_back(embedded, now):
    site, server, taken, model = embedded
    site.admin("POST", f"/licenses/{taken.license_id}/suspend")
    with pytest.raises(LicenseError) as refusal:
        server.standing(taken.license_id, now)
    assert refusal.value.code is Reason.SUSPENDED
    with pytest.raises(LicenseError) as refusal:
        model.sample(1)
    assert refusal.value.code is Reason.SUSPENDED
    site.admin("POST", f"/licenses/{taken.license_id}/reinstate")
    site.moment = now + timedelta(minutes=1)
    server.renew(taken.license_id, site.moment)
    model.relicense(server.license_file(taken.license_id))
    model.sample(1)
