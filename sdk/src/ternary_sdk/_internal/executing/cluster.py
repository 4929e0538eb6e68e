"""
A Dask cluster as an executor: the only module that knows Dask.

Needs distributed (extra ``cluster``; ``docs/counting.md``). A cluster runs whatever it is sent, so plain TCP
is for schedulers of this machine alone. Others are reached by TLS, with the certificates of Dask's own
configuration. Workers run tasks of this very release: another may number, draw or write otherwise. They have
this machine's onnxruntime and numpy too, because near ties may be others under other versions.
"""

import ipaddress
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from ternary_sdk._internal.process_bound import ProcessBound
from ternary_sdk._internal.release import computed_with
from ternary_sdk._internal.wheels import pip_install
from ternary_sdk.errors import InputError, TernaryError

if TYPE_CHECKING:
    from distributed import Client

_ADDRESS: Final = re.compile(
    r"(?:(?P<scheme>[a-z]+)://)?(?P<host>\[[0-9a-fA-F:.]+\]|[^\s/:@\[\]]+):(?P<port>[0-9]{1,5})"
)
_SDK: Final = "ternary-sdk"
_PATIENCE: Final = "10s"
"""How long a scheduler may take to answer at all."""

_Versions = tuple[tuple[str, str], ...]
"""Of distributions, by name."""

P = ParamSpec("P")
R = TypeVar("R")


class Cluster(ProcessBound):
    """A cluster whose workers have this release, and what it computes with.

    Args:
        client: Connected to its scheduler.
        address: The scheduler's.
    """

    _holds = "a connection"
    _instead = "connect to it in each process"

    def __init__(self, client: "Client", address: str) -> None:
        self._client = client
        self.address = address
        self.executor: Executor = _Checked(client, address)

    @property
    def workers(self) -> int:
        """How many tasks it runs at once: threads of all workers."""
        return int(sum(self._client.nthreads().values()))

    def expect_folder(self, folder: Path) -> None:
        """Refuse workers that do not share a folder with this machine; it is made if it is not there.

        Raises:
            InputError: Naming the first worker that does not see what is written there, or if nothing can be.
        """
        mark = folder / f"shared-{secrets.token_hex(8)}"
        name = str(mark)

        def sees() -> bool:  # sent whole
            from pathlib import Path

            return Path(name).is_file()

        try:
            folder.mkdir(parents=True, exist_ok=True)
            mark.touch()
        except OSError as error:
            raise InputError(f"{folder}: cannot be used ({error.strerror})") from None
        try:
            seen = self._client.run(sees)
        finally:
            mark.unlink(missing_ok=True)
        for worker in sorted(worker for worker, found in seen.items() if not found):
            raise InputError(f"worker {worker}: does not see {folder}; name a folder that all workers share")


@contextmanager
def connected(address: str) -> Iterator[Cluster]:
    """Connect to a cluster, and let go of it at the end:

    1. its address is one that may be used;
    2. its scheduler answers;
    3. it has workers, and each has this release of the SDK, with the same onnxruntime and numpy.

    Args:
        address: Of its scheduler: ``tls://HOST:PORT``, or ``tcp://HOST:PORT`` of this machine.
    Raises:
        InputError: If one of these fails, or distributed is not installed.
    """
    checked = check_address(address)  # 1
    client = _client(checked)
    try:
        _expect_release(client, checked)  # 3
        yield Cluster(client, checked)
    finally:
        with suppress(Exception):  # the scheduler may be gone
            client.close()


def check_address(address: str) -> str:
    """The address of a scheduler with its scheme, ``tcp`` where none is named.

    Raises:
        InputError: If it is not one, or would be plain TCP to another machine.
    """
    found = _ADDRESS.fullmatch(address)
    if not found or int(found["port"]) > 65535:
        raise InputError(f"cluster: {address!r}, expected an address such as tls://scheduler.example:8786")
    scheme, host = found["scheme"] or "tcp", found["host"]
    if scheme not in ("tcp", "tls"):
        raise InputError(f"cluster: {address}: expected tls, or tcp to this machine")
    if scheme == "tcp" and not _is_here(host):
        raise InputError(
            f"cluster: {address}: plain tcp is only for this machine; use tls://{host}:{found['port']}, with "
            "certificates in Dask's configuration (docs/counting.md)"
        )
    return f"{scheme}://{host}:{found['port']}"


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    return False


def _client(address: str) -> "Client":
    try:
        from distributed import Client
    except ImportError:
        install = pip_install("ternary-sdk", "cluster")
        raise InputError(f"cluster: needs distributed, which is not installed: {install}") from None
    try:
        return Client(address, timeout=_PATIENCE, set_as_default=False)
    except (
        OSError,
        ValueError,
        TypeError,
        RuntimeError,
    ) as error:  # no scheduler, no certificates, another TLS
        reason = (str(error) or type(error).__name__).splitlines()[0][:200]
        raise InputError(f"cluster {address}: cannot be reached ({reason})") from None


def _expect_release(client: "Client", address: str) -> None:
    """Refuse a cluster without workers, or with one of another release or that computes with others.

    Raises:
        InputError: Naming the first such worker.
    """

    def versions() -> tuple[tuple[str, str], ...] | None:  # sent whole, because a worker may lack the SDK
        try:
            from ternary_sdk._internal.release import computed_with
        except ImportError:
            return None
        return computed_with()

    found: Mapping[str, _Versions | None] = client.run(versions)
    if not found:
        raise InputError(f"cluster {address}: has no workers")
    for worker, has in sorted(found.items()):
        if has is None:
            raise InputError(f"worker {worker}: has no ternary-sdk, expected {dict(computed_with())[_SDK]}")
        _expect_same(worker, has, computed_with())


def _expect_same(worker: str, found: _Versions, expected: _Versions) -> None:
    has = dict(found)
    for name, version in expected:
        if has.get(name) != version:
            raise InputError(f"worker {worker}: has {name} {has.get(name)}, expected {version}")


class _Checked(Executor):
    """Sends tasks with the versions that they need, because workers come and go."""

    def __init__(self, client: "Client", address: str) -> None:
        self._executor = client.get_executor()
        self._address = address

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """As of any executor; what Dask itself raises comes as one sentence."""
        inner: Future[R] = self._executor.submit(_run, computed_with(), fn, args, kwargs)
        outer: Future[R] = Future()
        inner.add_done_callback(lambda done: self._pass_on(done, outer))
        outer.add_done_callback(lambda given: inner.cancel() if given.cancelled() else None)
        return outer

    def _pass_on(self, done: "Future[R]", to: "Future[R]") -> None:
        if done.cancelled() or not to.set_running_or_notify_cancel():
            to.cancel()
            return
        error = done.exception()
        if error is None:
            to.set_result(done.result())
        elif isinstance(error, TernaryError):
            to.set_exception(error)
        else:
            reason = (str(error) or type(error).__name__).splitlines()[0][:200]
            to.set_exception(InputError(f"cluster {self._address}: a task failed ({reason})"))


def _run(
    expected: _Versions, function: Callable[..., Any], args: tuple[Any, ...], named: dict[str, Any]
) -> Any:
    """On a worker: do a task of this release."""
    if expected != computed_with():
        from distributed import get_worker

        _expect_same(get_worker().address, computed_with(), expected)
    return function(*args, **named)
