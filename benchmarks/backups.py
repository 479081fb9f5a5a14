"""Backup against pg_dump and pandas, restore against pg_restore, merge against replace: tools of the same server."""

import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from django.db import connection, transaction

from benchmarks import backup_floors, scratch
from benchmarks.child import in_child
from benchmarks.frame import Contender, Contest, Peak, Row, Run

MIB = 1 << 20
TABLE = "olist_geolocation"
BACKUP, DUMP, PANDAS = "backup", "pg_dump -Fc -t", "pandas.read_sql, to_parquet"
RESTORE, PG_RESTORE, PG_RESTORE_2 = "restore", "pg_restore", "pg_restore -j2"
MERGE, REPLACE, REPLACE_DAMAGED = "merge, 1 % damage", "replace", "replace, 1 % damage"
BACKUP_ALL, DUMP_ALL = "backup --all", "pg_dump -Fc"
PANDAS_ALL = "pandas.read_sql, to_parquet, all tables"
FLOOR, FLOOR_ALL, FLOOR_RESTORE = (
    "COPY TO STDOUT, a table",
    "COPY TO STDOUT, all tables",
    "COPY, then constraints (table)",
)
# Copies of points, a little beside them, until the table has so many rows; then the rows beyond that number go.
_MORE_POINTS = """
insert into olist_geolocation (geolocation_zip_code_prefix, geolocation_lat, geolocation_lng, geolocation_city,
    geolocation_state)
select geolocation_zip_code_prefix, geolocation_lat + 0.000001, geolocation_lng, geolocation_city, geolocation_state
from olist_geolocation limit greatest({rows} - (select count(*) from olist_geolocation), 0) on conflict do nothing
"""
_NO_MORE_POINTS = """
delete from olist_geolocation where id in (select id from olist_geolocation order by id offset {rows})
"""
DATA_ONLY = "pg_restore --data-only"
NOTES = (
    """Ours hashes the table on the server, reads the finished file back and hashes that too; a restore checks the file,
    rebuilds all constraints, compares fingerprints and ends with ANALYZE. pg_dump and pg_restore do none of that.""",
    """Merge and replace are without their safety backup, which costs both the same. pg_restore knows no merge: beside
    one stand its runs that restore the whole table, a lost one or (data only) an emptied one.""",
    """All tables: pandas reads and writes those that `backup --all` does, one after the other; pg_dump and COPY take
    every table there is.""",
)


def back_up(store: str, *tables: str) -> None:
    """Back up as ``manage.py backup_table`` does; without ``tables``, as with --all."""
    from backups.backing_up.backup import backup
    from backups.files.store import Store

    backup(tables or None, store=Store(store))


def bring_back(path: str, mode: str) -> None:
    """Restore as ``manage.py restore_table`` does; ``mode`` may be empty."""
    from backups.restoring.restore import RestoreOrder, restore

    restore(RestoreOrder(TABLE, path=path, mode=mode or None), safety_backup=False)


def pandas_to_parquet(folder: str) -> None:
    """Do what most people do: read the table into a frame, write that."""
    _frame_to_parquet(f"select * from {TABLE} order by id", Path(folder) / "pandas.parquet")


def pandas_all_to_parquet(folder: str) -> None:
    """Do the same with every table that ``backup --all`` backs up, in no order."""
    from backups.tables import all_tables

    for table in all_tables():
        _frame_to_parquet(f"select * from {table}", _frame_path(Path(folder), table))


def _frame_to_parquet(query: str, path: Path) -> None:
    import pandas as pd

    with warnings.catch_warnings():
        # It knows only SQLAlchemy's connections; the driver's own, which these wrap, is a layer less, and quicker.
        warnings.filterwarnings("ignore", "pandas only supports SQLAlchemy", UserWarning)
        frame = pd.read_sql(query, connection.connection)
    frame.to_parquet(path, compression="zstd")


