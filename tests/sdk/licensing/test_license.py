from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from ternary_license_server.keys import keyset
from ternary_license_server.keys.issue import issue
from ternary_license_server.keys.keyring import KeyRing
from ternary_license_server.keys.signing import SigningKey
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.identity import ExactPackage, PackageIdentity, VersionRange
from ternary_sdk._internal.licensing import installation
from ternary_sdk._internal.licensing.claims import ContentKey
from ternary_sdk._internal.licensing.license import TYP, Action, License
from ternary_sdk._internal.trust.trust import Role, Trust
from ternary_sdk.errors import InputError, LicenseError, Reason, SignatureError

Sign = Callable[[Json], bytes]
Claims = dict[str, Json]


KEY = "A" * 43 + "="
BOUND = "B" * 43
START = int(datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp())
END = START + 7200
LEASE: Claims = {"cnf": {"jkt": BOUND}, "exp": END}


def this_machine() -> str:
    return "m-1"


def refused(call: Callable[[], object]) -> tuple[Reason, str]:
    with pytest.raises(LicenseError) as refusal:
        call()
    return refusal.value.code, str(refusal.value)


def test_every_claim_is_read_into_its_type(ring: KeyRing, now: datetime, package: PackageIdentity) -> None:
    terms = (ExactPackage(digest=package.digest), VersionRange(name="acme", start=(1, 0, 0), below=(2, 0, 0)))
    token = issue(
        ring,
        package=terms,
        customer="Initech",
        now=now,
        expires=now + timedelta(days=365),
        not_before=now + timedelta(days=1),
        entitlements=["sample", "encode"],
        unique_operations=5000,
        machines=["m-1", "x-2"],
        lease="S-1",
        seats=2,
        content_keys={package.digest: bytes(32)},
        license_id="L-17",
    )
    assert License.read(token, ring.trust) == License(
        id="L-17",
        vendor="Acme Logic",
        customer="Initech",
        kid=ring.signer(Role.LICENSE).kid,
        issued=now,
        not_before=now + timedelta(days=1),
        expires=now + timedelta(days=365),
        grace_from=None,
        packages=terms,
        entitlements=frozenset({"sample", "encode"}),
        machines=("m-1", "x-2"),
        bound_to=None,
        lease="S-1",
        seats=2,
        content_keys=(ContentKey(digest=package.digest, clear=bytes(32), sealed=None),),
        unique_operations=5000,
    )


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_one_line_break_at_the_end_is_allowed(ring: KeyRing, sign: Sign, claims: Claims, end: bytes) -> None:
    assert License.read(sign(claims) + end, ring.trust).id == "L-17"


def test_unknown_claim_is_carried_and_ignored(ring: KeyRing, sign: Sign, claims: Claims) -> None:
    assert License.read(sign(claims | {"order": "2026-114"}), ring.trust).id == "L-17"


