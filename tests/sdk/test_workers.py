"""A program that gives work to processes of its own: refusals come back, and the model stays where it is."""

import multiprocessing
import traceback
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import pytest

from ternary_sdk import Model
from ternary_sdk.errors import InputError, LicenseError, Reason

TIMEOUT = 60
"""Seconds: a pool that lost a refusal would wait for ever."""

_opened: list[Model] = []


def open_here() -> None:
    """A pool's initializer: each worker opens the model once."""
    _opened.append(Model.evaluation(threads=1))


def drawn(seed: int) -> str:
    return _opened[0].sample(100, seed=seed).digest


def refused(seed: int) -> str:
    raise LicenseError(Reason.EXPIRED, f"license L-{seed} expired")


def caught(call: Callable[[], object]) -> LicenseError:
    with pytest.raises(LicenseError) as found:
        call()
    return found.value


def test_a_pool_passes_a_refusal_on_and_goes_on_working() -> None:
    with multiprocessing.get_context("spawn").Pool(1, initializer=open_here) as pool:
        error = caught(lambda: pool.map_async(refused, [17]).get(TIMEOUT))
        assert (error.code, str(error)) == (Reason.EXPIRED, "license L-17 expired")
        with Model.evaluation(threads=1) as model:
            assert pool.apply_async(drawn, (3,)).get(TIMEOUT) == model.sample(100, seed=3).digest
            with pytest.raises(InputError, match=r"^Model: holds threads and sessions of this process"):
                pool.apply_async(repr, (model,)).get(TIMEOUT)


def test_an_executor_passes_a_refusal_on_and_is_not_broken_by_it() -> None:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=open_here) as pool:
        error = caught(lambda: pool.submit(refused, 18).result(TIMEOUT))
        assert (error.code, str(error)) == (Reason.EXPIRED, "license L-18 expired")
        assert "code: EXPIRED" in "".join(traceback.format_exception(error))
        assert pool.submit(drawn, 3).result(TIMEOUT)