def contest(sample: Path, *, rows: int) -> Contest:
    """All rows, on a table of so many rows and on the whole database."""
    from benchmarks.loads import load_files

    folder = Path(tempfile.mkdtemp(prefix="dataforge-bench-"))  # its files go with the machine's temporary folder
    kept: list[str] = []
    copied = folder / "table.copy"

    def full() -> None:
        if _count() != rows or not kept:
            scratch.empty_tables()
            load_files(str(sample))
            _top_up(rows)
            back_up(str(folder / "kept"), TABLE)
            kept[:] = [str(next((folder / "kept").glob(f"*/{TABLE}/*.parquet")))]
            _tool("pg_dump", "-Fc", "-t", TABLE, "-f", str(folder / "table.dump"))
            backup_floors.copy_to_file(TABLE, copied)
        scratch.settle()

    def lost() -> None:
        full()
        _execute(f"truncate {TABLE}")
        scratch.settle()

    def gone() -> None:
        full()
        _execute(f"drop table {TABLE}")
        scratch.settle()

    def damaged() -> None:
        full()
        _execute(f"update {TABLE} set geolocation_lat = -geolocation_lat where id % 200 = 1")
        _execute(f"delete from {TABLE} where id % 400 = 2")
        _execute(f"update {TABLE} set id = id + 100000000 where id % 800 = 3")
        scratch.settle()

    all_there = partial(_expect, rows)

    def ours(
        name: str, prepare: Callable[[], None], work: Callable[..., None], *arguments: Callable[[], str]
    ) -> Contender:
        return Contender(
            name=name,
            prepare=prepare,
            run=lambda: in_child(work, *(argument() for argument in arguments)),
            check=all_there,
        )

    def tool(name: str, prepare: Callable[[], None], *arguments: str) -> Contender:
        return Contender(name=name, prepare=prepare, run=lambda: _tool(*arguments), check=all_there)

    def path() -> str:
        return kept[0]

    dump = str(folder / "table.dump")
    return Contest(
        name="backups",
        contenders=(
            ours(BACKUP, full, back_up, lambda: str(folder / "new"), lambda: TABLE),
            tool(DUMP, full, "pg_dump", "-Fc", "-t", TABLE, "-f", str(folder / "new.dump")),
            ours(FLOOR, full, backup_floors.copy_to_nowhere, lambda: TABLE),
            ours(PANDAS, full, pandas_to_parquet, lambda: str(folder)),
            ours(RESTORE, lost, bring_back, path, str),
            ours(FLOOR_RESTORE, lost, backup_floors.copy_back, lambda: TABLE, lambda: str(copied)),
            tool(DATA_ONLY, lost, "pg_restore", "--data-only", "-d", _database(), dump),
            tool(PG_RESTORE, gone, "pg_restore", "-d", _database(), dump),
            tool(PG_RESTORE_2, gone, "pg_restore", "-j2", "-d", _database(), dump),
            ours(MERGE, damaged, bring_back, path, lambda: "merge"),
            ours(REPLACE_DAMAGED, damaged, bring_back, path, lambda: "replace"),
            ours(BACKUP_ALL, full, back_up, lambda: str(folder / "new")),
            ours(FLOOR_ALL, full, backup_floors.copy_to_nowhere),
            tool(DUMP_ALL, full, "pg_dump", "-Fc", "-f", str(folder / "new.dump")),
            replace(
                ours(PANDAS_ALL, full, pandas_all_to_parquet, lambda: str(folder)), check=lambda: _expect_frames(folder)
            ),
        ),
        rows=(
            Row(work="backup of a table", ours=BACKUP, against=DUMP, bar=0.5),
            Row(work="backup of a table", ours=BACKUP, against=PANDAS, bar=0.5),
            Row(work="backup of a table", ours=BACKUP, against=FLOOR),
            Row(work="backup of the whole database", ours=BACKUP_ALL, against=DUMP_ALL, bar=0.5),
            Row(work="backup of the whole database", ours=BACKUP_ALL, against=PANDAS_ALL),
            Row(work="backup of the whole database", ours=BACKUP_ALL, against=FLOOR_ALL),
            Row(work="restore of a lost table", ours=RESTORE, against=PG_RESTORE, bar=1.0),
            Row(work="restore of a lost table", ours=RESTORE, against=PG_RESTORE_2, bar=1.0),
            Row(work="restore of a lost table", ours=RESTORE, against=DATA_ONLY),
            Row(work="restore of a lost table", ours=RESTORE, against=FLOOR_RESTORE),
            Row(work="merge of a table with 1 % damage", ours=MERGE, against=FLOOR_RESTORE),
            Row(work="merge of a table with 1 % damage", ours=MERGE, against=PG_RESTORE),
            Row(work="merge of a table with 1 % damage", ours=MERGE, against=DATA_ONLY),
            Row(work="merge of a table with 1 % damage", ours=MERGE, against=REPLACE_DAMAGED, bar=1.0),
        ),
        peaks=(
            Peak(work="backup of a table", ours=BACKUP, bar_bytes=500 * MIB),
            Peak(work="restore of a lost table", ours=RESTORE, bar_bytes=500 * MIB),
            Peak(work="merge of a table with 1 % damage", ours=MERGE, bar_bytes=500 * MIB),
            Peak(work="backup of the whole database", ours=BACKUP_ALL, bar_bytes=500 * MIB),
        ),
        notes=NOTES,
    )


def _tool(name: str, *arguments: str) -> Run:
    """Run a tool that came with the embedded server, on the scratch database."""
    from core.embedded_postgres.server import binary

    parameters = connection.get_connection_params()
    place = ["-h", str(parameters["host"]), "-p", str(parameters["port"]), "-U", str(parameters["user"])]
    database = [] if name == "pg_restore" else [_database()]
    started = time.perf_counter()
    subprocess.run([str(binary(name)), *place, *arguments, *database], check=True)
    return Run(seconds=time.perf_counter() - started)


def _database() -> str:
    return str(connection.settings_dict["NAME"])


def _count(table: str = TABLE) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"select count(*) from {table}")
        ((count,),) = cursor.fetchall()
    return int(count)


def _expect(rows: int) -> None:
    if _count() != rows:
        raise RuntimeError(f"{TABLE} has {_count():,} rows and not {rows:,}")


def _frame_path(folder: Path, table: str) -> Path:
    return folder / f"pandas-{table}.parquet"


def _expect_frames(folder: Path) -> None:
    from pyarrow import parquet

    from backups.tables import all_tables

    for table in all_tables():
        written = parquet.read_metadata(_frame_path(folder, table)).num_rows
        if written != _count(table):
            raise RuntimeError(f"pandas wrote {written:,} rows of {table} and not {_count(table):,}")


def _top_up(rows: int) -> None:
    """Bring the table to so many rows, with points a little beside those that it has."""
    _execute(_MORE_POINTS.format(rows=rows), _NO_MORE_POINTS.format(rows=rows))


def _execute(*statements: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
