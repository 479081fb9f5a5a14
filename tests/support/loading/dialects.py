"""Ways to write the same records as CSV: quotes, escapes, line ends, NULL, zones, digits, order, parts, packing."""

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import pyarrow as pa

from olist.sample.layout import CellKind, FileColumn
from tests.support.loading.loads import BY_NAME

type Cells = dict[str, str | None]  # a record by its columns; None: nothing

LOCAL = ZoneInfo("America/Sao_Paulo")
BARE = {CellKind.INTEGER, CellKind.MONEY, CellKind.LATITUDE, CellKind.LONGITUDE, CellKind.MOMENT}
FLOATS = {CellKind.LATITUDE, CellKind.LONGITUDE}
MIDNIGHT = " 00:00:00"


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """A way to write records.

    ``quotes``: around everything that is not NULL, around texts, or where they are needed. ``escape``: how a quote in
    a text is written; a backslash writes backslashes and line feeds too. ``null``: what stands, without quotes, where
    nothing is. ``zone``: what follows a wall-clock time; ``local`` is the true offset. ``digits``: of coordinates.
    ``bare_midnights``: of a column of several midnights, only the dates are written. ``turned``: how far the columns
    are rotated. ``parts``: more than one is a folder of so many files.
    """

    quotes: Literal["all", "texts", "needed"] = "needed"
    escape: Literal["doubled", "backslash"] = "doubled"
    end: Literal["\n", "\r\n"] = "\n"
    null: str = ""
    zone: Literal["", "Z", "+00:00", "local"] = ""
    digits: Literal[15, 17] = 17
    bare_midnights: bool = False
    turned: int = 0
    parts: int = 1
    packing: Literal["", "gz", "zst"] = ""

    @property
    def asked(self) -> dict[str, str]:
        """Name what a load would otherwise have to find out, as its options have it."""
        times = {"": "", "local": "instant"}.get(self.zone, "wall")
        escape = "backslash" if self.escape == "backslash" else "none"
        return {"times": times, "null": self.null or "none", "escape": escape}

    def write(self, folder: Path, tables: Mapping[str, Sequence[Cells]]) -> Path:
        """Write a file, or folder of parts, for each table."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, records in tables.items():
            table = BY_NAME[name]
            turned = self.turned % len(table.columns)
            columns = [*table.columns[turned:], *table.columns[:turned]]
            bare = {column.name for column in columns if self.bare_midnights and _at_midnight(column, records)}
            lines = [[self._cell(record[c.name], c, bare=c.name in bare) for c in columns] for record in records]
            header = [self._quoted(column.name) if self.quotes == "all" else column.name for column in columns]
            if self.parts == 1:
                self._put(folder / table.file_name, [header, *lines])
                continue
            (folder / table.file_name).mkdir()
            size = -(-len(lines) // self.parts)
            for part in range(self.parts):
                here = lines[part * size : (part + 1) * size]
                self._put(folder / table.file_name / f"part-{part:05}.csv", [header, *here])
        return folder

    def meant(self, kind: CellKind, text: str | None) -> str | float | None:
        """Return what a value says, as far as the dialect can say it."""
        if not text:
            return None
        if kind not in FLOATS:
            return text
        return float(f"{float(text):.{self.digits}g}")

    def _put(self, path: Path, lines: Sequence[Sequence[str]]) -> None:
        text = "".join(",".join(line) + self.end for line in lines).encode()
        if self.packing == "gz":
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(text))
        elif self.packing == "zst":
            with pa.CompressedOutputStream(str(path) + ".zst", "zstd") as out:
                out.write(text)
        else:
            path.write_bytes(text)

    def _cell(self, text: str | None, column: FileColumn, *, bare: bool) -> str:
        if text is None:
            return self.null
        if column.kind is CellKind.MOMENT:
            text = text.removesuffix(MIDNIGHT) if bare else text + self._offset(text)
        elif column.kind in FLOATS:
            text = f"{float(text):.15g}" if self.digits == 15 else text
        needed = any(special in text for special in ',"\r\n') or (self.escape == "backslash" and "\\" in text)
        texts = self.quotes == "texts" and column.kind not in BARE
        return self._quoted(text) if needed or texts or self.quotes == "all" else text

    def _offset(self, text: str) -> str:
        if self.zone != "local":
            return self.zone
        return datetime.fromisoformat(text).replace(tzinfo=LOCAL).isoformat()[-6:]

    def _quoted(self, text: str) -> str:
        if self.escape == "doubled":
            return '"' + text.replace('"', '""') + '"'
        for special in '\\"\n':
            text = text.replace(special, "\\" + special)
        return f'"{text}"'


def skipped(text: str) -> bool:
    """Say whether Brazil's clocks never showed this time: no true offset belongs to it."""
    wall = datetime.fromisoformat(text).replace(tzinfo=LOCAL)
    return wall.astimezone(UTC).astimezone(LOCAL).replace(tzinfo=None) != wall.replace(tzinfo=None)


def _at_midnight(column: FileColumn, records: Sequence[Cells]) -> bool:
    texts = [text for record in records if (text := record[column.name])]
    return column.kind is CellKind.MOMENT and len(texts) > 1 and all(text.endswith(MIDNIGHT) for text in texts)
