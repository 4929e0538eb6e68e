import base64
import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from ternary_license_server.keys import keyring, rotation
from ternary_license_server.keys.issue import issue
from ternary_license_server.keys.keyring import KeyRing, file_name
from ternary_license_server.keys.signing import SigningKey
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.identity import PackageIdentity
from ternary_sdk._internal.licensing.license import License
from ternary_sdk._internal.licensing.renewal import replacement
from ternary_sdk._internal.packages import archive, oms
from ternary_sdk._internal.packages.package import Package
from ternary_sdk._internal.signing import dsse
from ternary_sdk._internal.signing.dsse import Envelope
from ternary_sdk._internal.trust.trust import Role, Trust
from ternary_sdk.errors import InputError, LicenseError, Reason, SignatureError

PACKAGE = PackageIdentity(name="acme", version=(1, 0, 0), digest="ab" * 32)
DAY = timedelta(days=1)


def refusal_of(call: Callable[[], object]) -> str:
    with pytest.raises(InputError) as refusal:
        call()
    return str(refusal.value)


@pytest.mark.parametrize("role", [Role.PACKAGE, Role.LICENSE, Role.ANSWER])
def test_rotated_key_signs_and_the_old_one_still_verifies(ring: KeyRing, now: datetime, role: Role) -> None:
    old = ring.signer(role)
    rotated = rotation.rotate(ring, role, now + DAY)
    assert rotated.signer(role).kid != old.kid
    assert rotated.trust.version == 2
    for key in (old, rotated.signer(role)):
        assert rotated.trust.key(key.kid, role, now).kid == key.kid
    assert keyring.load(ring.directory) == rotated
    assert not any(old.to_pem() in path.read_bytes() for path in ring.directory.iterdir())


def test_root_cannot_be_rotated(ring: KeyRing, now: datetime) -> None:
    assert refusal_of(lambda: rotation.rotate(ring, Role.ROOT, now)) == (
        "role root: clients pin this key; to replace it, make new keys with 'ternary keys init' and have "
        "every client pin the new trust file"
    )


def test_rotation_without_the_root_is_refused_and_changes_nothing(ring: KeyRing, now: datetime) -> None:
    (ring.directory / "root.pem").unlink()
    offline = keyring.load(ring.directory)
    assert refusal_of(lambda: rotation.rotate(offline, Role.LICENSE, now)) == (
        f"{ring.directory}/root.pem: no such file; signing needs this key; if it is lost, make new keys with "
        "'ternary keys init'"
    )
    assert keyring.load(ring.directory) == offline


def lose(path: Path) -> None:
    path.unlink()


def damage(path: Path) -> None:
    path.write_bytes(b"-----BEGIN PRIVATE KEY-----\ncut")


def open_to_all(path: Path) -> None:
    path.chmod(0o644)


def confuse(path: Path) -> None:
    path.write_bytes(SigningKey.generate().to_pem())


