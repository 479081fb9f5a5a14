"""A server of its own, killed with all its processes in the middle of a load, as a power failure would."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest

from core.embedded_postgres import USER, join, stop
from olist.sample import write_sample
from tests.support.loading.loads import PROJECT, database_url, finish, spawn

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("committed")]


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


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory(prefix="dataforge-") as name:
        Path(name).chmod(0o755)
        cluster = Cluster(Path(name) / "pg")
        environment = {**os.environ, "DATABASE_URL": cluster.url, "DEBUG": "on", "SECRET_KEY": "of a test"}
        command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(command, cwd=PROJECT, env=environment, check=True, timeout=60)
        yield cluster
        stop(cluster.folder)


def test_a_server_killed_half_way_ends_the_load_clearly_and_the_next_one_completes(
    cluster: Cluster, tmp_path: Path
) -> None:
    write_sample(tmp_path / "files", scale=0.2, seed=5)
    process = spawn(tmp_path / "files", url=cluster.url)
    while not cluster.ask("select 1 from ingest_account limit 1"):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    cluster.kill()
    ran = finish(process)
    assert (ran.code, ran.out) == (3, "")
    assert "Traceback" not in ran.err  # a line before the last may say that the batch could not be marked failed
    assert ran.err.splitlines()[-1].endswith("run it again; what was not finished was not kept.")
    again = finish(spawn(tmp_path / "files", url=cluster.url))
    assert (again.code, again.err) == (0, "")
    assert cluster.ask("select 1 from ingest_account where unchanged > 0 limit 1")  # the file that was finished
    assert cluster.ask("select status from ingest_batch order by started_at") == [("failed",), ("accepted",)]
    last = finish(spawn(tmp_path / "files", url=cluster.url))
    assert "Nothing changed: every record was there already." in last.out
