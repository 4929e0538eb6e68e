"""``ternary verify --recount``: what a buyer draws with a seed of his own, and what is refused."""

import json
from collections import Counter

import numpy as np
import pytest

from ternary_cli.progress_line import duration, words
from ternary_cli.recounting import Recounted, recount_facts, recount_lines
from ternary_sdk import Model
from ternary_sdk._internal.certificates.evenness import Evenness
from ternary_sdk._internal.counting.progress import Progress
from ternary_sdk._internal.counting.recount import Recount
from ternary_sdk._internal.inference.runtime import Decoder, Workers
from ternary_sdk._internal.streams.stream import CURRENT
from ternary_sdk.coverage import iid_limit, percent, perfect_percent
from ternary_sdk.space import TERNARY_2, Space

DRAWS = 70_000
SEVEN = "0x0000000000000007"


@pytest.fixture(scope="module")
def drawn():
    """How often each operation is drawn clearly, by path B of the evaluation package under seed 7."""
    with Model.evaluation() as model, Workers() as workers:
        decoder = Decoder(model.package.graphs["decoder_B.onnx"], "decoder", workers)
        rows = decoder.decode(CURRENT.prior(7, 0, DRAWS))
    return Counter(rows.index[rows.margin >= 0.001].tolist())


def test_a_buyers_own_draws_are_counted_beside_perfect_ones(ternary, drawn):
    done = ternary("verify", "--recount", "7e4", "--seed", 7, "--path", "B")
    clear, pairs = sum(drawn.values()), sum(n * (n - 1) // 2 for n in drawn.values())
    expected = clear * (clear - 1) / 2 / 19_683
    lines = [
        f"70,000 draws with seed {SEVEN}, {DRAWS - clear:,} near ties left out",
        f"{len(drawn):,} of 19,683 operations, {percent(len(drawn) / 19_683)} % "
        f"(perfect draws, on average {perfect_percent(clear, TERNARY_2)} %)",
        f"{pairs:,} pairs of equal draws, {pairs / expected:.4f} ± {pairs**0.5 / expected:.4f} times as many "
        "as perfect draws give on average",
    ]
    assert done.status == 0
    assert done.text.splitlines()[5:] == [
        *(f"path B: recounted here: {line}" for line in lines),
        "not proved: the certified draws; add --replay",
    ]
    assert "recount: 70,000 draws of path B, seed 0x0000000000000007, at most 0.000 GB in " in done.err


def test_a_seed_that_is_not_named_is_drawn_and_told(ternary):
    first, second = (json.loads(ternary("verify", "--recount", 2000, "--json").text) for _ in range(2))
    assert first["recount"]["seed"] != second["recount"]["seed"]
    assert 0 <= int(first["recount"]["seed"]) < 2**64
    assert first["recount"]["path"] == first["default_path"]
    assert first["recount"]["draws"] == 2000
    assert json.loads(ternary("verify", "--json").text)["recount"] is None


def test_an_interrupted_recount_goes_on_in_its_folder(ternary, tmp_path, drawn):
    words = ("verify", "--recount", DRAWS, "--seed", 7, "--path", "B", "--folder", tmp_path / "count")
    first = ternary(*words)
    assert f"in {tmp_path / 'count'}; if it is interrupted, go on with --seed {SEVEN} --resume" in first.err
    again = ternary(*words)
    assert (again.status, again.out) == (1, b"")
    held = "holds the result of this count already; resume it, or name another folder"
    assert again.err.splitlines()[-1] == f"error: {tmp_path / 'count'}: {held}"
    done = ternary(*words, "--resume")
    assert (done.status, done.text) == (0, first.text)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        *(
            (words, f"{words[0]}: belongs to a recount; add --recount N")
            for words in (
                ("--seed", 0), ("--path", "A"), ("--cluster", "localhost:1"),
                ("--folder", "x"), ("--resume",), ("--memory", "1G"),
            )
        ),
        (
            ("--recount", 9, "--resume", "--seed", 7),
            "--resume: add --folder DIR and --seed S of the recount that was interrupted",
        ),
        (
            ("--recount", 9, "--resume", "--folder", "x"),
            "--resume: add --folder DIR and --seed S of the recount that was interrupted",
        ),
        (
            ("--recount", 9, "--cluster", "localhost:1"),
            "--cluster: add --folder DIR, a folder that all workers share",
        ),
        (("--recount", 9, "--path", "Q"), "--path: 'Q', expected A or B"),
        (("--recount", 9, "--seed", -1), "--seed: -1, expected 0 to 18,446,744,073,709,551,615"),
        (("--recount", "2e12"), "draws: 2,000,000,000,000, expected 1 to 1,000,000,000,000"),
        (
            ("--recount", 9, "--folder", "x", "--cluster", "tcp://192.0.2.7:1"),
            "cluster: tcp://192.0.2.7:1: plain tcp is only for this machine; use tls://192.0.2.7:1, with "
            "certificates in Dask's configuration (docs/counting.md)",
        ),
    ],
    ids=lambda words: " ".join(map(str, words)) if isinstance(words, tuple) else "",
)  # fmt: skip
def test_what_cannot_be_recounted_is_refused(ternary, tmp_path, monkeypatch, words, sentence):
    monkeypatch.chdir(tmp_path)
    done = ternary("verify", *words)
    assert (done.status, done.out) == (1, b"")
    assert done.err.splitlines()[-1] == f"error: {sentence}"