def test_critical_claim_that_is_understood_is_fine(ring: KeyRing, sign: Sign, claims: Claims) -> None:
    later = {"exp": int(datetime(2030, 1, 1, tzinfo=UTC).timestamp()), "critical": ["exp"]}
    assert License.read(sign(claims | later), ring.trust).expires == datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"jti": "a b"}, "license.jti: 'a b', expected text of the form [A-Za-z0-9][A-Za-z0-9._-]{0,63}"),
        ({"sub": 7}, "license.sub: 7, expected a string"),
        ({"iat": "1"}, "license.iat: '1', expected an integer from 0 to 253402300799"),
        ({"iat": True}, "license.iat: true, expected an integer from 0 to 253402300799"),
        ({"nbf": -1}, "license.nbf: -1, expected an integer from 0 to 253402300799"),
        ({"exp": 2**40}, "license.exp: 1099511627776, expected an integer from 0 to 253402300799"),
        ({"exp": 1}, "license.exp: not after the license's start"),
        ({"packages": []}, "license.packages: 0 entries, expected 1 to 256"),
        ({"packages": "acme"}, "license.packages: 'acme', expected a list"),
        ({"packages": [7]}, "license.packages[0]: 7, expected an object"),
        ({"packages": [{}]}, "license.packages[0]: member 'name' is missing"),
        ({"entitlements": []}, "license.entitlements: 0 entries, expected 1 to 3"),
        ({"entitlements": ["train"]}, "license.entitlements: 'train', expected encode, decode or sample"),
        ({"entitlements": ["sample", "sample"]}, "license.entitlements: an entry is repeated"),
        ({"machines": []}, "license.machines: 0 entries, expected 1 to 1024"),
        ({"machines": None}, "license.machines: null, expected a list"),
        ({"machines": [""]}, "license.machines: '', expected text of the form [a-z0-9][a-z0-9-]{0,79}"),
        (
            {"unique_operations": 0},
            "license.unique_operations: 0, expected an integer from 1 to 9007199254740991",
        ),
        (
            {"unique_operations": -1},
            "license.unique_operations: -1, expected an integer from 1 to 9007199254740991",
        ),
        (
            {"unique_operations": None},
            "license.unique_operations: null, expected an integer from 1 to 9007199254740991",
        ),
        ({"cnf": {}}, "license.cnf: member 'jkt' is missing"),
        ({"cnf": {"jkt": "A"}}, "license.cnf.jkt: 'A', expected text of the form [A-Za-z0-9_-]{43}"),
        ({"cnf": {"jkt": "A" * 43, "x5t": ""}}, "license.cnf: unknown member 'x5t'"),
        ({"seats": 2}, "license.seats: nothing counts them without 'machines' or 'cnf'"),
        ({"seats": 0}, "license.seats: 0, expected an integer from 1 to 1000000"),
        ({"content_keys": []}, "license.content_keys: 0 entries, expected 1 to 256"),
        (
            {"content_keys": [{"digest": "cd" * 32, "key": KEY}]},
            "license.content_keys: a digest is repeated or not among the packages",
        ),
        (
            {"content_keys": [{"digest": "ab" * 32, "key": KEY}] * 2},
            "license.content_keys: a digest is repeated or not among the packages",
        ),
        (
            {"content_keys": [{"digest": "ab" * 32, "key": "AAAA"}]},
            "license.content_keys[0].key: 3 bytes, expected 32",
        ),
        (
            {"content_keys": [{"digest": "ab" * 32, "jwe": "a.b.c.d.e"}]},
            "license.content_keys[0]: member 'key' is missing",
        ),
        (
            {"content_keys": [{"digest": "ab" * 32, "key": KEY}], "cnf": {"jkt": "A" * 43}},
            "license.content_keys[0]: member 'jwe' is missing",
        ),
        ({"grace": None}, "license.grace: null, expected an object"),
        ({"grace": {}, **LEASE}, "license.grace: member 'from' is missing"),
        ({"grace": {"from": START, "days": 9}, **LEASE}, "license.grace: unknown member 'days'"),
        ({"grace": {"from": START}}, "license.grace: only together with 'cnf' and 'exp'"),
        ({"grace": {"from": START}, "exp": END}, "license.grace: only together with 'cnf' and 'exp'"),
        (
            {"grace": {"from": START}, "cnf": {"jkt": BOUND}},
            "license.grace: only together with 'cnf' and 'exp'",
        ),
        (
            {"grace": {"from": START - 1}, **LEASE},
            "license.grace.from: not between the license's issue and its end",
        ),
        (
            {"grace": {"from": END}, **LEASE},
            "license.grace.from: not between the license's issue and its end",
        ),
        (
            {"grace": {"from": START}, **LEASE, "exp": START + 90 * 86_400 + 1},
            "license.grace.from: more than 90 days before the license's end",
        ),
        ({"critical": ["order"]}, "license.critical: 'order' is no claim that this SDK understands"),
        ({"critical": []}, "license.critical: 0 entries, expected 1 to 32"),
    ],
)
def test_claim_of_another_type_is_refused_by_path(
    ring: KeyRing, sign: Sign, claims: Claims, change: Claims, message: str
) -> None:
    token = sign(claims | change)
    assert refused(lambda: License.read(token, ring.trust)) == (Reason.MALFORMED, message)


