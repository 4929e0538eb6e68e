"""Several processes at one address: answers leave at once, and no process outlives its supervisor."""

import ctypes
import json
import os
import signal
import socket
import sys
import threading
from contextlib import closing, contextmanager, suppress

import psutil
import pytest
from stress.seats import PROGRAM, _await, _start
from stress.sockets import free_port

from ternary_license_server.serving.connection import LONGEST_HEAD

ASK = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"


@contextmanager
def supervised(ring, database, log, workers):
    """A server that may be killed: its process and its port."""
    process = _start(ring, str(database.url), port := free_port(), workers, log, PROGRAM)
    try:
        _await(f"http://127.0.0.1:{port}/readyz", process)
        yield process, port
    finally:
        for child in psutil.Process(process.pid).children() if process.poll() is None else ():
            child.kill()
        process.kill()
        process.wait()


@pytest.fixture
def migrated(open_database, tmp_path):
    with open_database("sqlite", tmp_path) as database:
        yield database


def workers_of(process):
    """The processes that answer, without the one that Python keeps for its own purposes."""
    children = psutil.Process(process.pid).children()
    return [child for child in children if "resource_tracker" not in " ".join(child.cmdline())]


def ended(process):
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def await_that(condition):
    for _ in range(300):
        if condition():
            return
        threading.Event().wait(0.1)
    raise AssertionError("it does not become true")


def option_of_connection(server, client, option):
    """A TCP option of the server's end of a connection, read in the server's own process."""
    here, there = client.getsockname(), client.getpeername()
    for process in server:
        for one in process.net_connections("tcp"):
            if (one.laddr, one.raddr) == (there, here):
                pidfd = os.pidfd_open(process.pid)
                descriptor = ctypes.CDLL(None, use_errno=True).syscall(438, pidfd, one.fd, 0)  # pidfd_getfd
                os.close(pidfd)
                assert descriptor >= 0, os.strerror(ctypes.get_errno())
                with closing(socket.socket(fileno=descriptor)) as copy:
                    return copy.getsockopt(socket.IPPROTO_TCP, option)
    raise AssertionError("no process of the server has this connection")


def connection(port):
    return socket.create_connection(("127.0.0.1", port), 30)


def check_prompt(server, port):
    """No answer waits until the client has acknowledged its head."""
    with connection(port) as wire:
        wire.sendall(ASK)
        assert wire.recv(1024).startswith(b"HTTP/1.1 200 ")
        if sys.platform == "linux":  # only there one may look into another process
            assert option_of_connection(server, wire, socket.TCP_NODELAY) == 1


def check_head_bounded(port, log):
    """A head that does not end is refused, and nobody else is held up meanwhile."""
    with connection(port) as wire, connection(port) as other:
        wire.sendall(ASK[:-2])
        other.sendall(ASK)
        assert other.recv(1024).startswith(b"HTTP/1.1 200 ")
        with suppress(ConnectionError):
            for _ in range(40):  # in parts, so that most of the head has not ended when each comes
                wire.sendall(b"A: %s\r\n" % (b"x" * (LONGEST_HEAD // 16)))
        with suppress(ConnectionError):
            assert b"".join(iter(lambda: wire.recv(65_536), b"")).startswith(b"HTTP/1.1 400 ")
    warned = (json.loads(line) for line in log.read_text().splitlines())
    found = [line["message"] for line in warned if line["level"] == "warning"]
    assert found == ["Invalid HTTP request received."]


@pytest.fixture(params=["with uvloop and httptools", "without them"])
def libraries(request, monkeypatch, tmp_path):
    """The libraries that make a server fast are not there on every system."""
    if request.param == "without them":
        (folder := tmp_path / "hidden").mkdir()
        for name in ("uvloop", "httptools"):
            (folder / f"{name}.py").write_text("raise ImportError\n")
        monkeypatch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)


def test_answers_of_two_processes_leave_at_once_and_none_outlives_its_supervisor(
    tmp_path, vendor_keys, migrated, libraries
):
    """A request that runs when the supervisor is killed with -9 is finished first."""
    log = tmp_path / "log"
    with supervised(vendor_keys, migrated, log, 2) as (process, port):
        workers = workers_of(process)
        assert len(workers) == 2
        check_prompt(workers, port)
        check_head_bounded(port, log)
        with connection(port) as wire:
            wire.sendall(b"POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n")
            wire.sendall(b"Expect: 100-continue\r\n\r\n")
            assert wire.recv(1024).startswith(b"HTTP/1.1 100 ")
            process.send_signal(signal.SIGKILL)
            process.wait()
            await_that(lambda: sum(map(ended, workers)) == 1)
            wire.sendall(b"{}")
            assert wire.recv(1024).startswith(b"HTTP/1.1 405 ")
        await_that(lambda: all(map(ended, workers)))
        with socket.socket() as free:
            free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            free.bind(("127.0.0.1", port))
