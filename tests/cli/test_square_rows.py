"""Operations as squares side by side."""

import pytest


def test_squares_stand_side_by_side_under_their_names(ternary, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    done = ternary("near", "SUM", "-k", 3, "--by", "hamming", "--format", "squares")
    assert done.text == (
        "1PB 1            4PB 1\n"
        "a↓ b→  -  0  +   a↓ b→  -  0  +\n"
        "    -  +  -  0       -  +  -  0\n"
        "    0  -  0  +       0  -  0  +\n"
        "    +  0  -  -       +  0  0  -\n"
        "\n"
        "6PB 1\n"
        "a↓ b→  -  0  +\n"
        "    -  +  -  0\n"
        "    0  -  0  +\n"
        "    +  -  +  -\n"
        "\n"
    )


def test_a_line_has_eighty_characters_where_nobody_says_how_wide_it_is(ternary, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    done = ternary("list", "--where", "latin", "--format", "squares")
    lines = done.text.splitlines()
    assert [line.count("a↓ b→") for line in lines if "↓" in line] == [4, 4, 4]
    assert max(map(len, lines)) <= 80


def test_a_square_that_is_wider_than_the_line_stands_alone(ternary, monkeypatch):
    monkeypatch.setenv("COLUMNS", "10")
    done = ternary("list", "--where", "latin", "--format", "squares", "-n", 2)
    assert done.text.count("a↓ b→") == 2
    assert done.text.splitlines()[6] == "5MF"


def test_no_operation_is_no_square(ternary):
    assert ternary("list", "--where", "latin & constant", "--format", "squares").text == ""


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("encode",), "squares: no room for latents or other columns; use csv or jsonl"),
        (
            ("sample", "-n", 1, "--latents"),
            "squares: no room for latents beside operations; use csv or jsonl",
        ),
        (("path", "0", "1", "--latents"), "squares: no room for latents beside operations; use csv or jsonl"),
    ],
)
def test_latents_have_no_squares(ternary, words, sentence):
    done = ternary(*words, "--format", "squares", stdin=b"index\n1\n")
    assert (done.status, done.out, done.err.splitlines()[-1]) == (1, b"", f"error: {sentence}")


def test_other_columns_have_no_squares_and_are_refused_before_the_model_is_asked(ternary):
    latent = ",".join(["0"] * 16)
    names = ",".join(f"z{number}" for number in range(16))
    done = ternary("decode", "--format", "squares", stdin=f"{names},note\n{latent},mine\n".encode())
    assert (done.status, done.out) == (1, b"")
    assert done.err.splitlines()[-1] == (
        "error: squares: no room for the columns note of the input; use csv, jsonl, parquet or arrow, "
        "or leave them out"
    )


def test_a_picture_of_a_walk_has_no_room_for_latents(ternary, tmp_path):
    out = tmp_path / "walk.svg"
    done = ternary("path", "0", "1", "--latents", "--out", out)
    assert (done.status, done.err) == (
        1,
        f"error: {out}: a picture has no room for --latents; write rows instead\n",
    )
    assert not out.exists()
