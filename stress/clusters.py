"""
PostgreSQL clusters of our own, and PgBouncer before one: real programs, on free ports of the loopback.

Neither runs as root. Where this process is root's, they run as the user ``postgres``, in a folder that
belongs to it. ``missing`` says in one sentence what to install where they are not there.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg

from stress.sockets import free_port

USER: Final = "postgres"
_FOLDERS: Final = "/usr/lib/postgresql/*/bin"
_SETTINGS: Final = (
    "listen_addresses = '127.0.0.1'",
    "unix_socket_directories = ''",
    "fsync = off",
    "shared_buffers = 16MB",
    "max_connections = 60",
    "wal_level = replica",
    "hot_standby = on",
    "log_min_messages = warning",
)
_PATIENT: Final = 60.0
"""Seconds after which a program that is waited for has failed."""


def missing() -> str | None:
    """What to type so that these programs are there; None if they are."""
    if os.name != "posix":
        return "PostgreSQL clusters and PgBouncer are only started on Linux"
    lacking = [name for name in ("initdb", "pgbouncer") if _found(name) is None]
    packages = {"initdb": "postgresql", "pgbouncer": "pgbouncer"}
    if lacking:
        named = " ".join(packages[name] for name in lacking)
        return f"{' and '.join(lacking)} not installed; 'apt-get install {named}' enables this"
    return None


@dataclass(kw_only=True)
class Cluster:
    """One PostgreSQL server: its folder, and the port that it always has."""

    folder: Path
    port: int

    def url(self, name: str = "postgres", port: int | None = None) -> str:
        """The address of one of its databases, by another port where something stands before it."""
        return f"postgresql://{USER}@127.0.0.1:{port or self.port}/{name}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        _run("pg_ctl", "-D", self.folder, "-l", self.folder / "log", "-w", "-t", int(_PATIENT), "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop it; ``immediate`` as a crash does."""
        _run("pg_ctl", "-D", self.folder, "-m", mode, "-w", "stop")

    def promote(self) -> None:
        """Make a standby the primary."""
        _run("pg_ctl", "-D", self.folder, "-w", "promote")

    def execute(self, *statements: str, name: str = "postgres") -> Any:
        """Run statements, each in a transaction of its own; the last one's rows, if it has any."""
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Every process of it stops where it is, and goes on at the end of the block."""
        lines = (self.folder / "postmaster.pid").read_text().splitlines()
        found = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", lines[0]], capture_output=True, text=True, check=True
        )
        pids = [int(lines[0]), *map(int, found.stdout.split())]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)


@contextmanager
def clusters() -> Iterator[Path]:
    """A folder for clusters and bouncers, which may be written by whom they run as."""
    with tempfile.TemporaryDirectory(prefix="ternary-clusters-") as folder:
        _give(Path(folder))
        yield Path(folder)


@contextmanager
def primary(folder: Path) -> Iterator[Cluster]:
    """A new cluster that runs; every process that connects from this machine is believed."""
    cluster = Cluster(folder=folder / "primary", port=free_port())
    _run("initdb", "-D", cluster.folder, "-A", "trust", "-U", USER, "--no-sync", "-E", "UTF8", "--no-locale")
    with (cluster.folder / "postgresql.conf").open("a") as settings:
        settings.write("\n".join((*_SETTINGS, f"port = {cluster.port}", "")))
    yield from _running(cluster)


@contextmanager
def standby(of: Cluster, folder: Path) -> Iterator[Cluster]:
    """A streaming standby of a cluster, which answers reads."""
    cluster = Cluster(folder=folder, port=free_port())
    _run("pg_basebackup", "-d", of.url(), "-D", folder, "-R", "-c", "fast", "-X", "stream", "--no-sync")
    with (folder / "postgresql.conf").open("a") as settings:
        settings.write(f"port = {cluster.port}\n")
    yield from _running(cluster)


def _running(cluster: Cluster) -> Iterator[Cluster]:
    cluster.start()
    try:
        yield cluster
    finally:
        with suppress(subprocess.CalledProcessError):  # stopped by whoever used it
            cluster.stop()


@contextmanager
def bouncer(cluster: Cluster, folder: Path, *, size: int) -> Iterator[int]:
    """PgBouncer in transaction mode before a cluster, with so many connections; the port it listens at."""
    port, settings = free_port(), folder / "pgbouncer.ini"
    settings.write_text(
        f"[databases]\n* = host=127.0.0.1 port={cluster.port} user={USER}\n"
        "[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = any\npool_mode = transaction\ndefault_pool_size = {size}\nmax_client_conn = 500\n"
        f"logfile = {folder}/pgbouncer.log\n"
    )
    program = subprocess.Popen(
        [_program("pgbouncer"), "-q", settings], stderr=subprocess.DEVNULL, **_as_user()
    )
    try:
        _await(cluster, port)
        yield port
    finally:
        program.terminate()
        program.wait(_PATIENT)


def _await(cluster: Cluster, port: int) -> None:
    for _ in range(int(_PATIENT / 0.1)):
        with suppress(psycopg.OperationalError):
            psycopg.connect(cluster.url(port=port), connect_timeout=2, prepare_threshold=None).close()
            return
        threading.Event().wait(0.1)
    raise RuntimeError("PgBouncer does not answer")


def _found(name: str) -> str | None:
    folders = [*map(str, sorted(Path("/").glob(_FOLDERS[1:]), reverse=True)), os.defpath, "/usr/sbin"]
    return shutil.which(name) or shutil.which(name, path=os.pathsep.join(folders))


def _program(name: str) -> str:
    found = _found(name)
    if found is None:
        raise FileNotFoundError(name)
    return found


def _run(name: str, *words: object) -> None:
    subprocess.run(
        [_program(name), *map(str, words)],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        **_as_user(),
    )


def _as_user() -> dict[str, Any]:
    """How a program is started that refuses to be root's."""
    return {"user": USER, "group": USER, "extra_groups": (), "cwd": "/"} if os.geteuid() == 0 else {}


def _give(folder: Path) -> None:
    if os.geteuid() == 0:
        shutil.chown(folder, USER, USER)
