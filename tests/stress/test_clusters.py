"""A cluster of processes: the same counts with one worker, with two, and after one of them is killed."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.networks import untrained_of

from ternary_export.graph import decoder_graph
from ternary_sdk._internal.counting.counting import count
from ternary_sdk._internal.counting.draw_count import DrawCount
from ternary_sdk._internal.counting.progress import Progress, silent
from ternary_sdk._internal.executing.cluster import Cluster, connected
from ternary_sdk._internal.wheels import pip_install
from ternary_sdk.errors import InputError
from ternary_sdk.signature import Signature
from ternary_sdk.space import Space

TERNARY_3 = Signature(Space(3, 3), 32, ("A",))
DRAWS = 40 * 65_536 + 17


@pytest.fixture(scope="module", autouse=True)
def _distributed() -> None:
    pytest.importorskip("distributed", reason=pip_install("ternary-sdk", "cluster"))


@contextmanager
def cluster(workers: int) -> Iterator[Cluster]:
    from distributed import LocalCluster

    with (
        LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=True, protocol="tcp://", dashboard_address=None
        ) as made,
        connected(made.scheduler_address) as found,
    ):
        yield found


@pytest.fixture
def counted(tmp_path: Path) -> Callable[..., DrawCount]:
    decoder = decoder_graph(untrained_of(TERNARY_3), "A", TERNARY_3)

    def call(name: str, found: Cluster | None, tell: Callable[[Progress], None] = silent) -> DrawCount:
        executor, workers = (None, None) if found is None else (found.executor, found.workers)
        return count(
            decoder, TERNARY_3, seed=11, draws=DRAWS, folder=tmp_path / name, memory=1 << 30,
            executor=executor, workers=workers, tell=tell,
        )  # fmt: skip

    return call


def figures(found: DrawCount) -> tuple[object, ...]:
    return (
        found.draws, found.clear, found.distinct, found.once, found.twice, found.pairs, found.leaves,
        found.near_ties,
    )  # fmt: skip


def refuses_a_folder_of_this_process_alone(found: Cluster, place: Path) -> None:
    """Linux names an open folder by its descriptor, which no other process has."""
    descriptor = os.open(place, os.O_RDONLY)
    folder = Path(f"/proc/self/fd/{descriptor}")
    try:
        with pytest.raises(InputError) as refusal:
            found.expect_folder(folder)
    finally:
        os.close(descriptor)
    (worker,) = found._client.nthreads()
    assert str(refusal.value) == (
        f"worker {worker}: does not see {folder}; name a folder that all workers share"
    )


def test_one_worker_two_and_a_killed_one_count_alike(
    counted: Callable[..., DrawCount], tmp_path: Path
) -> None:
    here = figures(counted("here", None))
    with cluster(1) as found:
        assert figures(counted("one", found)) == here
        refuses_a_folder_of_this_process_alone(found, tmp_path)
    killed = list[int]()
    with cluster(2) as found:
        processes = found._client.run(os.getpid)

        def kill_one(progress: Progress) -> None:
            if progress.done > DRAWS // 4 and not killed:
                killed.append(min(processes.values()))
                os.kill(killed[0], signal.SIGKILL)

        assert figures(counted("two", found, kill_one)) == here
    assert killed
