"""What Spark and MariaDB write, after the measurements of docs/files.md: neither is among the packages of the tests."""

import csv
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from olist.sample.layout import CellKind, FileLayout
from tests.support.loading.rewriters import Rewriter

type Cells = Sequence[str | None]  # None: nothing stands there; "": a quoted pair

FLOATS = {CellKind.MONEY, CellKind.LATITUDE, CellKind.LONGITUDE}


def spark(zone: str, *, escape: str = '"') -> Rewriter:
    """Spark 4.3.0, multiLine and inferSchema, in a session of ``zone``: times with their offset, no outer spaces.

    Times that the zone skipped are an hour later.
    """
    clock = ZoneInfo(zone)

    def cell(text: str | None, kind: CellKind) -> str:
        if text is None:
            return ""
        if kind is CellKind.MOMENT:
            moment = datetime.fromisoformat(text).replace(tzinfo=clock).astimezone(UTC).astimezone(clock)
            return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if kind is CellKind.ZIP:
            return str(int(text))
        if kind in FLOATS:
            return repr(float(text))
        text = text.strip()
        needs_quotes = not text or any(special in text for special in ',"\r\n')
        return '"' + text.replace('"', escape + '"') + '"' if needs_quotes else text

    def rewrite(table: FileLayout, read: Path, written: Path) -> None:
        kinds = [column.kind for column in table.columns]
        _put(written, [table.names, *([*map(cell, row, kinds)] for row in _rows(read))])

    return rewrite


def mariadb(*, escape: str = "\\") -> Rewriter:
    """MariaDB 10.11.19, INTO OUTFILE with ENCLOSED BY '"' and a header by UNION, which makes texts of all columns."""

    def cell(text: str | None) -> str:
        if text is None:
            return escape + "N" if escape else "NULL"
        for special in (escape, '"', "\n") if escape else ():
            text = text.replace(special, escape + special)
        return f'"{text}"'

    def rewrite(table: FileLayout, read: Path, written: Path) -> None:
        _put(written, [[*map(cell, row)] for row in [table.names, *_rows(read)]])

    return rewrite


def _rows(path: Path) -> Sequence[Cells]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, quoting=csv.QUOTE_NOTNULL))[1:]


def _put(path: Path, rows: Sequence[Sequence[str]]) -> None:
    path.write_bytes("".join(",".join(row) + "\n" for row in rows).encode())