@pytest.mark.parametrize("name", ["iss", "jti", "sub", "iat", "packages", "entitlements"])
def test_missing_claim_is_refused(ring: KeyRing, sign: Sign, claims: Claims, name: str) -> None:
    del claims[name]
    token = sign(claims)
    message = f"license: member {name!r} is missing"
    assert refused(lambda: License.read(token, ring.trust)) == (Reason.MALFORMED, message)


@pytest.mark.parametrize("data", [b"", b"\n", b"license", b"{}", b"PK\3\4" + bytes(100)])
def test_file_that_is_no_token_is_malformed(ring: KeyRing, data: bytes) -> None:
    code, message = refused(lambda: License.read(data, ring.trust))
    assert code is Reason.MALFORMED
    assert message == "license: 1 part between dots, expected the 3 of a compact JWS"


def test_license_signed_in_another_role_is_refused(ring: KeyRing, claims: Claims) -> None:
    key = ring.signer(Role.PACKAGE)
    token = key.sign_token(claims, typ=TYP)
    assert refused(lambda: License.read(token, ring.trust)) == (
        Reason.SIGNATURE_INVALID,
        f"license: key {key.kid} has role package, expected license",
    )


def test_license_by_an_unknown_key_is_refused(ring: KeyRing, claims: Claims) -> None:
    key = SigningKey.generate()
    token = key.sign_token(claims, typ=TYP)
    assert refused(lambda: License.read(token, ring.trust)) == (
        Reason.SIGNATURE_INVALID,
        f"license: key {key.kid} is not in the key set of Acme Logic (version 1); if Acme Logic "
        "has changed its "
        "keys, get its newest trust file and run 'ternary trust update FILE'",
    )


def test_license_of_another_issuer_is_refused(ring: KeyRing, sign: Sign, claims: Claims) -> None:
    token = sign(claims | {"iss": "Acme"})
    assert refused(lambda: License.read(token, ring.trust)) == (
        Reason.SIGNATURE_INVALID,
        "license L-17 says it was issued by 'Acme', the trust file is of 'Acme Logic'",
    )


def trust_with(ring: KeyRing, now: datetime, **change: Any) -> Trust:
    """The vendor's trust file, signed again with something changed."""
    root = ring.signer(Role.ROOT)
    fields = {
        "vendor": ring.vendor,
        "version": 2,
        "keys": list(ring.trust.keys.values()),
        "revoked": {},
        "expires": None,
        "now": now,
    }
    return keyset.trust_file(root.public, keyset.sign_key_set(root, **(fields | change)), None)


def test_license_issued_after_the_key_sets_end_is_refused(
    ring: KeyRing, sign: Sign, claims: Claims, now: datetime
) -> None:
    trust = trust_with(ring, now, expires=now - timedelta(days=1))
    token = sign(claims)
    assert refused(lambda: License.read(token, trust)) == (
        Reason.SIGNATURE_INVALID,
        "license L-17: issued on 2026-03-01, after the key set of Acme Logic ended on 2026-02-28; get the "
        "vendor's newer trust file and run 'ternary trust update FILE'",
    )


def test_license_by_a_revoked_key_is_refused_whatever_date_it_bears(
    ring: KeyRing, sign: Sign, claims: Claims, now: datetime
) -> None:
    kid = ring.signer(Role.LICENSE).kid
    trust = trust_with(ring, now, revoked={kid: now})
    token = sign(claims | {"iat": int(now.timestamp()) - 86_400})
    assert refused(lambda: License.read(token, trust)) == (
        Reason.KEY_REVOKED,
        f"license L-17: key {kid} was revoked by Acme Logic on 2026-03-01; nothing it signed is valid; "
        "ask Acme Logic for a new license",
    )


