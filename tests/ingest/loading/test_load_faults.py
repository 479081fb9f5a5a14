"""Loads that are killed, cut off or interrupted leave whole files or nothing, and the next one completes them."""

import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from core.postgres.fingerprint import Fingerprint
from ingest.models import Account, Batch
from olist.sample import write_sample
from tests.support.loading.loads import (
    FILES,
    ONE_OF_EACH,
    assert_clear_error,
    fingerprints,
    finish,
    hex_id,
    load,
    load_json,
    query,
    spawn,
    structures,
    write_files,
)
from tests.support.postgres.emptying import empty_tables
from tests.support.postgres.sabotage import sabotage
from tests.support.postgres.sessions import lock_is_awaited, transaction_elsewhere, wait_until

pytestmark = pytest.mark.usefixtures("committed")
PATIENCE_SECONDS = 30
NAMES = list(FILES)
KNOWN: dict[Path, dict[str, Fingerprint]] = {}


def wait_for(ready: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait for a moment in the life of ``process``."""

    def reached() -> bool:
        there = ready()
        assert there or process.poll() is None, process.communicate()
        return there

    wait_until(reached)


@contextmanager
def held_at(table: str, source: Path) -> Iterator[subprocess.Popen[str]]:
    """Return a load in a process of its own that waits for ``table``, which is locked here.

    It comes to wait where it first needs the table alone: at the file of a table that it refers to.
    """
    with transaction_elsewhere() as cursor:
        cursor.execute(f"lock table olist_{table} in row exclusive mode")
        process = spawn(source)
        try:
            wait_for(lambda: lock_is_awaited(f"olist_{table}"), process)
            yield process
        finally:
            process.kill()
            process.communicate()


def undisturbed(folder: Path) -> dict[str, Fingerprint]:
    """Return what a load that nothing disturbs makes of ``folder``."""
    if folder not in KNOWN:
        load_json(folder)
        KNOWN[folder] = fingerprints()
        empty_tables()
    return KNOWN[folder]


def wait_for_end_of_sessions() -> None:
    """Wait until the server has noticed that its client is dead."""
    others = "select 1 from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()"
    here = " and database = (select oid from pg_database where datname = current_database())"
    wait_until(lambda: not query(others + here))


@pytest.mark.slow
def test_a_load_keeps_others_out_and_what_it_finished_before_its_death_is_not_loaded_again(small: Path) -> None:
    expected, built = undisturbed(small), structures()
    with held_at("order_payments", small) as process:
        busy = load(small)
        dead = Batch.objects.get(status="running")
        assert_clear_error(busy, 3, f"held by load {dead.pk} (pid ", "Run it again when that has ended")
        process.kill()
    wait_for_end_of_sessions()
    finished = set(dead.accounts.values_list("table", flat=True))
    assert dead.status == "running"
    assert finished | {"geolocation"} == set(NAMES[: NAMES.index("orders")]) | {"geolocation"}  # which may come last
    assert structures() == built
    again = load_json(small)
    assert (again.code, again.err) == (0, "")
    for name in NAMES:
        assert ("inserted" in again.counts[name]) == (name not in finished)
    dead.refresh_from_db()
    assert (dead.status, dead.error) == ("failed", "The process ended before the load did.")
    assert dead.finished_at is not None
    assert (fingerprints(), structures()) == (expected, built)
    assert "Nothing changed" in load(small).out


def test_a_file_that_changed_since_the_dead_run_is_compared_in_full(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "files", ONE_OF_EACH)
    with sabotage("olist_orders", "raise exception 'no' using errcode = '53100';"):
        assert load(folder).code == 3
    write_files(folder, {**ONE_OF_EACH, "customers": [{}, {"customer_id": hex_id(2)}]})
    again = load_json(folder)
    assert again.counts["customers"] == {"read": 2, "inserted": 1, "unchanged": 1}
    assert again.counts["sellers"] == {"read": 1, "unchanged": 1}
    assert again.counts["orders"] == {"read": 1, "inserted": 1}


@pytest.mark.parametrize("change", ["rows are lost", "a reject is asked for again"])
def test_a_finished_file_is_compared_again_unless_its_table_holds_all_of_it(change: str, tmp_path: Path) -> None:
    lost = change == "rows are lost"
    customers = [{}, {"customer_id": hex_id(2)}, *([] if lost else [{"customer_id": "x"}])]
    folder, out = write_files(tmp_path / "files", {**ONE_OF_EACH, "customers": customers}), tmp_path / "rejects"
    with sabotage("olist_orders", "raise exception 'no' using errcode = '53100';"):
        assert load(folder).code == 3
    if lost:
        query(f"delete from olist_customers where customer_id = '{hex_id(2)}'")
    again = load_json(folder, "--rejects-out", str(out))
    lacked = {"inserted": 1, "unchanged": 1} if lost else {"unchanged": 2, "rejected": 1}
    assert again.counts["customers"] == {"read": len(customers), **lacked}
    assert out.read_text().count("\n") == len(customers) - 2


def test_ctrl_c_while_another_session_holds_the_table_ends_at_once_and_the_next_load_completes_it(small: Path) -> None:
    expected, built = undisturbed(small), structures()
    with held_at("order_payments", small) as process:
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        ran = finish(process)
        assert time.monotonic() - begun < 15
    assert_clear_error(ran, 130, "Interrupted: the files that were finished stay")
    assert_completed_after_ctrl_c(small, expected, built)


def assert_completed_after_ctrl_c(folder: Path, expected: dict[str, Fingerprint], built: Any) -> None:
    """Assert that the only load so far failed half way, and that the next one gives what is ``expected``."""
    batch = Batch.objects.get()
    assert batch.status == "failed"
    assert 1 <= batch.accounts.count() < len(NAMES)
    assert load_json(folder).report["status"] == "accepted"
    assert (fingerprints(), structures()) == (expected, built)


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clean files that take a second or two, on a busy machine too: there is time to interrupt."""
    folder = tmp_path_factory.mktemp("large")
    write_sample(folder, scale=0.15, seed=8)
    return folder


@pytest.mark.slow
def test_ctrl_c_ends_the_load_with_130_and_the_next_one_completes_it(large: Path) -> None:
    expected, built = undisturbed(large), structures()
    process = spawn(large)
    wait_for(Account.objects.exists, process)
    process.send_signal(signal.SIGINT)
    assert_clear_error(finish(process), 130, "Interrupted: the files that were finished stay")
    assert_completed_after_ctrl_c(large, expected, built)


def kill_at_random_moments(folder: Path, *, seed: int, kills: int) -> None:
    """Load ``folder``, killed again and again, until a load that nothing disturbs completes it."""
    expected, built = undisturbed(folder), structures()
    moments = random.Random(seed)
    for _ in range(kills):
        process = spawn(folder)
        done = Account.objects.count() if moments.random() < 0.5 else -1
        wait_for(lambda: Batch.objects.filter(status="running").exists(), process)
        wait_for(lambda done=done: Account.objects.count() > done, process)  # type: ignore[misc] # bound early
        time.sleep(moments.uniform(0, 0.5))
        process.kill()
        process.communicate()
        wait_for_end_of_sessions()
        assert structures() == built
        whole = fingerprints()
        for table, fingerprint in whole.items():  # each file is wholly there or wholly absent; categories come in two
            assert fingerprint.rows == 0 or fingerprint == expected[table] or "translation" in table
        assert Batch.objects.filter(status="running").count() <= 1
    assert load_json(folder).report["status"] == "accepted"
    assert (fingerprints(), structures()) == (expected, built)
    assert set(Batch.objects.order_by("-started_at")[1:].values_list("status", flat=True)) <= {"failed", "accepted"}
    assert "Nothing changed" in load(folder).out


@pytest.mark.slow
def test_a_load_killed_at_random_moments_completes_when_it_is_run_again(large: Path) -> None:
    kill_at_random_moments(large, seed=1, kills=2)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 7))
