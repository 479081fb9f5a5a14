"""A server that dies while a table is copied out of it: the commands say so, and leave nothing half done."""

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import psycopg2
import pytest
from django.db import connection

from backups.backing_up import write_file
from backups.models import Backup
from core.postgres.copy_out import copy_out_batches
from tests.support.backups.runs import backup_file, content, files_in, run
from tests.support.loading.loads import query
from tests.support.postgres.wires import cut

ROWS = 60_000  # more than sockets hold by themselves
SMALL_BLOCK_BYTES = 1000


@pytest.fixture
def dying(committed: None, store: Path) -> Iterator[None]:
    """A backup of a table, and from here on a server that goes after the first rows of each COPY."""
    query("insert into shelves (id, name, size) select n, 'shelf ' || n, n %% 9 from generate_series(1, %s) n", ROWS)
    backup_file("shelves", store)

    def copied(cursor: Any, *query: Any, **options: Any) -> Iterator[Any]:
        for number, batch in enumerate(copy_out_batches(cursor, *query, **options)):
            if number == 0:
                cut(cursor.connection)
            yield batch

    with (
        mock.patch("core.postgres.copy_out.BLOCK_BYTES", SMALL_BLOCK_BYTES),
        mock.patch("backups.backing_up.write_file.copy_out_batches", copied),
        mock.patch("backups.restoring.difference.copy_out_batches", copied),
    ):
        yield
    connection.close()


@pytest.mark.usefixtures("dying")
@pytest.mark.parametrize(
    ("command", "work"),
    [
        (["backup_table", "shelves"], "the backup"),
        (["restore_table", "shelves", "--dry-run"], "the restore"),
        (["restore_table", "shelves", "--mode", "merge"], "the restore"),
    ],
)
def test_a_command_says_that_the_connection_was_lost_and_leaves_all_as_it_was(
    command: list[str], work: str, store: Path
) -> None:
    before, files = content("shelves"), files_in(store)
    ran = run(*command, code=3)
    assert f"The database failed during {work}: the connection was lost. See whether the server runs" in ran.err
    connection.close()
    assert content("shelves") == before
    assert files_in(store) == files
    assert Backup.objects.filter(status="done").count() == 1


def test_a_hash_that_cannot_be_cancelled_does_not_hide_why_it_should_be() -> None:
    gone = threading.Event()

    def cancel() -> None:
        gone.set()
        raise psycopg2.OperationalError("PQcancel() -- connect() failed: error 111")

    moment: Any = SimpleNamespace(second=SimpleNamespace(connection=SimpleNamespace(cancel=cancel)))
    shape: Any = SimpleNamespace(identifier=None, schema=None)
    with (
        mock.patch("backups.backing_up.write_file.server_fingerprint", side_effect=lambda *_: gone.wait(30)),
        pytest.raises(ZeroDivisionError),
        write_file._fingerprint(moment, shape),
    ):
        raise ZeroDivisionError
    assert gone.is_set()