def test_forgery_in_the_name_of_a_revoked_key_is_a_wrong_signature(
    ring: KeyRing, sign: Sign, claims: Claims, now: datetime
) -> None:
    kid = ring.signer(Role.LICENSE).kid
    trust = trust_with(ring, now, revoked={kid: now})
    header, _, signature = sign(claims).split(b".")
    payload = sign(claims | {"sub": "Mallory"}).split(b".")[1]
    token = b".".join((header, payload, signature))
    assert refused(lambda: License.read(token, trust)) == (
        Reason.SIGNATURE_INVALID,
        f"license: signature: not made by key {kid} over these bytes",
    )


def revoking(ring: KeyRing, now: datetime, *names: str) -> Trust:
    listed = keyset.sign_revocations(
        ring.signer(Role.LICENSE), vendor=ring.vendor, version=1, licenses=names, now=now
    )
    root = ring.signer(Role.ROOT)
    key_set = keyset.sign_key_set(
        root,
        vendor=ring.vendor,
        version=2,
        keys=ring.trust.keys.values(),
        revoked={},
        expires=None,
        now=now,
    )
    return keyset.trust_file(root.public, key_set, listed)


def test_revoked_license_is_refused(ring: KeyRing, sign: Sign, claims: Claims, now: datetime) -> None:
    trust = revoking(ring, now, "L-17")
    assert License.read(sign(claims | {"jti": "L-18"}), trust).id == "L-18"
    token = sign(claims)
    assert refused(lambda: License.read(token, trust)) == (
        Reason.REVOKED,
        "license L-17 was revoked by Acme Logic; ask them for a new one",
    )


def test_revoked_lease_ends_the_license_of_one_machine(
    ring: KeyRing, sign: Sign, claims: Claims, now: datetime
) -> None:
    trust = revoking(ring, now, "S-lost")
    assert License.read(sign(claims), trust).lease is None
    assert License.read(sign(claims | {"lease": "S-other"}), trust).lease == "S-other"
    token = sign(claims | {"lease": "S-lost"})
    assert refused(lambda: License.read(token, trust)) == (
        Reason.REVOKED,
        "license L-17 was revoked by Acme Logic for this machine, which they were told is lost; "
        "activate it again",
    )


@pytest.fixture
def license(ring: KeyRing, sign: Sign, claims: Claims) -> License:
    return License.read(sign(claims), ring.trust)


@pytest.mark.parametrize("action", ["encode", "decode", "sample"])
def test_call_within_the_license_is_allowed(
    license: License, package: PackageIdentity, now: datetime, action: Action
) -> None:
    license.check(action, package=package, machine=this_machine, now=now)


def test_license_for_any_machine_never_asks_which_this_is(
    license: License, package: PackageIdentity, now: datetime
) -> None:
    license.check("sample", package=package, machine=lambda: pytest.fail("asked"), now=now)


@pytest.mark.parametrize(
    ("moment", "allowed"),
    [(timedelta(minutes=-5), True), (timedelta(minutes=-5, seconds=-1), False)],
)
def test_license_may_be_five_minutes_from_the_future(
    license: License, package: PackageIdentity, now: datetime, moment: timedelta, allowed: bool
) -> None:
    def check() -> None:
        license.check("sample", package=package, machine=this_machine, now=now + moment)

    if allowed:
        check()
        return
    assert refused(check) == (
        Reason.NOT_YET_VALID,
        "license L-17 is valid from 2026-03-01 12:00:00 UTC (now 2026-03-01 11:54:59 UTC); "
        "check this machine's clock",
    )


