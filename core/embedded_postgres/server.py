"""Start, share and stop the server of one folder.

The folder holds ``data`` (PostgreSQL's own), ``run`` (its socket) and three lock files:

* ``control.lock`` is held alone while the server is started or stopped;
* ``users.lock`` is held in common by every process that uses the server, until it ends;
* ``server.lock`` is inherited by the server and all its children, so it is free only when none of them is left.

The kernel drops each lock with its process, so nothing has to be cleaned up after a kill -9.
"""

import atexit
import os
import threading
import time
from pathlib import Path

import psycopg2
from psycopg2 import sql

from core.embedded_postgres import locks
from core.embedded_postgres.cluster import Cluster, binary
from core.embedded_postgres.sockets import PORT, socket_folder
from core.embedded_postgres.system_user import SystemUser, system_user_for
from core.errors import EmbeddedPostgresFailed

USER = "postgres"
# Crash recovery replays up to max_wal_size and can take its time on a slow disk.
READY_TIMEOUT_SECONDS = 120
# Time for an orderly shutdown, left unfinished by a killed command, to write its last pages.
STOPPING_PATIENCE_SECONDS = 20
POLL_SECONDS = 0.05

__all__ = ["USER", "binary", "is_running", "join", "stop"]


class Server:
    """This process's part in the server of one folder."""

    def __init__(self, folder: Path) -> None:
        """Take note of the (absolute) folder; nothing starts yet."""
        self.folder = folder
        self._users: int | None = None
        self._socket = folder
        self._databases = {"postgres"}

    def join(self, database: str) -> Path:
        """Use the server until this process ends: start it and make the database where that is missing.

        Returns the folder of the socket. Raises EmbeddedPostgresFailed.
        """
        if self._users is not None and database in self._databases and self.is_running():
            return self._socket
        try:
            system_user = self._make_folder()
            with locks.exclusive(self.folder / "control.lock"):
                if self._users is None:
                    self._users = locks.share(self.folder / "users.lock")
                self._socket = self._run_until_ready(system_user)
                self._make_database(database)
        except OSError as error:
            raise EmbeddedPostgresFailed(
                folder=self.folder, problem=str(error), remedy="Mend that, or set DATABASE_URL to another server."
            ) from error
        return self._socket

    def leave(self) -> None:
        """End this process's use, and stop the server where no other process uses it."""
        if self._users is None or not self.folder.exists():
            return
        with locks.exclusive(self.folder / "control.lock"):
            self.forget()
            if self.is_running() and not locks.is_held(self.folder / "users.lock", by_anyone=True):
                self._end()

    def stop(self) -> None:
        """Stop the server, also under the feet of other processes (their next connection starts it again)."""
        if self.is_running():
            with locks.exclusive(self.folder / "control.lock"):
                self._end()

    def _end(self) -> None:
        """Stop it and wait for its last process: whoever joins meanwhile would take what is left for a server."""
        self._cluster().stop()
        deadline = time.monotonic() + STOPPING_PATIENCE_SECONDS
        while self.is_running() and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)

    def forget(self) -> None:
        """Drop this process's share of the users' lock, and no more."""
        if self._users is not None:
            os.close(self._users)
        self._users = None

    def is_running(self) -> bool:
        """Tell whether any process of the server is alive."""
        lock = self.folder / "server.lock"
        return lock.exists() and locks.is_held(lock)

    def _cluster(self, system_user: SystemUser | None = None) -> Cluster:
        return Cluster(folder=self.folder, system_user=system_user or system_user_for(self.folder))

    def _make_folder(self) -> SystemUser:
        system_user = system_user_for(self.folder)
        if not self.folder.exists():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        system_user.reach(self.folder / "data")
        return system_user

    def _run_until_ready(self, system_user: SystemUser) -> Path:
        cluster = self._cluster(system_user)
        begin = time.monotonic()
        while True:
            if not self.is_running():
                socket = socket_folder(self.folder, system_user)
                cluster.start(socket, timeout_seconds=READY_TIMEOUT_SECONDS)
                return socket
            # It may also be on its way down, left alone by a killed command.
            running = cluster.recorded_socket_folder()
            if running is not None and cluster.answers(running):
                return running
            waited = time.monotonic() - begin
            if waited > STOPPING_PATIENCE_SECONDS and cluster.is_stopping():
                cluster.stop()
            elif waited > READY_TIMEOUT_SECONDS:
                raise EmbeddedPostgresFailed(
                    folder=self.folder,
                    problem=f"the server runs but does not answer in {READY_TIMEOUT_SECONDS} seconds",
                    remedy=f"Its log is {cluster.log}.",
                )
            time.sleep(POLL_SECONDS)

    def _make_database(self, database: str) -> None:
        if database in self._databases:
            return
        connection = psycopg2.connect(host=str(self._socket), port=PORT, user=USER, dbname="postgres")
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("select 1 from pg_database where datname = %s", [database])
                if cursor.fetchone() is None:
                    statement = "create database {} template template0 encoding 'UTF8'"
                    cursor.execute(sql.SQL(statement).format(sql.Identifier(database)))
        finally:
            connection.close()
        self._databases.add(database)


_servers: dict[Path, Server] = {}
_guard = threading.RLock()


def join(folder: Path, *, database: str) -> Path:
    """Use the server of ``folder`` until this process ends; return the folder of its socket.

    Starts the server, and makes the database, where that is missing. Raises EmbeddedPostgresFailed.
    """
    with _guard:
        folder = folder.resolve()
        return _servers.setdefault(folder, Server(folder)).join(database)


def is_running(folder: Path) -> bool:
    """Tell whether any process of the folder's server is alive."""
    return Server(folder.resolve()).is_running()


def stop(folder: Path) -> None:
    """Stop the folder's server, whoever uses it; the next connection of any process starts it again."""
    Server(folder.resolve()).stop()


def _leave_all() -> None:
    for server in _servers.values():
        server.leave()


def _forget_in_child() -> None:
    # A forked child that wants the server joins for itself; the parent's share is not its own to keep.
    global _guard  # noqa: PLW0603 - the parent's lock may be held by a thread that the child does not have
    _guard = threading.RLock()
    for server in _servers.values():
        server.forget()
    _servers.clear()


atexit.register(_leave_all)
os.register_at_fork(after_in_child=_forget_in_child)
