import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ternary_sdk._internal.licensing.machine import identify
from ternary_sdk.errors import InputError, LicenseError, Reason

ROOT = "0fkiBptT0QpnHvRpOEpAg2QHszYa79GTPksE9sk-Gyo"
MACHINE_ID = "3d1219c7c4c5404aaa1f6d2a48adfda4"

linux = pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="reads Linux's files")


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """A file system with a machine id."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/machine-id").write_text(f"{MACHINE_ID}\n")
    return tmp_path


@linux
def test_id_is_this_and_stays_this(system: Path) -> None:
    machine = identify(ROOT, root=system)
    assert machine.id == "m-0ea26f131a3c28941c65df464e18a58b"
    assert machine.source == str(system / "etc/machine-id")
    assert machine.may_change == "the system is installed anew or its image cloned and reset"


@linux
def test_two_vendors_see_different_ids(system: Path) -> None:
    assert identify(ROOT, root=system).id != identify("another root", root=system).id


@linux
def test_file_of_dbus_is_the_second_choice_and_gives_the_same_id(system: Path) -> None:
    before = identify(ROOT, root=system).id
    (system / "var/lib/dbus").mkdir(parents=True)
    (system / "etc/machine-id").rename(system / "var/lib/dbus/machine-id")
    assert identify(ROOT, root=system).id == before


@linux
@pytest.mark.parametrize(
    "text", ["", "uninitialized\n", "0" * 32, MACHINE_ID[:-1], MACHINE_ID.upper(), "\xe9"]
)
def test_file_without_an_id_is_refused_and_nothing_is_made_up(system: Path, text: str) -> None:
    (system / "etc/machine-id").write_text(text)
    with pytest.raises(LicenseError) as refusal:
        identify(ROOT, root=system)
    assert refusal.value.code is Reason.MACHINE_REQUIRED
    assert str(refusal.value) == (
        f"machine: {system}/etc/machine-id holds no machine id; give this machine an explicit id and have "
        "the vendor license that id"
    )


@linux
@pytest.mark.parametrize("mark", [".dockerenv", "run/.containerenv", "run/secrets/kubernetes.io"])
def test_container_is_refused_though_its_image_holds_an_id(system: Path, mark: str) -> None:
    (system / mark).parent.mkdir(parents=True, exist_ok=True)
    (system / mark).touch()
    with pytest.raises(LicenseError) as refusal:
        identify(ROOT, root=system)
    assert refusal.value.code is Reason.MACHINE_REQUIRED
    assert str(refusal.value) == (
        f"machine: this is a container ({system}/{mark} exists), which has no identity of its own; give "
        "this machine an explicit id and have the vendor license that id"
    )


@linux
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_secrets_closed_to_this_user_are_no_mark_of_a_container(
    place: Path, as_user: Callable[[Callable[[], str]], str]
) -> None:
    (place / "etc").mkdir()
    (place / "etc/machine-id").write_text(f"{MACHINE_ID}\n")
    (place / "run/secrets").mkdir(parents=True, mode=0)
    assert as_user(lambda: identify(ROOT, root=place).id) == "m-0ea26f131a3c28941c65df464e18a58b"


def test_explicit_id_needs_no_source_and_never_equals_a_machines(tmp_path: Path) -> None:
    machine = identify(ROOT, explicit=MACHINE_ID, root=tmp_path)
    assert machine.id == "x-fd68408f284144facb6fb8b16572e28e"
    assert machine.source == "the id given by the embedding program"
    assert machine.may_change == "another id is given"


@pytest.mark.parametrize("text", ["", "  ", "a\nb", "x" * 201, "build\u200b7", "build-7\u2066"])
def test_explicit_id_must_be_a_line_of_text(text: str) -> None:
    with pytest.raises(InputError) as refusal:
        identify(ROOT, explicit=text)
    assert str(refusal.value) == f"machine id: {text[:60]!r}, expected 1 to 200 printable characters"


@pytest.mark.parametrize(
    ("system", "found"),
    [
        ("darwin", "/usr/sbin/ioreg does not answer"),
        (
            "win32",
            r"the registry holds no HKLM\SOFTWARE\Microsoft\Cryptography\MachineGuid of this machine's own",
        ),
    ],
)
@linux
def test_source_that_cannot_be_read_is_named(
    monkeypatch: pytest.MonkeyPatch, system: str, found: str
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    with pytest.raises(LicenseError) as refusal:
        identify(ROOT)
    assert refusal.value.code is Reason.MACHINE_REQUIRED
    assert str(refusal.value) == (
        f"machine: {found}; give this machine an explicit id and have the vendor license that id"
    )