def test_license_before_its_start_is_refused(
    license: License, package: PackageIdentity, now: datetime
) -> None:
    later = replace(license, not_before=now + timedelta(days=1))
    assert refused(lambda: later.check("sample", package=package, machine=this_machine, now=now)) == (
        Reason.NOT_YET_VALID,
        "license L-17 is valid from 2026-03-02 12:00:00 UTC (now 2026-03-01 12:00:00 UTC); "
        "check this machine's clock",
    )


def test_license_ends_five_minutes_after_its_end(
    license: License, package: PackageIdentity, now: datetime
) -> None:
    ended = replace(license, expires=now - timedelta(minutes=4, seconds=59))
    ended.check("sample", package=package, machine=this_machine, now=now)
    ended = replace(license, expires=now - timedelta(minutes=5))
    assert refused(lambda: ended.check("sample", package=package, machine=this_machine, now=now)) == (
        Reason.EXPIRED,
        "license L-17 expired on 2026-03-01 11:55:00 UTC (now 2026-03-01 12:00:00 UTC); "
        "ask Acme Logic to renew it",
    )


@pytest.fixture
def lease(ring: KeyRing, sign: Sign, claims: Claims, now: datetime) -> License:
    """What a license server gives for an hour, with an hour of grace."""
    later = int((now + timedelta(hours=1)).timestamp())
    return License.read(sign(claims | LEASE | {"grace": {"from": later}}), ring.trust)


def test_lease_runs_on_grace_from_the_renewal_it_missed_to_its_end(
    lease: License, package: PackageIdentity, now: datetime
) -> None:
    assert lease.grace_from == now + timedelta(hours=1)
    for minutes, late in ((0, False), (59, False), (60, True), (124, True)):
        moment = now + timedelta(minutes=minutes)
        assert lease.in_grace(moment) is late
        lease.check("sample", package=package, machine=this_machine, installation=lambda: BOUND, now=moment)


def test_grace_that_is_over_has_a_reason_of_its_own(
    lease: License, package: PackageIdentity, now: datetime
) -> None:
    over = now + timedelta(hours=2, minutes=5)

    def check() -> None:
        lease.check("sample", package=package, machine=this_machine, installation=lambda: BOUND, now=over)

    assert refused(check) == (
        Reason.HEARTBEAT_DEAD,
        "license L-17 was not renewed since 2026-03-01 12:00:00 UTC, and its grace ended on "
        "2026-03-01 14:00:00 UTC (now 2026-03-01 14:05:00 UTC); run 'ternary activate' again",
    )


def test_license_that_nothing_renews_is_never_in_grace(license: License, now: datetime) -> None:
    ended = replace(license, expires=now - timedelta(days=1))
    assert not ended.in_grace(now)


def test_moment_without_a_time_zone_is_refused(
    license: License, package: PackageIdentity, now: datetime
) -> None:
    with pytest.raises(InputError) as refusal:
        license.check("sample", package=package, machine=this_machine, now=now.replace(tzinfo=None))
    assert str(refusal.value) == "now: 2026-03-01T12:00:00 has no time zone, expected UTC"


def test_license_for_another_package_is_refused(
    license: License, package: PackageIdentity, now: datetime
) -> None:
    other = replace(package, digest="cd" * 32)
    assert refused(lambda: license.check("sample", package=other, machine=this_machine, now=now)) == (
        Reason.PACKAGE_MISMATCH,
        "license L-17 is for the package with sha256 abababababab…, not for acme 1.2.0 "
        "(sha256 cdcdcdcdcdcd…); open the package it was issued for",
    )


def test_license_for_other_versions_is_refused(
    license: License, package: PackageIdentity, now: datetime
) -> None:
    ranged = replace(license, packages=(VersionRange(name="acme", start=(2, 0, 0), below=(3, 0, 0)),))
    assert refused(lambda: ranged.check("sample", package=package, machine=this_machine, now=now)) == (
        Reason.VERSION_MISMATCH,
        "license L-17 is for acme from 2.0.0 below 3.0.0, not for acme 1.2.0 (sha256 abababababab…); "
        "open the package it was issued for",
    )


