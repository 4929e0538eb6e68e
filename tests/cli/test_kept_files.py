"""A file of the user's is never replaced unasked, and a place that takes no file is refused in time."""

import sys

import pytest

COMMANDS = {
    "sample": ("sample", "-n", "3", "--out"),
    "list": ("list", "--where", "latin", "--out"),
    "encode": ("encode", "rows.csv", "--out"),
    "near": ("near", "MIN", "-k", "3", "--by", "hamming", "--out"),
    "path": ("path", "0", "1", "--steps", "3", "--out"),
    "convert": ("convert", "rows.csv"),
    "testbench": ("convert", "rows.csv", "gates.v", "--testbench"),
    "verify": ("verify", "--evidence"),
}


@pytest.fixture(autouse=True)
def here(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text("index\n15633\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_file_that_exists_is_kept_unless_force_is_given(ternary, tmp_path, name):
    mine = tmp_path / "mine.csv"
    mine.write_text("index\n1\n")
    done = ternary(*COMMANDS[name], mine)
    assert (done.status, done.out) == (1, b"")
    assert done.err == f"error: {mine}: exists; add --force to replace it, or name another file\n"
    assert mine.read_text() == "index\n1\n"
    assert not (tmp_path / "gates.v").exists()
    assert ternary(*COMMANDS[name], mine, "--force").status == 0
    assert mine.read_text() != "index\n1\n"


def test_latents_that_exist_are_kept_by_decode_too(ternary, tmp_path):
    latents = tmp_path / "latents.csv"
    assert ternary("encode", "rows.csv", "--out", latents).status == 0
    before = latents.read_bytes()
    done = ternary("decode", latents, "--out", latents)
    assert done.err == f"error: {latents}: exists; add --force to replace it, or name another file\n"
    assert latents.read_bytes() == before
    assert ternary("decode", latents, "--out", latents, "--force").status == 0


@pytest.mark.parametrize(
    ("place", "why"),
    [("none/rows.csv", "no such file or directory"), ("folder.csv", "is a directory")],
)
def test_a_place_that_takes_no_file_is_refused_before_anything_is_counted(
    ternary, spaces, tmp_path, place, why
):
    (tmp_path / "folder.csv").mkdir()
    licensed = "--license", spaces / "metered.license", "--trust", spaces / "acme.trust"
    package, state = spaces / "boolean.ternary", ("--state", tmp_path / "state")
    done = ternary("sample", package, "-n", 20, "--unique", "--out", place, *licensed, *state)
    assert (done.status, done.err) == (1, f"error: {place}: {why}\n")
    usage = ternary("license", "usage", *licensed[1:], *state)
    assert "0 of 30 operations drawn" in usage.text


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such device")
def test_a_device_is_no_file_that_could_be_lost(ternary):
    assert ternary("sample", "-n", "3", "--format", "csv", "--out", "/dev/null").status == 0


def test_a_verdict_that_exists_is_kept_before_anything_is_checked(ternary, tmp_path):
    mine = tmp_path / "validation.json"
    mine.write_text("mine\n")
    done = ternary("validate", "missing.ternary", "--out", mine)
    assert (done.status, done.err) == (
        1,
        f"error: {mine}: exists; add --force to replace it, or name another file\n",
    )
    assert mine.read_text() == "mine\n"
