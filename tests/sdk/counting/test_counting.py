import hashlib
import multiprocessing
import os
import signal
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from tests.networks import untrained_of

from ternary_export.graph import decoder_graph
from ternary_sdk._internal.counting import counting, drawing, shard, task_file
from ternary_sdk._internal.counting import job as job_module
from ternary_sdk._internal.counting.counting import disk_needed
from ternary_sdk._internal.counting.draw_count import DrawCount
from ternary_sdk._internal.counting.job import Job
from ternary_sdk._internal.counting.progress import Progress
from ternary_sdk._internal.inference.runtime import Decoder, Workers, margin_of
from ternary_sdk._internal.streams.stream import CURRENT
from ternary_sdk._internal.tally import Tally
from ternary_sdk.errors import FormatError, InputError
from ternary_sdk.signature import Signature
from ternary_sdk.space import TERNARY_2, Space

TERNARY_3 = Signature(Space(3, 3), 32, ("A",))
EACH = [
    Signature(TERNARY_2, 16, ("A",)),
    Signature(Space(2, 3), 8, ("A",)),
    Signature(Space(7, 1), 8, ("A",)),
    Signature(Space(8, 1), 8, ("A",)),
    Signature(Space(4, 2), 16, ("A",)),
    TERNARY_3,
    Signature(Space(5, 2), 40, ("A",)),
]
DRAWS = 2 * 65_536 + 3000
MEMORY = 1 << 30


def decoder_of(signature: Signature) -> bytes:
    return decoder_graph(untrained_of(signature), "A", signature)


@pytest.fixture
def threads() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


Count = Callable[..., DrawCount]


@pytest.fixture
def count(threads: Executor, tmp_path: Path) -> Count:
    """Counts draws of a decoder on two threads, so that no test need start processes."""

    def call(signature: Signature = TERNARY_3, **others: object) -> DrawCount:
        given = {"seed": 7, "draws": DRAWS, "folder": tmp_path / "count", "memory": MEMORY, "workers": 2}
        given["most_tied"] = 1 << 25
        if "executor" not in others:
            others["executor"] = threads
        decoder = others.pop("decoder", None) or decoder_of(signature)
        return counting.count(decoder, signature, **{**given, **others})  # type: ignore[arg-type]

    return call


def same(one: DrawCount, other: DrawCount) -> bool:
    return all(
        np.array_equal(getattr(one, field.name), getattr(other, field.name)) for field in fields(DrawCount)
    )