def test_license_for_another_machine_is_refused(
    license: License, package: PackageIdentity, now: datetime
) -> None:
    bound = replace(license, machines=("m-2",))
    assert refused(lambda: bound.check("sample", package=package, machine=this_machine, now=now)) == (
        Reason.MACHINE_MISMATCH,
        "license L-17 is for machine m-2, this machine is m-1; send that id to Acme Logic to have it added",
    )


def test_license_for_one_of_several_machines_is_allowed(
    license: License, package: PackageIdentity, now: datetime
) -> None:
    bound = replace(license, machines=("m-2", "m-1"))
    bound.check("sample", package=package, machine=this_machine, now=now)


def test_machine_without_an_id_is_refused_only_where_one_is_needed(
    license: License, package: PackageIdentity, now: datetime
) -> None:
    def unknown() -> str:
        raise LicenseError(Reason.MACHINE_REQUIRED, "machine: this is a container")

    license.check("sample", package=package, machine=unknown, now=now)
    bound = replace(license, machines=("m-2",))
    assert refused(lambda: bound.check("sample", package=package, machine=unknown, now=now)) == (
        Reason.MACHINE_REQUIRED,
        "machine: this is a container",
    )


def test_bound_license_runs_under_its_installation_key_alone(
    license: License, package: PackageIdentity, now: datetime
) -> None:
    bound = replace(license, bound_to=BOUND)

    def check(held: str | None) -> None:
        bound.check("sample", package=package, machine=this_machine, installation=lambda: held, now=now)

    check(BOUND)
    assert refused(lambda: check("C" * 43)) == (
        Reason.MACHINE_MISMATCH,
        f"license L-17 is bound to installation key {BOUND}, this user's is {'C' * 43}; "
        "ask Acme Logic to issue it anew",
    )
    assert refused(lambda: check(None)) == (
        Reason.MACHINE_REQUIRED,
        f"license L-17 is bound to installation key {BOUND}, this user has none; "
        "ask Acme Logic to issue it anew",
    )
    with pytest.raises(LicenseError):
        bound.check("sample", package=package, machine=this_machine, now=now)


def test_missing_identity_is_named_before_a_wrong_one(
    license: License, package: PackageIdentity, now: datetime
) -> None:
    def unknown() -> str:
        raise LicenseError(Reason.MACHINE_REQUIRED, "machine: this is a container")

    bound = replace(license, bound_to=BOUND, machines=("m-2",))
    found = [
        refused(
            lambda place=place: bound.check("sample", package=package, now=now, **place)  # type: ignore[misc]
        )[0]
        for place in (
            {"machine": unknown, "installation": lambda: "C" * 43},
            {"machine": this_machine, "installation": lambda: None},
            {"machine": this_machine, "installation": lambda: "C" * 43},
            {"machine": this_machine, "installation": lambda: BOUND},
        )
    ]
    assert found == [Reason.MACHINE_REQUIRED] * 2 + [Reason.MACHINE_MISMATCH] * 2


def test_moments_are_told_in_utc(license: License, package: PackageIdentity, now: datetime) -> None:
    ended = replace(license, expires=now.astimezone(timezone(timedelta(hours=5))) - timedelta(days=1))
    local = now.astimezone(timezone(timedelta(hours=-8)))
    assert refused(lambda: ended.check("sample", package=package, machine=this_machine, now=local))[1] == (
        "license L-17 expired on 2026-02-28 12:00:00 UTC (now 2026-03-01 12:00:00 UTC); "
        "ask Acme Logic to renew it"
    )


