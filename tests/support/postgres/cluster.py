"""A server of a test's own, which may be killed."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from core.embedded_postgres import USER, join, stop
from tests.support.loading.loads import PROJECT, database_url


@dataclass(frozen=True)
class Cluster:
    """A running server in ``folder``."""

    folder: Path

    @property
    def url(self) -> str:
        """Start the server where it does not run, and name its database."""
        return database_url(host=str(join(self.folder, database="victim")), port="5432", user=USER, dbname="victim")

    def ask(self, statement: str) -> list[tuple[object, ...]]:
        """Run a query on a connection of its own."""
        socket = join(self.folder, database="victim")
        connection = psycopg2.connect(host=str(socket), port=5432, user=USER, dbname="victim")
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall()
        finally:
            connection.close()

    def kill(self) -> None:
        """Kill the server and all its children at once."""
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if (entry / "cwd").samefile(self.folder / "data"):
                    os.kill(int(entry.name), signal.SIGKILL)
            except OSError:  # gone meanwhile, or somebody else's
                continue


@contextmanager
def migrated_cluster() -> Iterator[Cluster]:
    """Run a server of one's own, with all migrations."""
    with tempfile.TemporaryDirectory(prefix="dataforge-") as name:
        Path(name).chmod(0o755)
        cluster = Cluster(Path(name) / "pg")
        environment = {**os.environ, "DATABASE_URL": cluster.url, "DEBUG": "on", "SECRET_KEY": "of a test"}
        command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(command, cwd=PROJECT, env=environment, check=True, timeout=60)
        yield cluster
        stop(cluster.folder)