def test_a_load_killed_many_times_completes_in_the_end(seed: int, large: Path) -> None:
    kill_at_random_moments(large, seed=seed, kills=5)


FAULTS = {
    "disk_full": ("raise exception 'could not extend file' using errcode = '53100';", ("disk is full",)),
    "connection_lost": ("perform pg_terminate_backend(pg_backend_pid());", ("run it again",)),
}


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_server_half_way_is_said_and_the_next_load_completes(
    fault: str, *, stored: bool, small: Path, tmp_path: Path
) -> None:
    body, parts = FAULTS[fault]
    expected, built = undisturbed(small), structures()
    if stored:
        order = [{"order_id": hex_id(1), "customer_id": hex_id(1)}]
        load_json(write_files(tmp_path / "before", {"customers": [{}], "orders": order}))
    before = fingerprints()
    with sabotage("olist_orders", body):
        ran = load(small)
    assert (ran.code, ran.out) == (3, "")
    assert "Traceback" not in ran.err
    last = ran.err.splitlines()[-1]  # psycopg2 itself may print before it that the connection went
    assert all(part in last for part in parts), ran.err
    halted = fingerprints()
    later = [f"olist_{name}" for name in NAMES[NAMES.index("orders") :]]
    assert [halted[table] for table in later] == [before[table] for table in later]
    assert structures() == built
    broken = Batch.objects.latest("started_at")
    assert broken.status in {"failed", "running"}  # running: the connection to say so was gone
    again = load_json(small)
    broken.refresh_from_db()
    assert (broken.status, again.report["status"]) == ("failed", "accepted")
    if stored:
        query("delete from olist_orders where order_id = %s", hex_id(1))
        query("delete from olist_customers where customer_id = %s", hex_id(1))
    assert fingerprints() == expected
    assert structures() == built
