"""`load_olist` as its users run it, folders of files for it, and a look at what it left in the database."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import quote, urlencode

from django.apps import apps
from django.db import connection

import manage
from core.postgres.fingerprint import Fingerprint, structure, table_fingerprint
from ingest.models import OUTCOMES
from olist.sample.layout import TABLES, FileLayout

PROJECT = Path(__file__).resolve().parents[3]
SHARED = PROJECT.parent / "shared" / "olist"
FILES = {table.name: table.file_name for table in TABLES}
BY_NAME = {table.name: table for table in TABLES}

type Row = dict[str, str]


def hex_id(number: int) -> str:
    """Return an id of 32 hexadecimal digits."""
    return f"{number:032x}"


MOMENT = "2018-03-01 10:00:00"
PLAIN: dict[str, Row] = {
    "product_category_name_translation": {
        "product_category_name": "livros",
        "product_category_name_english": "books",
    },
    "geolocation": {
        "geolocation_zip_code_prefix": "01037",
        "geolocation_lat": "-23.5",
        "geolocation_lng": "-46.6",
        "geolocation_city": "sao paulo",
        "geolocation_state": "SP",
    },
    "customers": {
        "customer_id": hex_id(1),
        "customer_unique_id": hex_id(1),
        "customer_zip_code_prefix": "01037",
        "customer_city": "sao paulo",
        "customer_state": "SP",
    },
    "sellers": {
        "seller_id": hex_id(1),
        "seller_zip_code_prefix": "01037",
        "seller_city": "sao paulo",
        "seller_state": "SP",
    },
    "products": {
        "product_id": hex_id(1),
        "product_category_name": "livros",
        **{column.name: "1" for column in BY_NAME["products"].columns[2:]},
    },
    "orders": {
        "order_id": hex_id(1),
        "customer_id": hex_id(1),
        "order_status": "delivered",
        **{column.name: MOMENT for column in BY_NAME["orders"].columns[3:]},
    },
    "order_items": {
        "order_id": hex_id(1),
        "order_item_id": "1",
        "product_id": hex_id(1),
        "seller_id": hex_id(1),
        "shipping_limit_date": MOMENT,
        "price": "13.20",
        "freight_value": "0.00",
    },
    "order_payments": {
        "order_id": hex_id(1),
        "payment_sequential": "1",
        "payment_type": "boleto",
        "payment_installments": "1",
        "payment_value": "13.20",
    },
    "order_reviews": {
        "review_id": hex_id(1),
        "order_id": hex_id(1),
        "review_score": "5",
        "review_comment_title": "",
        "review_comment_message": " bom\n ",
        "review_creation_date": MOMENT,
        "review_answer_timestamp": MOMENT,
    },
}
ONE_OF_EACH: dict[str, list[Row]] = {name: [{}] for name in PLAIN}


def write_files(folder: Path, tables: Mapping[str, Sequence[Row]]) -> Path:
    """Write all nine files: for each table its ``PLAIN`` record, changed in so many ways; else the header only."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in BY_NAME.items():
        rows = [{**PLAIN[name], **change} for change in tables.get(name, ())]
        write_csv(folder / table.file_name, table.names, ([row[column] for column in table.names] for row in rows))
    return folder


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]], **style: Any) -> None:
    """Write one file; ``style`` goes to ``csv.writer``, but for ``bom``."""
    bom = style.pop("bom", False)
    with path.open("w", encoding="utf-8-sig" if bom else "utf-8", newline="") as file:
        writer = csv.writer(file, **{"lineterminator": "\n", **style})
        writer.writerow(header)
        writer.writerows(rows)


def read_csv(folder: Path, table: FileLayout) -> list[Row]:
    """Read a clean file with Python's own reader."""
    with (folder / table.file_name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, strict=True))