def test_content_key_of_a_bound_license_opens_under_its_installation_alone(
    ring: KeyRing, now: datetime, package: PackageIdentity, tmp_path: Path
) -> None:
    ours, theirs = installation.draft(tmp_path), installation.draft(tmp_path)
    secrets = {package.digest: bytes(range(32))}
    token = issue(
        ring, package=package, customer="Initech", now=now, bound_to=ours.public, content_keys=secrets
    )
    (key,) = License.read(token, ring.trust).content_keys
    assert key.open(ours) == secrets[package.digest]
    with pytest.raises(SignatureError) as refusal:
        key.open(theirs)
    assert str(refusal.value) == (
        f"content key of package abababababab…: encrypted to key {ours.kid}, "
        f"this installation's is {theirs.kid}"
    )


def test_content_key_of_a_bearer_license_is_in_the_clear(
    ring: KeyRing, now: datetime, package: PackageIdentity, tmp_path: Path
) -> None:
    secrets = {package.digest: bytes(range(32))}
    token = issue(ring, package=package, customer="Initech", now=now, content_keys=secrets)
    license = License.read(token, ring.trust)
    assert license.content_keys[0].open(installation.draft(tmp_path)) == secrets[package.digest]
    assert "\\x1f" not in repr(license)


def test_action_without_entitlement_is_refused(
    license: License, package: PackageIdentity, now: datetime
) -> None:
    limited = replace(license, entitlements=frozenset({"encode", "decode"}))
    limited.check("decode", package=package, machine=this_machine, now=now)
    assert refused(lambda: limited.check("sample", package=package, machine=this_machine, now=now)) == (
        Reason.ENTITLEMENT_MISSING,
        "license L-17 allows decode, encode, not sample; ask Acme Logic to add it",
    )


def test_first_reason_by_precedence_wins(license: License, package: PackageIdentity, now: datetime) -> None:
    """A license that is wrong in every way is mended one fault at a time."""
    wrong = replace(
        license,
        not_before=now + timedelta(days=1),
        expires=now - timedelta(days=1),
        packages=(ExactPackage(digest="cd" * 32),),
        machines=("m-2",),
        entitlements=frozenset({"encode"}),
    )
    mends: list[dict[str, object]] = [
        {"not_before": None},
        {"expires": None},
        {"packages": (VersionRange(name="acme", start=(2, 0, 0), below=(3, 0, 0)),)},
        {"packages": license.packages},
        {"machines": None},
    ]
    found = []
    for mend in mends:
        current = wrong
        found.append(
            refused(lambda: current.check("sample", package=package, machine=this_machine, now=now))[0]  # noqa: B023
        )
        wrong = replace(wrong, **mend)  # type: ignore[arg-type]
    found.append(refused(lambda: wrong.check("sample", package=package, machine=this_machine, now=now))[0])
    order = list(Reason)
    assert found == sorted(found, key=order.index)
    assert found == [
        Reason.NOT_YET_VALID,
        Reason.EXPIRED,
        Reason.PACKAGE_MISMATCH,
        Reason.VERSION_MISMATCH,
        Reason.MACHINE_MISMATCH,
        Reason.ENTITLEMENT_MISSING,
    ]


def test_stock_library_reads_our_licenses_and_we_read_its(
    ring: KeyRing, now: datetime, package: PackageIdentity, claims: Claims
) -> None:
    key = ring.signer(Role.LICENSE)
    ours = issue(ring, package=package, customer="Initech", now=now, license_id="L-17")
    read = jwt.decode(ours.decode(), ECKey.import_key(key.public.jwk), algorithms=["ES256"])
    assert read.header == {"alg": "ES256", "kid": key.kid, "typ": TYP}
    assert read.claims == claims
    header = {"alg": "ES256", "kid": key.kid, "typ": TYP}
    theirs = jwt.encode(header, claims, ECKey.import_key(key.to_pem()), algorithms=["ES256"])
    assert License.read(theirs.encode(), ring.trust) == License.read(ours, ring.trust)
