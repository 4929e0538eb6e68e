import io
import struct
import zipfile

import pytest

from ternary_sdk._internal.packages import archive
from ternary_sdk.errors import FormatError

MEMBERS = [("manifest.json", b"{}"), ("a.onnx", bytes(range(256))), ("model.sig", b"")]
WHOLE = archive.encode(MEMBERS)


def foreign(
    *entries: tuple[str, bytes], compression: int = zipfile.ZIP_STORED, comment: bytes = b""
) -> bytes:
    """What Python's own writer makes of the same files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        file.comment = comment
        for name, data in entries:
            file.writestr(zipfile.ZipInfo(name), data, compression)
    return buffer.getvalue()


def test_members_come_back_in_their_order() -> None:
    assert list(archive.decode(WHOLE).items()) == MEMBERS


def test_an_empty_archive_comes_back() -> None:
    assert archive.decode(archive.encode([])) == {}


def test_a_stock_reader_reads_it() -> None:
    with zipfile.ZipFile(io.BytesIO(WHOLE)) as file:
        assert file.testzip() is None
        assert [(entry.filename, file.read(entry)) for entry in file.infolist()] == MEMBERS
        assert {entry.date_time for entry in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_every_flipped_bit_is_refused() -> None:
    for position in range(len(WHOLE)):
        for bit in range(8):
            altered = bytearray(WHOLE)
            altered[position] ^= 1 << bit
            with pytest.raises(FormatError):
                archive.decode(bytes(altered))


def test_every_truncation_is_refused() -> None:
    for length in range(len(WHOLE)):
        with pytest.raises(FormatError):
            archive.decode(WHOLE[:length])


def directory_only(name: str, data: bytes) -> bytes:
    """An archive whose directory lists a member that no local entry holds."""
    return archive.encode([(name, data)])[30 + len(name) + len(data) :]


LOCAL = 30 + len("a") + 1
TWICE = archive.encode([("a", b"1"), ("b", b"2")]).replace(b"\x00\x00b", b"\x00\x00a")

HOSTILE = {
    "trailing data": (WHOLE + b"\0", "archive: not the canonical archive of its 3 members"),
    "prepended data": (b"#!" + WHOLE, "archive: begins with 2321504b, expected a ZIP archive"),
    "nothing": (b"", "archive: begins with nothing, expected a ZIP archive"),
    "another format": (b"\x1f\x8b\x08\x00", "archive: begins with 1f8b0800, expected a ZIP archive"),
    "a comment": (foreign(("a", b"1"), comment=b"x"), "archive: not the canonical archive of its 1 members"),
    "compression": (
        foreign(("a", b"1" * 99), compression=zipfile.ZIP_DEFLATED),
        "archive: member 0 is compressed (method 8), expected stored",
    ),
    "another writer's bytes": (foreign(("a", b"1")), "archive: not the canonical archive of its 1 members"),
    "a path": (foreign(("a/b", b"1")), "archive: member name 'a/b' is not a flat ASCII name"),
    "a path upwards": (foreign(("../b", b"1")), "archive: member name '../b' is not a flat ASCII name"),
    "an absolute path": (foreign(("/b", b"1")), "archive: member name '/b' is not a flat ASCII name"),
    "a hidden file": (foreign((".git", b"1")), "archive: member name '.git' is not a flat ASCII name"),
    "a name beyond ASCII": (foreign(("é", b"1")), "archive: member name '��' is not a flat ASCII name"),
    "no name": (foreign(("", b"1")), "archive: member name '' is not a flat ASCII name"),
    "a member twice": (TWICE, "archive: member 'a' appears twice"),
    "a gap between entries": (
        archive.encode([("a", b"1")])[:LOCAL] + b"\0" + archive.encode([("a", b"1")])[LOCAL:],
        "archive: not the canonical archive of its 1 members",
    ),
    "a directory entry without a member": (
        archive.encode([("a", b"1")])[:LOCAL] + directory_only("b", b"2"),
        "archive: not the canonical archive of its 1 members",
    ),
    "a size beyond the end": (
        WHOLE[:18] + struct.pack("<II", 2**32 - 1, 2**32 - 1) + WHOLE[26:],
        f"archive: ends after {len(WHOLE):,} bytes, inside member 0",
    ),
    "an end inside a member": (
        archive.encode([("a", b"1"), ("b", b"2" * 99)])[: 2 * LOCAL],
        "archive: ends after 64 bytes, inside member 1",
    ),
    "an extra field": (
        archive.encode([("a", b"1")])[:28] + struct.pack("<H", 4) + b"a" + bytes(4) + b"1",
        "archive: member 0 has an extra field of 4 bytes, expected none",
    ),
    "too many members": (
        foreign(*((f"m{n}", b"") for n in range(65))),
        "archive: more than 64 members",
    ),
    "too many bytes": (bytes(archive.MAX_BYTES + 1), "archive: 67108865 bytes, expected at most 67108864"),
}


@pytest.mark.parametrize("trick", HOSTILE)
def test_a_hostile_archive_is_refused(trick: str) -> None:
    data, sentence = HOSTILE[trick]
    with pytest.raises(FormatError) as refusal:
        archive.decode(data)
    assert str(refusal.value) == sentence


@pytest.mark.parametrize("names", [("a", "a"), ("Model", "model")])
def test_names_that_a_file_system_may_confuse_are_not_written(names: tuple[str, str]) -> None:
    with pytest.raises(FormatError, match=f"member '{names[1]}' appears twice"):
        archive.encode([(name, b"") for name in names])
