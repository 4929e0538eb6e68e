import pytest

from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.identity import (
    ExactPackage,
    PackageIdentity,
    VersionRange,
    format_version,
    parse_version,
    read_term,
)
from ternary_sdk.errors import FormatError, InputError


@pytest.mark.parametrize("text", ["0.0.0", "1.2.3", "10.0.999999999"])
def test_version_is_written_as_it_was_read(text: str) -> None:
    assert format_version(parse_version(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.0",
        "1.0.0.0",
        "01.0.0",
        "1.0.0-rc1",
        "1.-1.0",
        "1.0.0\n",
        "v1.0.0",
        "١.0.0",
        "1.0.1000000000",
    ],
)
def test_version_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(InputError) as refusal:
        parse_version(text)
    assert str(refusal.value) == f"version: {text!r}, expected MAJOR.MINOR.PATCH such as 1.0.0"


@pytest.mark.parametrize("name", ["", "Acme", "-acme", "a" * 65, "acme_1", "acmé", "acme\n"])
def test_package_name_of_another_form_is_refused(name: str) -> None:
    with pytest.raises(InputError) as refusal:
        PackageIdentity(name=name, version=(1, 0, 0), digest="0" * 64)
    assert str(refusal.value) == (
        f"package name: {name!r}, expected lowercase letters, digits, hyphens, at most 64"
    )


def test_digest_of_another_form_is_refused() -> None:
    with pytest.raises(InputError) as refusal:
        PackageIdentity(name="acme", version=(1, 0, 0), digest="AB" * 32)
    assert str(refusal.value) == f"package digest: {'AB' * 32!r}, expected 64 lowercase hex digits"


def test_identity_prints_what_people_compare() -> None:
    assert str(PackageIdentity(name="acme", version=(1, 2, 0), digest="ab" * 32)) == (
        "acme 1.2.0 (sha256 abababababab…)"
    )


def test_digest_term_covers_that_package_alone() -> None:
    term = ExactPackage(digest="ab" * 32)
    assert term.covers(PackageIdentity(name="any", version=(9, 9, 9), digest="ab" * 32))
    assert not term.covers(PackageIdentity(name="any", version=(9, 9, 9), digest="ac" * 32))


@pytest.mark.parametrize(
    ("name", "version", "covered"),
    [
        ("acme", (1, 0, 0), True),
        ("acme", (1, 10, 3), True),
        ("acme", (0, 9, 9), False),
        ("acme", (2, 0, 0), False),
        ("acme-pro", (1, 0, 0), False),
    ],
)
def test_range_covers_its_start_and_not_its_end(
    name: str, version: tuple[int, int, int], covered: bool
) -> None:
    term = VersionRange(name="acme", start=(1, 0, 0), below=(2, 0, 0))
    assert term.covers(PackageIdentity(name=name, version=version, digest="0" * 64)) is covered


def test_empty_range_is_refused() -> None:
    with pytest.raises(InputError) as refusal:
        VersionRange(name="acme", start=(1, 0, 0), below=(1, 0, 0))
    assert str(refusal.value) == "package acme: versions from 1.0.0 below 1.0.0 are none at all"


@pytest.mark.parametrize(
    "term",
    [ExactPackage(digest="ab" * 32), VersionRange(name="acme", start=(1, 0, 0), below=(1, 0, 1))],
    ids=["digest", "range"],
)
def test_term_is_read_back_from_its_claim(term: ExactPackage | VersionRange) -> None:
    assert read_term(Fields(dict(term.to_claim()), "packages[0]")) == term


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        ({}, "packages[0]: member 'name' is missing"),
        ({"digest": "ab"}, "packages[0].digest: 'ab', expected text of the form [0-9a-f]{64}"),
        ({"digest": "ab" * 32, "name": "acme"}, "packages[0]: unknown member 'name'"),
        ({"name": "acme", "from": "1.0.0"}, "packages[0]: member 'below' is missing"),
        (
            {"name": "acme", "from": "2.0.0", "below": "1.0.0"},
            "packages[0]: versions from 2.0.0 below 1.0.0 are none at all",
        ),
    ],
)
def test_term_of_another_shape_is_refused(claim: dict[str, object], message: str) -> None:
    with pytest.raises(FormatError) as refusal:
        read_term(Fields(claim, "packages[0]"))  # type: ignore[arg-type]
    assert str(refusal.value) == message
