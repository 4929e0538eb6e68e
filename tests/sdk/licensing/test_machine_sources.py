"""Answers in the forms that ioreg and the registry give them, with a made-up machine's id."""

import pytest

from ternary_sdk._internal.licensing.machine_sources import (
    linux_machine_id,
    macos_platform_uuid,
    windows_machine_guid,
)

UUID = "6F1B2C3D-4E5F-5A6B-8C7D-9E0F1A2B3C4D"
IOREG = """\
+-o J314sAP  <class IOPlatformExpertDevice, id 0x100000228, registered, matched, active, retain 39>
    {
      "manufacturer" = <"Apple Inc.">
      "compatible" = <"J314sAP","MacBookPro18,3","AppleARM">
      "IOPlatformSerialNumber" = "C02XXXXXXXXX"
      "IOPolledInterface" = "AppleARMWatchdogTimerHibernateHandler is not serializable"
      "IOPlatformUUID" = "6F1B2C3D-4E5F-5A6B-8C7D-9E0F1A2B3C4D"
      "serial-number" = <432f3032580000000000000000584c4c4c4c000000000000>
      "clock-frequency" = <00366e01>
      "product-name" = <"MacBook Pro (14-inch, 2021)">
    }

"""
IOREG_INTEL = """\
+-o MacBookPro15,1  <class IOPlatformExpertDevice, id 0x100000110, registered, matched, active, retain 31>
  | {
  |   "IOInterruptSpecifiers" = (<0900000005000000>)
  |   "IOPlatformUUID" = "6F1B2C3D-4E5F-5A6B-8C7D-9E0F1A2B3C4D"
  |   "board-id" = <"Mac-937A206F2EE63C01">
  | }
  |
"""
DEFAULTS = [
    "00000000-0000-0000-0000-000000000000",
    "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
    "FEFEFEFE-FEFE-FEFE-FEFE-FEFEFEFEFEFE",
    "03000200-0400-0500-0006-000700080009",
    "12345678-1234-5678-90AB-CDDEEFAABBCC",
]


@pytest.mark.parametrize("listing", [IOREG, IOREG_INTEL], ids=["arm", "intel"])
def test_platform_uuid_is_found_in_what_ioreg_prints(listing: str) -> None:
    assert macos_platform_uuid(listing.encode()) == UUID.lower()


def test_product_names_in_any_language_or_bytes_do_not_matter() -> None:
    for name in ("Büro-Mac".encode(), "オフィス".encode("shift_jis"), b"\xff\xfe\x00"):
        assert macos_platform_uuid(IOREG.encode().replace(b"MacBook Pro", name)) == UUID.lower()


@pytest.mark.parametrize(
    "listing",
    [
        b"",
        b"ioreg: error: can't obtain I/O Kit's root service.\n",
        IOREG.replace("IOPlatformUUID", "IOPlatformID").encode(),
        IOREG.replace(UUID, "").encode(),
        IOREG.replace(UUID, UUID[:-1]).encode(),
        IOREG.replace(f'"{UUID}"', f"<{UUID}>").encode(),
        IOREG.replace(f'"{UUID}"', f'"{UUID}" "x"').encode(),
        (IOREG + IOREG_INTEL.replace("6F1B2C3D", "00000001")).encode(),
        IOREG.replace("Apple Inc.", f'" = "IOPlatformUUID" = "{UUID}').replace(f'"{UUID}"\n', "\n").encode(),
        *(IOREG.replace(UUID, default).encode() for default in DEFAULTS),
    ],
)
def test_listing_without_one_platform_uuid_of_its_own_gives_none(listing: bytes) -> None:
    assert macos_platform_uuid(listing) is None


@pytest.mark.parametrize("value", [UUID, UUID.lower(), f"{{{UUID}}}", f" {UUID}\r\n", f"{UUID}\0"], ids=repr)
def test_machine_guid_is_taken_however_it_is_written(value: str) -> None:
    assert windows_machine_guid(value) == UUID.lower()


@pytest.mark.parametrize(
    "value",
    [
        *(None, 0, b"", [UUID], "", "{}", UUID[:-1], f"{UUID}0", UUID.replace("-", ""), "{" + UUID),
        "FEHLER: Der angegebene Registrierungsschlüssel bzw. Wert wurde nicht gefunden.",
        f"MachineGuid    REG_SZ    {UUID}",
        *DEFAULTS,
    ],
    ids=repr,
)
def test_what_is_no_machine_guid_of_its_own_gives_none(value: object) -> None:
    assert windows_machine_guid(value) is None


def test_machine_id_is_a_line_of_hex_digits() -> None:
    assert linux_machine_id("3d1219c7c4c5404aaa1f6d2a48adfda4\n") == "3d1219c7c4c5404aaa1f6d2a48adfda4"


@pytest.mark.parametrize("text", ["", "uninitialized\n", "0" * 32, "f" * 32, UUID, "3d1219c7c4c5404a\n"])
def test_file_without_a_machine_id_gives_none(text: str) -> None:
    assert linux_machine_id(text) is None
