import multiprocessing
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from ternary_export.graph import decoder_graph, encoder_graph
from ternary_sdk._internal.inference import proof, runtime
from ternary_sdk._internal.inference.runtime import AHEAD, BLOCK, Decoder, Encoder, Workers
from ternary_sdk._internal.streams.stream import CURRENT
from ternary_sdk.errors import FormatError, InputError, ProofError
from ternary_sdk.operations import to_index
from ternary_sdk.space import TERNARY_2

DEADLINE = 30.0
"""Seconds; never used up unless something hangs."""

State = dict[str, npt.NDArray[np.float32]]


@pytest.fixture
def decoder(untrained: Callable[[int], State]) -> Decoder:
    return Decoder(decoder_graph(untrained(1), "A"), "decoder_A.onnx", Workers(2))


def reference(state: State, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Decoder A as domain.md writes it: 16→32→64→27, ReLU between, (9, 3) with class = trit + 1."""
    hidden = values
    for layer in (0, 2, 4):
        hidden = (
            hidden @ state[f"decoder_A.decoder.{layer}.weight"].T + state[f"decoder_A.decoder.{layer}.bias"]
        )
        if layer < 4:
            hidden = np.maximum(hidden, 0)
    return hidden.reshape(-1, 9, 3)


def test_the_decoder_computes_the_network_and_its_argmax(
    untrained: Callable[[int], State], decoder: Decoder
) -> None:
    values = CURRENT.prior(5, 0, 3000)
    expected = reference(untrained(1), values)
    np.testing.assert_allclose(decoder.logits(values), expected, atol=1e-4)
    ordered = np.sort(expected, axis=2)
    margin = (ordered[:, :, 2] - ordered[:, :, 1]).min(axis=1)
    clear = margin > 1e-3
    assert clear.mean() > 0.9
    assert np.array_equal(decoder.index(values)[clear], to_index(expected.argmax(axis=2) - 1)[clear])
    np.testing.assert_allclose(decoder.decode(values).margin, margin, atol=1e-4)


def test_equal_logits_decode_to_the_lowest_class(untrained: Callable[[int], State]) -> None:
    state = {name: np.zeros_like(value) for name, value in untrained(1).items()}
    state["decoder_A.decoder.4.bias"][3:6] = [0, 1, 1]
    decoder = Decoder(decoder_graph(state, "A"), "decoder_A.onnx", Workers(1))
    assert decoder.index(np.zeros((1, 16))).tolist() == [3]


@pytest.mark.parametrize("rows", [0, 1, 2, 997, BLOCK, BLOCK + 1, 3 * BLOCK - 1])
def test_any_number_of_rows_gives_the_rows_of_the_whole(decoder: Decoder, rows: int) -> None:
    values = CURRENT.prior(5, 0, 3 * BLOCK)
    assert np.array_equal(decoder.index(values[:rows]), decoder.index(values)[:rows])
    assert decoder.logits(values[:rows]).shape == (rows, 9, 3)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_do_not_depend_on_threads(untrained: Callable[[int], State], threads: int) -> None:
    values = CURRENT.prior(6, 0, 10 * BLOCK)
    graph = decoder_graph(untrained(2), "B")
    one = Decoder(graph, "decoder_B.onnx", Workers(1)).decode(values)
    many = Decoder(graph, "decoder_B.onnx", Workers(threads)).decode(values)
    assert np.array_equal(one.index, many.index)
    assert np.array_equal(one.margin, many.margin)


def test_many_callers_at_once_get_what_each_would_get_alone(decoder: Decoder) -> None:
    parts = [CURRENT.prior(seed, 0, 2 * BLOCK) for seed in range(8)]
    alone = [decoder.index(part) for part in parts]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(decoder.index, parts))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def test_a_forked_child_computes_with_sessions_and_threads_of_its_own(decoder: Decoder) -> None:
    values = CURRENT.prior(5, 0, 4 * BLOCK)
    expected = decoder.index(values)
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=lambda: sender.send(decoder.index(values)))
    child.start()
    assert receiver.poll(60)
    assert np.array_equal(receiver.recv(), expected)
    child.join(60)
    assert child.exitcode == 0


def test_children_forked_while_threads_compute_get_what_the_parent_gets(decoder: Decoder) -> None:
    values = CURRENT.prior(5, 0, 4 * BLOCK)
    expected, done = decoder.index(values), threading.Event()

    def busy() -> None:
        while not done.is_set():
            decoder.index(values)

    threads = [threading.Thread(target=busy) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            context = multiprocessing.get_context("fork")
            receiver, sender = context.Pipe(duplex=False)
            child = context.Process(target=lambda sender=sender: sender.send(decoder.index(values)))
            child.start()
            assert receiver.poll(DEADLINE), "a forked child never got its answer"
            assert np.array_equal(receiver.recv(), expected)
            child.join(DEADLINE)
            assert child.exitcode == 0
    finally:
        done.set()
        for thread in threads:
            thread.join()


def test_two_threads_of_a_forked_child_compute_at_once(
    decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second thread calls while the first one's pool is being made, and must not take the parent's."""
    values = CURRENT.prior(5, 0, 4 * BLOCK)
    expected = decoder.index(values)
    entered, answered = threading.Event(), threading.Event()

    class PausedPool(ThreadPoolExecutor):
        """The first of them is made only after the other thread has its answer."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            if not entered.is_set():
                entered.set()
                answered.wait(DEADLINE)
            super().__init__(*arguments, **options)

    def first() -> None:
        sender.send(decoder.index(values))

    def second() -> None:
        entered.wait(DEADLINE)
        sender.send(decoder.index(values))
        answered.set()

    def both() -> None:
        monkeypatch.setattr(runtime, "ThreadPoolExecutor", PausedPool)
        threads = [threading.Thread(target=call, daemon=True) for call in (first, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=both, daemon=True)
    child.start()
    try:
        for _ in range(2):
            assert receiver.poll(DEADLINE), "a thread of the forked child never got its answer"
            assert np.array_equal(receiver.recv(), expected)
        child.join(DEADLINE)
        assert child.exitcode == 0
    finally:
        child.kill()


class ClosesOnTheWay(Sequence[int]):
    """Four blocks; workers are closed, as by another thread, after the first one was handed out."""

    def __init__(self, workers: Workers) -> None:
        self.workers = workers

    def __len__(self) -> int:
        return 4

    def __getitem__(self, block: Any) -> Any:
        if block == 1:
            self.workers.close()
        return range(4)[block]


def test_a_pool_shut_down_while_blocks_are_handed_out_is_a_closed_model() -> None:
    workers = Workers(2)
    with pytest.raises(InputError) as refusal:
        list(workers.map(abs, ClosesOnTheWay(workers)))
    assert str(refusal.value) == "model: it was closed, open it again"


@pytest.mark.parametrize("threads", [1, 2])
def test_tasks_without_end_are_computed_only_a_few_ahead(threads: int) -> None:
    begun: list[int] = []
    with Workers(threads) as workers:
        results = workers.map(lambda task: begun.append(task) or task, range(sys.maxsize))
        assert list(islice(results, 5)) == [0, 1, 2, 3, 4]
        del results
    assert 5 <= len(begun) <= 5 + AHEAD * threads


def test_a_task_that_fails_is_raised_in_its_turn_and_ends_the_rest() -> None:
    begun: list[int] = []

    def compute(task: int) -> int:
        begun.append(task)
        return 1 // (3 - task)

    with Workers(2) as workers:
        results = workers.map(compute, range(1000))
        assert list(islice(results, 3)) == [0, 0, 1]
        with pytest.raises(ZeroDivisionError):
            next(results)
    assert len(begun) <= 4 + AHEAD * 2


@pytest.mark.parametrize("threads", [1, 2])
def test_closed_workers_compute_nothing_more(threads: int) -> None:
    with Workers(threads) as workers:
        assert list(workers.map(abs, range(-3, 0))) == [3, 2, 1]
    with pytest.raises(InputError) as refusal:
        workers.map(abs, range(-3, 0))
    assert str(refusal.value) == "model: it was closed, open it again"


def test_the_encoder_gives_means_of_all_operations(untrained: Callable[[int], State]) -> None:
    state = untrained(3)
    encoder = Encoder(encoder_graph(state, "B"), "encoder_B.onnx", Workers(2))
    hidden = TERNARY_2.tables.astype(np.float32)
    for layer in (0, 2, 4):
        name = f"encoder_B.encoder.{layer}"
        hidden = np.maximum(hidden @ state[f"{name}.weight"].T + state[f"{name}.bias"], 0)
    expected = hidden @ state["encoder_B.fc_mu.weight"].T + state["encoder_B.fc_mu.bias"]
    np.testing.assert_allclose(encoder.mean(TERNARY_2.tables), expected, atol=1e-4)
    assert encoder.mean(TERNARY_2.tables[:0]).shape == (0, 16)


def test_margins_of_huge_logits_are_infinite_without_a_word(untrained: Callable[[int], State]) -> None:
    """Warnings are errors here, and in many a host."""
    state = {name: np.zeros_like(value) for name, value in untrained(1).items()}
    state["decoder_A.decoder.4.bias"][:] = np.tile(np.float32([-3e38, 3e38, -3e38]), 9)
    decoder = Decoder(decoder_graph(state, "A"), "decoder_A.onnx", Workers(1))
    found = decoder.decode(np.zeros((1, 16), np.float32))
    assert (found.index.tolist(), found.margin.tolist()) == ([9841], [np.inf])
    encoder = Encoder(encoder_graph(state, "A"), "encoder_A.onnx", Workers(1))
    with pytest.raises(ProofError) as refusal:
        proof.certify("A", encoder, decoder, digest="ab" * 32)
    assert str(refusal.value) == "path A: the smallest margin is inf, expected less than 1e+09"


def test_a_pool_made_while_its_model_is_closed_does_not_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    workers = Workers(2)

    class Closing(ThreadPoolExecutor):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            workers.close()

    monkeypatch.setattr(runtime, "ThreadPoolExecutor", Closing)
    with pytest.raises(InputError) as refusal:
        list(workers.map(abs, range(3)))
    assert str(refusal.value) == "model: it was closed, open it again"
    assert workers._pool is None


def test_a_posterior_mean_that_is_not_finite_is_refused(untrained: Callable[[int], State]) -> None:
    """All weights are finite, as the firewall demands; the sum overflows for operation 2 alone."""
    state = {name: np.zeros_like(value) for name, value in untrained(1).items()}
    for layer in (0, 2, 4):
        state[f"encoder_A.encoder.{layer}.weight"][0, : 9 if layer == 0 else 1] = 1
    state["encoder_A.encoder.0.weight"][0] = TERNARY_2.tables[2]
    state["encoder_A.encoder.0.bias"][0] = -8.5  # above 0 for operation 2 alone, which has no trit 0
    for name in ("fc_mu.weight", "encoder.4.weight"):
        state[f"encoder_A.{name}"][0, 0] = 3e38
    encoder = Encoder(encoder_graph(state, "A"), "encoder_A.onnx", Workers(1))
    assert encoder.mean(np.delete(TERNARY_2.tables, 2, axis=0)).shape == (TERNARY_2.size - 1, 16)
    with pytest.raises(ProofError) as refusal:
        encoder.mean(TERNARY_2.tables)
    assert str(refusal.value) == "encoder_A.onnx: the posterior mean of operation 2 is not finite"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((2, 15)), "latents: shape is (2, 15), expected (n, 16)"),
        (np.zeros(16), "latents: shape is (16,), expected (n, 16)"),
        (np.full((1, 16), np.nan), "latents: row 0, column 0 is nan, expected a finite float32"),
        (np.full((1, 16), 1e300), "latents: row 0, column 0 is 1e+300, expected a finite float32"),
        (np.full((1, 16), "a"), "latents: dtype is <U1, expected numbers"),
        ([[0.0] * 16, [0.0]], "latents: rows have different lengths, expected 16 numbers in each"),
    ],
)
def test_what_is_no_latent_is_refused(decoder: Decoder, values: object, message: str) -> None:
    with pytest.raises(InputError) as refusal:
        decoder.index(values)  # type: ignore[arg-type]
    assert str(refusal.value) == message


def test_bytes_that_onnx_runtime_cannot_load_are_refused() -> None:
    with pytest.raises(FormatError, match=r"^decoder_A\.onnx: ONNX Runtime refuses it \("):
        Decoder(b"no graph", "decoder_A.onnx", Workers(1))


@pytest.mark.parametrize("threads", [0, -1, "a", 1.5])
def test_threads_that_are_no_count_are_refused(threads: Any) -> None:
    with pytest.raises(InputError) as refusal:
        Workers(threads)
    assert str(refusal.value) == f"threads: {threads!r}, expected a whole number from 1"
