"""A server of its own, killed with all its processes in the middle of a load, as a power failure would."""

import time
from pathlib import Path

import pytest

from olist.sample import write_sample
from tests.support.loading.loads import finish, spawn
from tests.support.postgres.cluster import Cluster

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("committed")]


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