@pytest.mark.parametrize("signature", EACH, ids=str)
def test_draws_are_counted_as_a_plain_loop_counts_them(
    signature: Signature, count: Count, tmp_path: Path
) -> None:
    found = count(signature)
    decoder = Decoder(decoder_of(signature), "decoder", Workers(1), signature)
    rows = decoder.decode(CURRENT.of(signature.latent_size).prior(7, 0, DRAWS))
    clear = rows.margin >= 0.001
    counts = Counter(rows.index[clear].tolist()).values()
    assert found.positions.tolist() == np.flatnonzero(~clear).tolist()
    assert 0 < found.near_ties == len(found.positions) < DRAWS / 10
    assert (found.draws, found.clear) == (DRAWS, int(clear.sum()))
    assert (found.distinct, found.once, found.twice) == (
        len(counts), sum(c == 1 for c in counts), sum(c == 2 for c in counts),
    )  # fmt: skip
    assert found.pairs == sum(c * (c - 1) // 2 for c in counts)
    assert found.leaves == b"".join(
        hashlib.sha256(b"\0" + b"".join(_row(*row) for row in zip(block, sure, strict=True))).digest()
        for block, sure in (
            (rows.index[start : start + 65_536].tolist(), clear[start : start + 65_536].tolist())
            for start in range(0, DRAWS, 65_536)
        )
    )
    assert [entry.name.split("-")[0] for entry in (tmp_path / "count").iterdir()] == ["count"]


def _row(index: int, clear: bool) -> bytes:
    return struct.pack("<q", index) if clear else b"\xff" * 8


def test_a_longer_count_has_the_leaves_and_near_ties_of_a_shorter_one(count: Count, tmp_path: Path) -> None:
    short, long = (count(draws=draws, folder=tmp_path / str(draws)) for draws in (65_536, DRAWS))
    assert long.leaves[:32] == short.leaves
    assert long.positions[long.positions < 65_536].tolist() == short.positions.tolist()
    assert (short.draws, long.draws) == (65_536, DRAWS)


@pytest.mark.parametrize("name", ["ternary-sdk", "numpy", "onnxruntime"])
def test_files_that_other_versions_made_are_of_another_count(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Near ties may be others there."""
    job = Job(decoder="0" * 64, signature=TERNARY_3, seed=7, draws=DRAWS)
    here, versions = job.digest, dict(job_module.computed_with())
    monkeypatch.setattr(job_module, "computed_with", lambda: tuple((versions | {name: "0.9"}).items()))
    assert job.digest != here


def test_one_draw_is_counted(count: Count) -> None:
    found = count(draws=1)
    assert (found.draws, len(found.leaves), found.distinct) == (1, 32, found.clear)


def stop_after(draws: int) -> Callable[[Progress], None]:
    """Ends a count once so many draws are done, as Ctrl-C would."""

    def tell(progress: Progress) -> None:
        if progress.done >= draws:
            raise KeyboardInterrupt

    return tell


def test_a_count_that_was_interrupted_goes_on_from_what_is_done(count: Count, tmp_path: Path) -> None:
    whole = count(folder=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        count(tell=stop_after(1))
    told = list[Progress]()
    assert same(count(resume=True, tell=told.append), whole)
    assert told[0].done >= 3000
    assert told[0].seconds_left is None
    assert (told[-1].stage, told[-1].done, told[-1].seconds_left) == ("counting", whole.clear, 0)


def test_a_count_removes_its_own_files_and_not_those_of_another_in_its_folder(
    count: Count, tmp_path: Path
) -> None:
    """Counts of other numbers of draws have the same digest."""
    with pytest.raises(KeyboardInterrupt):
        count(tell=stop_after(DRAWS))
    folder = tmp_path / "count"
    (last,) = folder.glob("draws-0000000002-*")
    short = last.name.replace("draws-0000000002-3000", "draws-0000000000-1000")
    for name in (f".{short}.0123abcd", f".{last.name}.0123abcd", "draws-of-somebody"):
        (folder / name).write_bytes(b"begun")
    count(draws=1000, resume=True)
    left = sorted(path.name.split("-")[0] for path in folder.iterdir())
    assert left == [".draws", "count", "draws", "draws", "draws", "draws"]
    assert last.exists()
    assert not (folder / f".{short}.0123abcd").exists()


@pytest.fixture(scope="module")
def undecided() -> bytes:
    """A decoder whose rows are all near ties."""
    state = untrained_of(TERNARY_3)
    return decoder_graph({name: 0 * values for name, values in state.items()}, "A", TERNARY_3)


def test_rows_that_are_all_near_ties_take_no_room_where_only_their_number_is_asked_for(
    count: Count, undecided: bytes, tmp_path: Path
) -> None:
    found = count(decoder=undecided, most_tied=None)
    assert (found.near_ties, found.clear, found.distinct, found.kept) == (DRAWS, 0, 0, None)
    (file,) = (tmp_path / "count").iterdir()
    assert file.stat().st_size < 300  # positions would be a byte each
    with pytest.raises(InputError) as refusal:
        found.positions  # noqa: B018
    assert str(refusal.value) == "count: only the number of near ties was asked for, not where they are"
    assert same(count(decoder=undecided, most_tied=None, resume=True), found)
    assert count(decoder=undecided).positions.tolist() == list(range(DRAWS))


def test_near_ties_that_will_not_fit_are_refused_after_the_first_task(count: Count, undecided: bytes) -> None:
    told = list[Progress]()
    sentence = (
        f"near ties: those of {DRAWS:,} draws would take about {DRAWS:,} bytes, "
        f"expected at most {DRAWS - 1:,}; count fewer draws"
    )
    for _ in range(2):  # what was done is not drawn again
        with pytest.raises(InputError) as refusal:
            count(decoder=undecided, most_tied=DRAWS - 1, resume=True, tell=told.append)
        assert str(refusal.value) == sentence
    assert [one.done for one in told] == [0]
    assert count(decoder=undecided, most_tied=DRAWS, resume=True).near_ties == DRAWS


def test_a_finished_count_is_read_and_not_drawn_again(count: Count) -> None:
    first, told = count(), list[Progress]()
    assert same(count(resume=True, tell=told.append), first)
    assert told == []


def test_files_of_the_same_count_are_used_only_when_that_is_asked_for(count: Count, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        count(tell=stop_after(DRAWS))
    with pytest.raises(InputError) as refusal:
        count()
    assert str(refusal.value) == (
        f"{tmp_path / 'count'}: holds 3 of 3 parts of this count already; resume it, or name another folder"
    )
    count(resume=True)
    with pytest.raises(InputError) as refusal:
        count()
    assert str(refusal.value) == (
        f"{tmp_path / 'count'}: holds the result of this count already; resume it, or name another folder"
    )
    count(seed=8)


@pytest.mark.parametrize("place", [0, 10, 45, -1], ids=["digest", "digest's middle", "summary", "indices"])
def test_a_damaged_part_is_refused_by_name(place: int, count: Count, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        count(tell=stop_after(DRAWS))
    file = min((tmp_path / "count").iterdir())
    data = bytearray(file.read_bytes())
    data[place] ^= 1
    file.write_bytes(data)
    with pytest.raises(InputError) as refusal:
        count(resume=True)
    assert str(refusal.value) == f"{file}: is damaged; delete it and go on, and its draws are made again"
    file.unlink()
    count(resume=True)


def test_a_part_that_was_cut_off_is_refused_by_name(count: Count, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        count(tell=stop_after(DRAWS))
    file = min((tmp_path / "count").iterdir())
    for size in (file.stat().st_size - 4, 1000, 20, 0):
        os.truncate(file, size)
        with pytest.raises(InputError, match="is damaged; delete it and go on"):
            count(resume=True)


@pytest.mark.parametrize("cut", [False, True])
def test_a_damaged_result_is_refused_by_name(cut: bool, count: Count, tmp_path: Path) -> None:
    count()
    (file,) = (tmp_path / "count").iterdir()
    data = file.read_bytes()
    file.write_bytes(data[:20] if cut else data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(InputError) as refusal:
        count(resume=True)
    assert str(refusal.value) == f"{file}: is damaged; delete it and count again"


def test_what_does_not_fit_on_the_disk_is_refused_before_anything_is_drawn(
    count: Count, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as refusal:
        count(draws=10**12)
    head, tail = f"{tmp_path / 'count'}: 1,000,000,000,000 draws need 4,00", " GB are free"
    assert str(refusal.value).startswith(head)
    assert str(refusal.value).endswith(tail)
    assert list((tmp_path / "count").iterdir()) == []


def _size(folder: Path) -> int:
    """Bytes of a folder in which another thread renames files; one that is gone by now has another name."""
    size = 0
    for file in folder.iterdir():
        with suppress(FileNotFoundError):
            size += file.stat().st_size
    return size


@pytest.mark.parametrize("space", [Space(4, 2), Space(3, 3), Space(5, 2), TERNARY_2], ids=str)
def test_disk_is_stated_beforehand(space: Space, count: Count, tmp_path: Path) -> None:
    latents = {Space(3, 3): 32, Space(5, 2): 40}.get(space, 16)
    sizes = list[int]()

    def tell(progress: Progress) -> None:
        sizes.append(_size(tmp_path / "count"))

    count(Signature(space, latents, ("A",)), tell=tell)
    needed = disk_needed(DRAWS, space)
    assert max(sizes) <= needed <= 1.3 * max(sizes) + 100_000


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"draws": 0}, "draws: 0, expected 1 to 1,000,000,000,000"),
        ({"draws": 10**12 + 1}, "draws: 1,000,000,000,001, expected 1 to 1,000,000,000,000"),
        ({"memory": (1 << 28) - 1}, "memory: 255 MiB for 2 workers, expected at least 256 MiB"),
        ({"seed": 1 << 64}, f"seed: {1 << 64}, expected 0 to 2^64 - 1"),
    ],
)
def test_arguments_out_of_range_are_refused(given: dict[str, int], message: str, count: Count) -> None:
    with pytest.raises(InputError) as refusal:
        count(**given)
    assert str(refusal.value) == message


def test_a_folder_that_is_a_file_is_refused(count: Count, tmp_path: Path) -> None:
    (tmp_path / "count").write_bytes(b"")
    with pytest.raises(InputError) as refusal:
        count()
    assert str(refusal.value) == f"{tmp_path / 'count'}: cannot be used (File exists)"


def test_what_a_task_raises_ends_the_count(threads: Executor, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="decoder: ONNX Runtime refuses it"):
        counting.count(
            b"no graph",
            TERNARY_3,
            seed=7,
            draws=1,
            folder=tmp_path,
            memory=MEMORY,
            executor=threads,
            workers=2,
        )


@pytest.mark.parametrize("signature", [EACH[4], EACH[6]], ids=str)
def test_ranges_that_do_not_fit_in_memory_are_counted_in_parts(
    signature: Signature, count: Count, tmp_path: Path
) -> None:
    """An untrained model's draws crowd in a few ranges, and a few operations are many draws."""
    with pytest.raises(KeyboardInterrupt):
        count(signature, tell=stop_after(DRAWS))
    decoder = hashlib.sha256(decoder_of(signature)).hexdigest()
    job = Job(decoder=decoder, signature=signature, seed=7, draws=DRAWS)
    sizes = sum(task_file.read(tmp_path / "count", job, task).sizes for task in range(job.plan.tasks))
    tallies = [
        sum(map(shard.count, shard.shards(job, tmp_path / "count", sizes, most)), Tally())
        for most in (2 * DRAWS, 2000)
    ]
    assert int(sizes.max()) > 2000
    assert tallies[0] == tallies[1]
    assert tallies[0].draws > tallies[0].distinct > tallies[0].twice > 0


def test_processes_count_what_threads_count_and_one_that_is_killed_changes_nothing(
    count: Count, tmp_path: Path
) -> None:
    """Killed by the system while it draws: the pool breaks, another takes its place."""
    killed = list[int]()

    def kill_one(progress: Progress) -> None:
        if progress.done and not killed:
            worker = multiprocessing.active_children()[0]
            killed.append(worker.pid or 0)
            os.kill(worker.pid or 0, signal.SIGKILL)

    draws = 16 * 65_536
    found = count(draws=draws, executor=None, tell=kill_one)
    assert killed
    assert same(found, count(draws=draws, folder=tmp_path / "threads"))


def test_a_pool_of_somebody_else_that_breaks_is_named(count: Count) -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        pool.submit(os._exit, 1).exception()
        with pytest.raises(InputError) as refusal:
            count(executor=pool, workers=1)
    assert str(refusal.value) == (
        "executor: it is broken, because one of its workers ended; make a new one and go on"
    )


def test_margins_of_many_blocks_are_those_of_one() -> None:
    """Infinite logits and others that are no numbers too."""
    random, margin = np.random.default_rng(1), drawing.margins()
    for _ in range(2):
        logits = random.normal(size=(4, 5, 300)).astype(np.float32)
        logits[random.integers(4, size=90), random.integers(5, size=90), random.integers(300, size=90)] = (
            random.choice(np.float32([np.inf, -np.inf, np.nan, 3e38, -3e38]), 90)
        )
        with np.errstate(invalid="ignore"):
            assert np.array_equal(margin(logits), margin_of(logits), equal_nan=True)