@dataclass(frozen=True)
class Ran:
    """A finished command: its exit code, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """What ``--format json`` printed: one JSON object in one line, and nothing else."""
        assert self.out.count("\n") == 1, self.out
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """By table what became of its records, without the zeros."""
        tables = self.report["tables"]
        return {
            name: {outcome: counts[outcome] for outcome in ("read", *OUTCOMES) if counts[outcome]}
            for name, counts in tables.items()
        }


def load(source: Path | str, *options: str) -> Ran:
    """Run `manage.py load_olist` in this process, from its command line to its exit code."""
    arguments = ["manage.py", "load_olist", str(source), *options]
    with (
        redirect_stdout(io.StringIO()) as out,
        redirect_stderr(io.StringIO()) as err,
        mock.patch.object(sys, "argv", arguments),
    ):
        try:
            code: Any = manage.main()
        except SystemExit as stop:
            code = stop.code or 0
    return Ran(code=code, out=out.getvalue(), err=err.getvalue())


def load_json(source: Path | str, *options: str, code: int | None = None) -> Ran:
    """Run it with ``--format json``, which is to end with ``code``, or else as its status says."""
    ran = load(source, "--format", "json", *options)
    assert ran.code == (int('"status": "rejected"' in ran.out) if code is None else code), ran
    return ran


def spawn(source: Path, *options: str, url: str | None = None) -> subprocess.Popen[str]:
    """Run it in a process of its own, on the same database or that of ``url``."""
    command = [sys.executable, "manage.py", "load_olist", str(source), *options]
    environment = {**os.environ, "DATABASE_URL": url or database_url(), "DEBUG": "on", "SECRET_KEY": "of a test"}
    return subprocess.Popen(
        command, cwd=PROJECT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def finish(process: subprocess.Popen[str], *, timeout_seconds: float = 60) -> Ran:
    """Wait for a spawned load."""
    out, err = process.communicate(timeout=timeout_seconds)
    return Ran(code=process.returncode, out=out, err=err)


def database_url(**changes: str) -> str:
    """Name the tests' database as another process would; ``changes`` are to its host, port or dbname."""
    parameters = {**connection.get_connection_params(), **changes}
    user, password = (quote(str(parameters.get(name) or ""), safe="") for name in ("user", "password"))
    place = urlencode({name: parameters[name] for name in ("host", "port") if parameters.get(name)})
    return f"postgres://{user}{password and ':' + password}@/{parameters['dbname']}?{place}"


def assert_clear_error(ran: Ran, code: int, *parts: str) -> None:
    """Assert that the command failed with ``code`` and one line on stderr that holds all ``parts``."""
    assert ran.code == code, ran
    assert ran.out == ""
    assert ran.err.count("\n") == 1, ran.err
    for part in parts:
        assert part in ran.err


def query(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """Run a query and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


def seller_cities() -> list[str]:
    """Return the cities of the stored sellers, by key."""
    return [city for (city,) in query("select seller_city from olist_sellers order by seller_id")]


def db_tables() -> list[str]:
    """Return the nine database tables, parents first."""
    return [f"olist_{name}" for name in BY_NAME]


def fingerprints() -> dict[str, Fingerprint]:
    """Return what every table holds, but for the numbers that PostgreSQL gives to its rows."""
    with connection.cursor() as cursor:
        return {table: table_fingerprint(cursor, table, exclude=("id",)) for table in db_tables()}


def structures() -> dict[str, frozenset[tuple[str, str, str]]]:
    """Return columns, constraints and indexes of every table."""
    with connection.cursor() as cursor:
        return {table: structure(cursor, table) for table in db_tables()}


def versions() -> dict[str, list[tuple[Any, ...]]]:
    """Return place and writing transaction of every stored row."""
    return {table: query(f"select ctid::text, xmin::text from {table} order by ctid") for table in db_tables()}


def nothing_stored() -> bool:
    """Tell whether neither rows nor batches, accounts and rejects are there."""
    return not any(query(f"select 1 from {table} limit 1") for table in all_tables())


def all_tables() -> list[str]:
    """Return the database tables that a load writes to."""
    return [model._meta.db_table for app in ("olist", "ingest") for model in apps.get_app_config(app).get_models()]


def map_cells(folder: Path, into: Path, change: Callable[[FileLayout, str, str], str], **style: Any) -> Path:
    """Copy the nine clean files, each cell as ``change(table, column, text)`` has it, in the ``style`` of `write_csv`.

    ``style`` may also say ``reverse=True``: columns in the opposite order.
    """
    into.mkdir(exist_ok=True)
    step = -1 if style.pop("reverse", False) else 1
    for table in TABLES:
        rows = read_csv(folder, table)
        names = table.names[::step]
        cells = ([change(table, name, row[name]) for name in names] for row in rows)
        write_csv(into / table.file_name, names, cells, **style)
    return into