@pytest.mark.parametrize(
    ("text", "draws"),
    [("100", 100), ("1e3", 1000), ("1E3", 1000), ("2.5e3", 2500), ("1.50e+2", 150), ("007", 7), ("10.0", 10)],
)
def test_a_number_of_draws_may_have_an_exponent(ternary, text, draws):
    done = ternary("verify", "--recount", text, "--seed", 1, "--json")
    assert json.loads(done.text)["recount"]["draws"] == draws


@pytest.mark.parametrize(
    "text", ["", "0", "1e", "e8", "1.5", "1.25e1", "-1", "1_0", "١", "1e100", "many", "0e5"]
)
def test_other_numbers_of_draws_are_refused(ternary, text):
    done = ternary("verify", "--recount", text)
    assert (done.status, done.out) == (2, b"")
    assert f"{text!r} is not a whole number from 1, such as 100000000 or 1e8." in " ".join(done.err.split())


@pytest.mark.parametrize("text", ["", "1", "1K", "1GB", "-1G", "1.5G", "1 G"])
def test_other_sizes_are_refused(ternary, text):
    done = ternary("verify", "--recount", 9, "--memory", text)
    assert (done.status, done.out) == (2, b"")
    assert f"{text!r} is not a size such as 512M or 2G." in " ".join(done.err.split())


def test_too_little_memory_is_refused(ternary):
    done = ternary("verify", "--recount", 9, "--memory", "1M")
    assert done.status == 1
    assert done.err.splitlines()[-1].startswith("error: memory: 1 MiB for ")


def test_a_line_of_progress_says_rate_and_time_left():
    half = Progress(stage="drawing", done=500, draws=1000, rate=2.0)
    assert words(half) == f"drawing [{15 * '#'}{15 * '.'}]  50 %  2/s, 4 min 10 s left"
    none = Progress(stage="counting", done=0, draws=0, rate=0.0)
    assert words(none) == f"counting [{30 * '#'}] 100 %"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.2, "0 s"), (59.6, "1 min 0 s"), (3600, "1 h 0 min"), (90_061, "1 d 1 h"), (7.4, "7 s")],
)
def test_a_duration_is_told_in_two_units(seconds, told):
    assert duration(seconds) == told


def test_figures_of_json_survive_readers_of_doubles(ternary):
    done = ternary("verify", "--recount", 3000, "--seed", 2**64 - 1, "--json")
    found = json.loads(done.text, parse_int=float)["recount"]
    assert found["clear"] == found["draws"] - found["near_ties"] == found["distinct"] + found["repeats"]
    assert found["seed"] == "18446744073709551615"
    assert found["pairs"] == str(int(found["pairs"]))
    assert np.isfinite(float(found["pairs_of_perfect"]))
    assert float(found["pairs_of_perfect_deviation"]) > 0
    assert found["perfect_percent"] == f"{100 * iid_limit(int(found['clear'])):.3f}"
    assert found["uniform_operations"] is None


@pytest.mark.parametrize("text", ["0x0000000000000007", "0x7", "7"])
def test_a_seed_is_taken_as_it_is_printed(ternary, text):
    done = ternary("verify", "--recount", 100, "--seed", text, "--path", "A")
    assert f"path A: recounted here: 100 draws with seed {SEVEN}, " in done.text


@pytest.mark.parametrize("text", ["0x", "0x00000000000000007", "0X7", "0xg", "00000000000000ff", "0x1_0"])
def test_other_forms_of_a_seed_are_refused(ternary, text):
    done = ternary("verify", "--recount", 100, "--seed", text)
    assert (done.status, done.out) == (2, b"")
    expected = "0x and 1 to 16 hex digits" if text[:2] == "0x" else "a whole number"
    assert f"{text!r} is not {expected}." in " ".join(done.err.split())


def recounted(draws, near_ties, pairs):
    """A recount in 5^25 with these figures; no operation occurs more than twice."""
    clear = draws - near_ties
    evenness = Evenness(
        space=Space(5, 2), draws=draws, near_ties=near_ties, distinct=clear - pairs, once=clear - 2 * pairs,
        twice=pairs, pairs=pairs,
    )  # fmt: skip
    return Recounted(path="A", found=Recount(seed=7, evenness=evenness, tried=None))


def test_an_estimate_from_fewer_than_ten_expected_pairs_is_left_out():
    """Perfect draws give 10 pairs among 2,441,406,251 of 5^25."""
    few, enough = recounted(2_441_406_250, 0, 17), recounted(2_441_406_251, 0, 17)
    assert recount_facts(few)["pairs_of_perfect"] is None
    assert recount_facts(few)["pairs_of_perfect_deviation"] is None
    assert "path A: recounted here: 17 pairs of equal draws" in recount_lines(few)
    assert recount_facts(enough)["pairs_of_perfect"] == "1.7000"
    assert (
        "path A: recounted here: 17 pairs of equal draws, 1.70 ± 0.41 times as many as perfect draws give on "
        "average"
    ) in recount_lines(enough)


def test_near_ties_do_not_count_in_an_estimate():
    assert recount_facts(recounted(2_441_406_251, 1, 17))["pairs_of_perfect"] is None


def test_figures_of_a_large_space_are_strings_and_perfect_ones_an_average():
    some = recounted(10**10, 0, 0)
    facts, number = recount_facts(some), some.found.evenness.effective_number
    assert number > 2**53
    assert (facts["effective_number"], facts["perfect"]["effective_number"]) == (
        str(number), str(some.found.evenness.perfect_effective_number),
    )  # fmt: skip
    assert any("perfect draws would, on average, give " in line for line in recount_lines(some))