def point_nowhere(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere.pem")


@pytest.mark.parametrize("harm", [lose, damage, open_to_all, confuse, point_nowhere])
@pytest.mark.parametrize("role", [Role.PACKAGE, Role.LICENSE, Role.ANSWER])
def test_root_alone_replaces_a_key_and_revokes_it(
    ring: KeyRing, now: datetime, role: Role, harm: Callable[[Path], None]
) -> None:
    kid = ring.signer(role).kid
    listed = rotation.revoke_license(ring, "L-1", now)
    for one in (Role.PACKAGE, Role.LICENSE, Role.ANSWER):
        if one is not Role.LICENSE or role is Role.LICENSE:
            harm(listed.directory / file_name(one))
    left = keyring.load(ring.directory)
    rotated = rotation.rotate(left, role, now + DAY)
    assert keyring.load(ring.directory).signer(role) == rotated.signer(role)
    revoked = rotation.revoke_key(keyring.load(ring.directory), kid, now + DAY)
    assert revoked.trust.revoked_keys == {kid: now + DAY}
    assert revoked.trust.revoked_licenses == {"L-1"}
    assert (
        replacement(ring.trust, Trust.read((ring.directory / "vendor.trust").read_bytes())) == revoked.trust
    )


def test_newest_key_cannot_be_revoked_where_its_private_part_is_gone(ring: KeyRing, now: datetime) -> None:
    kid = ring.signer(Role.LICENSE).kid
    (ring.directory / "license.pem").unlink()
    left = keyring.load(ring.directory)
    assert refusal_of(lambda: rotation.revoke_key(left, kid, now)) == (
        f"key {kid}: it signs for role license now; run 'ternary keys rotate license' first"
    )


def test_root_cannot_be_revoked(ring: KeyRing, now: datetime) -> None:
    kid = ring.trust.root.kid
    assert refusal_of(lambda: rotation.revoke_key(ring, kid, now)) == (
        f"key {kid}: this is the root, which no key set can revoke; make new keys with 'ternary keys init' "
        "and have every client pin the new trust file"
    )


def test_list_of_another_key_is_kept_where_the_license_key_is_elsewhere(ring: KeyRing, now: datetime) -> None:
    first = ring.signer(Role.LICENSE).kid
    second = rotation.rotate(ring, Role.LICENSE, now)
    listed = rotation.revoke_license(second, "L-1", now)
    (ring.directory / "license.pem").unlink()
    revoked = rotation.revoke_key(keyring.load(ring.directory), first, now)
    assert revoked.trust.revocations == listed.trust.revocations


def test_list_of_the_revoked_key_needs_the_new_one_and_nothing_is_half_done(
    ring: KeyRing, now: datetime
) -> None:
    kid = ring.signer(Role.LICENSE).kid
    rotation.rotate(rotation.revoke_license(ring, "L-1", now), Role.LICENSE, now)
    (ring.directory / "license.pem").unlink()
    left = keyring.load(ring.directory)
    assert refusal_of(lambda: rotation.revoke_key(left, kid, now)) == (
        f"{ring.directory}/license.pem: no such file; signing needs this key; if it is lost, "
        "run 'ternary keys "
        "rotate license'"
    )
    assert keyring.load(ring.directory) == left
    rotation.revoke_key(rotation.rotate(left, Role.LICENSE, now), kid, now)


def test_rotation_that_cannot_write_the_key_changes_nothing(ring: KeyRing, now: datetime) -> None:
    path, before = ring.directory / "license.pem", (ring.directory / "vendor.trust").read_bytes()
    path.unlink()
    path.mkdir()
    left = keyring.load(ring.directory)
    assert refusal_of(lambda: rotation.rotate(left, Role.LICENSE, now)) == (
        f"{path}: cannot be written (Is a directory)"
    )
    assert (ring.directory / "vendor.trust").read_bytes() == before
    names = ["answer.pem", "license.pem", "package.pem", "root.pem", "vendor.trust"]
    assert sorted(entry.name for entry in ring.directory.iterdir()) == names


def test_rotation_under_a_clock_that_went_back_is_refused(ring: KeyRing, now: datetime) -> None:
    assert refusal_of(lambda: rotation.rotate(ring, Role.LICENSE, now - DAY)) == (
        "the clock says 2026-02-28 12:00:00 UTC, before the current key set was signed "
        "(2026-03-01 12:00:00 UTC); set the clock right"
    )


def test_key_in_use_is_rotated_before_it_is_revoked(ring: KeyRing, now: datetime) -> None:
    kid = ring.signer(Role.LICENSE).kid
    assert refusal_of(lambda: rotation.revoke_key(ring, kid, now)) == (
        f"key {kid}: it signs for role license now; run 'ternary keys rotate license' first"
    )
    rotated = rotation.rotate(ring, Role.LICENSE, now)
    revoked = rotation.revoke_key(rotated, kid, now + DAY)
    assert revoked.trust.revoked_keys == {kid: now + DAY}
    assert keyring.load(ring.directory) == revoked
    assert refusal_of(lambda: rotation.revoke_key(revoked, kid, now)) == (
        f"key {kid}: revoked already, on 2026-03-02"
    )


def test_unknown_key_cannot_be_revoked(ring: KeyRing, now: datetime) -> None:
    assert refusal_of(lambda: rotation.revoke_key(ring, "A" * 43, now)) == (
        f"key {'A' * 43}: not in the key set of Acme (version 1)"
    )


def test_revoked_licenses_add_up(ring: KeyRing, now: datetime) -> None:
    once = rotation.revoke_license(ring, "L-1", now)
    twice = rotation.revoke_license(once, "L-2", now)
    assert twice.trust.revoked_licenses == {"L-1", "L-2"}
    assert twice.trust.revocations is not None
    assert (twice.trust.version, twice.trust.revocations.version) == (1, 2)
    assert keyring.load(ring.directory) == twice
    assert refusal_of(lambda: rotation.revoke_license(twice, "L-1", now)) == "license L-1: revoked already"
    assert refusal_of(lambda: rotation.revoke_license(twice, "L 1", now)) == (
        "license id: 'L 1', expected text of the form [A-Za-z0-9][A-Za-z0-9._-]{0,63}"
    )


def test_revocation_list_outlives_the_key_that_signed_it(ring: KeyRing, now: datetime) -> None:
    kid = ring.signer(Role.LICENSE).kid
    listed = rotation.revoke_license(ring, "L-1", now)
    rotated = rotation.rotate(listed, Role.LICENSE, now)
    assert rotated.trust.revoked_licenses == {"L-1"}
    revoked = rotation.revoke_key(rotated, kid, now)
    assert revoked.trust.revoked_licenses == {"L-1"}
    assert revoked.trust.revocations is not None
    assert revoked.trust.revocations.version == 2


def test_ended_key_set_revokes_nothing_until_it_is_extended(ring: KeyRing, now: datetime) -> None:
    ended = rotation.extend(ring, now + DAY, now)
    assert refusal_of(lambda: rotation.revoke_license(ended, "L-1", now + 2 * DAY)) == (
        "the key set of Acme ended on 2026-03-02 and vouches for nothing signed since; "
        "run 'ternary keys extend' first"
    )
    extended = rotation.extend(ended, None, now + 2 * DAY)
    assert rotation.revoke_license(extended, "L-1", now + 2 * DAY).trust.revoked_licenses == {"L-1"}


# What a client with the old or the new trust file says to what was signed before and after each event.
YES = "accepted"
UNKNOWN, ENDED, REVOKED = "is not in the key set", "after the key set", "was revoked by Acme"
MATRIX = {
    "license key revoked": {
        "old client": {"old license": YES, "new license": UNKNOWN, "old package": YES, "new package": YES},
        "new client": {"old license": REVOKED, "new license": YES, "old package": YES, "new package": YES},
    },
    "package key revoked": {
        "old client": {"old license": YES, "new license": YES, "old package": YES, "new package": UNKNOWN},
        "new client": {"old license": YES, "new license": YES, "old package": REVOKED, "new package": YES},
    },
    "license revoked": {
        "old client": {"old license": YES, "new license": YES, "old package": YES, "new package": YES},
        "new client": {"old license": REVOKED, "new license": YES, "old package": YES, "new package": YES},
    },
    "key set ended": {
        "old client": {"old license": YES, "new license": ENDED, "old package": YES, "new package": ENDED},
        "new client": {"old license": YES, "new license": YES, "old package": YES, "new package": YES},
    },
    "license key revoked after the key set ended": {
        "old client": {"old license": YES, "new license": UNKNOWN, "old package": YES, "new package": ENDED},
        "new client": {"old license": REVOKED, "new license": YES, "old package": YES, "new package": YES},
    },
    "package key revoked after the key set ended": {
        "old client": {"old license": YES, "new license": ENDED, "old package": YES, "new package": UNKNOWN},
        "new client": {"old license": YES, "new license": YES, "old package": REVOKED, "new package": YES},
    },
    "license revoked after the key set ended": {
        "old client": {"old license": YES, "new license": ENDED, "old package": YES, "new package": ENDED},
        "new client": {"old license": REVOKED, "new license": YES, "old package": YES, "new package": YES},
    },
    "license key revoked before the key set ended": {
        "old client": {"old license": YES, "new license": UNKNOWN, "old package": YES, "new package": ENDED},
        "new client": {"old license": REVOKED, "new license": ENDED}
        | {"old package": YES, "new package": ENDED},
    },
    "package key revoked before the key set ended": {
        "old client": {"old license": YES, "new license": ENDED, "old package": YES, "new package": UNKNOWN},
        "new client": {"old license": YES, "new license": ENDED}
        | {"old package": REVOKED, "new package": ENDED},
    },
    "license revoked before the key set ended": {
        "old client": {"old license": YES, "new license": ENDED, "old package": YES, "new package": ENDED},
        "new client": {"old license": REVOKED, "new license": ENDED}
        | {"old package": YES, "new package": ENDED},
    },
}


def code_of(event: str, expected: str) -> Reason:
    if expected != REVOKED:
        return Reason.SIGNATURE_INVALID
    return Reason.KEY_REVOKED if "key revoked" in event else Reason.REVOKED


def change(ring: KeyRing, event: str, now: datetime) -> KeyRing:
    if event.endswith("key set ended") and "before" not in event:
        ring = rotation.extend(ring, None, now)
    if "key revoked" in event:
        role = Role(event.split()[0])
        kid = ring.signer(role).kid
        return rotation.revoke_key(rotation.rotate(ring, role, now), kid, now)
    if event.startswith("license revoked"):
        return rotation.revoke_license(ring, "old-license", now)
    return ring


def verdict(trust: Trust, ring: KeyRing, document: str, now: datetime) -> tuple[str, Reason | None]:
    age, kind = document.split()
    try:
        if kind == "license":
            token = issue_as(ring, f"{age}-license", now)
            assert License.read(token, trust).id == f"{age}-license"
        else:
            data = package_as(ring, now)
            assert Package.read(data, trust).signed_by == ring.signer(Role.PACKAGE).kid
    except (LicenseError, SignatureError) as refusal:
        return str(refusal), getattr(refusal, "code", None)
    return YES, None


def issue_as(ring: KeyRing, license_id: str, now: datetime) -> bytes:
    """As the vendor at that time issued it, when it was not yet revoked."""
    return issue(ring, package=PACKAGE, customer="Initech", now=now, license_id=license_id)


def package_as(ring: KeyRing, released: datetime) -> bytes:
    """The SDK's evaluation package as this vendor would have signed it then."""
    shipped = files("ternary_sdk").joinpath("evaluation", "evaluation.ternary").read_bytes()
    members, key = archive.decode(shipped), ring.signer(Role.PACKAGE)
    statement = json.loads(base64.b64decode(json.loads(members["coverage.json"])["payload"]))
    statement["predicate"]["released"] = int(released.timestamp())
    members["coverage.json"] = sealed(canonical.encode(statement), key).to_bytes()
    manifest = json.loads(members["manifest.json"])
    manifest["released"] = int(released.timestamp())
    for entry in manifest["members"]:
        data = members[entry["name"]]
        entry.update(sha256=hashlib.sha256(data).hexdigest(), size=len(data))
    members["manifest.json"] = canonical.encode(manifest)
    digests = {
        name: hashlib.sha256(data).hexdigest() for name, data in members.items() if name != "model.sig"
    }
    contents = oms.statement(f"{manifest['name']}-{manifest['version']}", digests)
    members["model.sig"] = oms.write(sealed(contents, key), key.public)
    return archive.encode(list(members.items()))


def sealed(payload: bytes, key: SigningKey) -> Envelope:
    signature = dsse.one_form(key.sign(dsse.pae(payload)), "test")
    return Envelope(payload=payload, keyid=key.kid, signature=signature)


@pytest.mark.parametrize("document", ["old license", "new license", "old package", "new package"])
@pytest.mark.parametrize("client", ["old client", "new client"])
@pytest.mark.parametrize("event", MATRIX)
def test_old_and_new_clients_meet_old_and_new_documents(
    ring: KeyRing, now: datetime, event: str, client: str, document: str
) -> None:
    before = rotation.extend(ring, now + DAY, now) if event.endswith("key set ended") else ring
    after = change(before, event, now + (DAY / 2 if "before" in event else 2 * DAY))
    trust = before.trust if client == "old client" else replacement(before.trust, after.trust)
    issuer = rotation.extend(after, None, now + 2 * DAY)
    source, moment = (before, now) if document.startswith("old") else (issuer, now + 3 * DAY)
    found, code = verdict(trust, source, document, moment)
    expected = MATRIX[event][client][document]
    assert ("'ternary trust update FILE'" in found) == (expected in (UNKNOWN, ENDED))
    assert expected in found
    if document.endswith("license") and expected != YES:
        assert code is code_of(event, expected)
