"""What an open model proves to whoever has no license."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from ternary_export.build import Build
from ternary_license_server.keys.keyring import KeyRing
from ternary_sdk import InputError, Model, ProofError
from ternary_sdk._internal.packages.package import Package
from ternary_sdk.proved import ProvedModel


@pytest.fixture
def proved(shipped: bytes, vendor: KeyRing) -> Iterator[ProvedModel]:
    with ProvedModel(Package.read(shipped, vendor.trust)) as model:
        yield model


def test_every_path_replays_as_certified(proved: ProvedModel) -> None:
    assert [proved.replay(path=path) for path in "AB"] == list(proved.certificate.paths)


def test_the_default_path_is_replayed_unless_one_is_named(proved: ProvedModel) -> None:
    assert proved.replay().path == proved.default_path


def test_a_figure_that_this_machine_does_not_find_is_named(
    build: Build, vendor: KeyRing, forge: Callable[[Build], bytes]
) -> None:
    """Signed again: opening proves what is reached, replaying what is drawn."""
    claim = build.certificate.paths[0]
    first, *others = claim.prior
    boasting = replace(claim, prior=(replace(first, operations=first.operations + 1), *others))
    certificate = replace(build.certificate, paths=(boasting, *build.certificate.paths[1:]))
    forged = replace(build, certificate=certificate)
    with Model.open(forge(forged), trust=vendor.trust.data) as model, pytest.raises(ProofError) as refusal:
        model.replay(path="A")
    assert str(refusal.value) == (
        f"path A: 10,000 draws give {first.operations:,} operations here (set {first.digest[:12]}…), "
        f"the certificate says {first.operations + 1:,} (set {first.digest[:12]}…)"
    )


def test_a_closed_model_replays_nothing(proved: ProvedModel) -> None:
    proved.close()
    with pytest.raises(InputError) as refusal:
        proved.replay()
    assert str(refusal.value) == "model: it was closed, open it again"


def test_a_path_that_is_none_is_refused(proved: ProvedModel) -> None:
    with pytest.raises(InputError) as refusal:
        proved.replay(path="C")
    assert str(refusal.value) == "path: 'C', expected A or B"
