"""A real PgBouncer in transaction mode before the tests' server, where there is one on this machine."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.db import connection, connections

from core.postgres.engine import poolers
from tests.support.loading.loads import database_url
from tests.support.postgres.sessions import wait_until

POOL_SIZE = 6
SETTINGS = """
[databases]
{database} = host={host} port={port} dbname={database} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {size}
min_pool_size = {size}
; each transaction on another session than the one before
server_round_robin = 1
max_client_conn = 200
query_wait_timeout = 30
"""


@dataclass(frozen=True)
class Pooler:
    """A running PgBouncer on loopback."""

    port: int
    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def url(self) -> str:
        """Name the tests' database behind it."""
        return database_url(host="127.0.0.1", port=str(self.port))

    def answers(self) -> bool:
        """Tell whether it takes connections."""
        assert self.process.poll() is None, self.log.read_text()
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False


@contextmanager
def running_pooler(*, size: int = POOL_SIZE) -> Iterator[Pooler]:
    """Run one with ``size`` connections to the server; skips the test where PgBouncer is not installed."""
    program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip("there is no pgbouncer on this machine: apt-get install --no-install-recommends pgbouncer")
    server: dict[str, Any] = connection.get_connection_params()
    with socket.socket() as unused, tempfile.TemporaryDirectory(prefix="dataforge-pooler-") as name:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        unused.close()
        folder = Path(name)
        # It refuses root, and the embedded server's socket lets nobody in but its own user.
        owner = Path(server["host"]).stat() if os.geteuid() == 0 and str(server["host"]).startswith("/") else None
        folder.chmod(0o755)
        (folder / "pgbouncer.ini").write_text(
            SETTINGS.format(
                database=server["dbname"],
                host=server["host"],
                port=server["port"],
                user=server["user"],
                listen=port,
                size=size,
            )
        )
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [program, str(folder / "pgbouncer.ini")],
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
                user=owner.st_uid if owner else None,
                group=owner.st_gid if owner else None,
                extra_groups=[] if owner else None,
            )
        pooler = Pooler(port, process, folder / "log")
        try:
            wait_until(pooler.answers)
            yield pooler
        finally:
            process.kill()
            process.wait()


@contextmanager
def through(pooler: Pooler) -> Iterator[None]:
    """Have all new connections of this process go through ``pooler``."""
    engine = type(connections["default"])
    straight = engine.get_connection_params

    def pooled(wrapper: Any) -> dict[str, Any]:
        return {**straight(wrapper), "host": "127.0.0.1", "port": pooler.port}

    connection.close()
    try:
        # That it takes no options is known of it alone, and not of the server that the settings name.
        known: Any = mock.patch.object(poolers, "_refusing", set())
        with known, mock.patch.object(engine, "get_connection_params", pooled):
            yield
            connection.close()
    finally:
        connection.close()
