"""Exporting what our own trainer made, the early snapshot included that v5.5's loss would ship."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ternary_export.build import Build
from ternary_export.export import export
from ternary_export.packaging import package
from ternary_license_server.keys.keyring import KeyRing
from ternary_sdk._internal.trust.trust import Role
from ternary_sdk.errors import InputError
from ternary_sdk.model import Model
from ternary_trainer import run

RELEASED = datetime(2026, 2, 3, tzinfo=UTC)


def test_a_build_says_which_snapshot_it_is_and_why(release: Path) -> None:
    build = Build.read(release / "build")
    kept = run.open(release / "run").best()
    snapshot = (release / "run" / "snapshots" / "coverage.pt").read_bytes()
    origin = build.provenance.origin
    assert (origin.kind, origin.recipe, origin.epoch) == ("run", "quick", kept.epoch)
    assert origin.reason == kept.reason
    assert origin.file == hashlib.sha256(snapshot).hexdigest()


def test_an_early_snapshot_is_certified_as_plainly(release: Path, vendor: KeyRing) -> None:
    early = export(run.open(release / "run"), released=RELEASED, rule="loss")
    reached = [len(path.reachable.operations) for path in early.certificate.paths]
    assert all(0 < count <= 19_683 for count in reached)
    data = package(early, name="early", version=(0, 1, 0), signer=vendor.signer(Role.PACKAGE))
    with Model.open(data, trust=vendor.trust.data) as model:
        assert [len(model.reachable(path=path)) for path in "AB"] == reached
        assert [model.replay(path=path) for path in "AB"] == list(early.certificate.paths)


def test_a_rule_that_is_none_is_refused(release: Path) -> None:
    with pytest.raises(InputError) as refusal:
        export(run.open(release / "run"), released=RELEASED, rule="best")
    assert str(refusal.value) == "rule is 'best', expected one of coverage, elbo, loss"
