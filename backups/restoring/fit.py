"""Whether a file fits the table as it is now, perhaps after a migration: what is filled, what is refused by name."""

from dataclasses import dataclass

import pyarrow as pa

from backups.files.parquet import BackupFile
from backups.tables import Shape
from core.errors import BackupRefused
from core.postgres.column_types import TableColumn


@dataclass(frozen=True, kw_only=True)
class FileMatch:
    """How a file goes into its table: ``filled`` columns are not in the file; ``notes`` say what differs."""

    file: BackupFile
    shape: Shape
    filled: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def schema(self) -> pa.Schema:
        """The columns of the file."""
        return self.file.schema

    @property
    def rows(self) -> int:
        """How many rows the file holds."""
        return self.file.manifest.rows

    def complete(self, rows: pa.Table) -> pa.Table:
        """Add the filled columns to rows of the file, all NULL."""
        for name in self.filled:
            rows = rows.append_column(name, pa.nulls(rows.num_rows, self.shape.schema.field(name).type))
        return rows

    @property
    def complete_schema(self) -> pa.Schema:
        """The schema of ``complete``."""
        return self.complete(self.schema.empty_table()).schema


def match_file(file: BackupFile, shape: Shape) -> FileMatch:
    """Compare a file with its table; BackupRefused names everything that does not fit."""
    manifest = file.manifest
    if manifest.table != shape.name:
        raise BackupRefused(
            what=file.path,
            problem=f"it is a backup of {manifest.table}, not of {shape.name}",
            remedy="Name the table that it is of, or another backup.",
        )
    now = {column.name: column for column in shape.columns}
    problems = [problem for column in manifest.columns if (problem := _problem(column.name, file, shape, now))]
    missing = [column for column in shape.columns if column.name not in file.schema.names]
    problems += [
        f"column {column.name} is not in the file, and may not be NULL" for column in missing if column.not_null
    ]
    if manifest.key != shape.key:
        problems.append(f"the key was {', '.join(manifest.key)}, and is {', '.join(shape.key)}")
    if problems:
        raise BackupRefused(
            what=file.path,
            problem=f"it does not fit {shape.name}: {'; '.join(problems)}",
            remedy="Migrate back to when it was written (its manifest names the migration), restore, migrate again.",
        )
    filled = tuple(column.name for column in missing)
    notes = [f"column {name} is not in the file: NULL" for name in filled]
    notes += [
        f"column {column.name} was {column.type}, and is {now[column.name].type}"
        for column in manifest.columns
        if column.type != now[column.name].type
    ]
    return FileMatch(file=file, shape=shape, filled=filled, notes=tuple(notes))


def _problem(name: str, file: BackupFile, shape: Shape, now: dict[str, TableColumn]) -> str:
    was = next(column for column in file.manifest.columns if column.name == name)
    if name not in now:
        return f"column {name} is not in the table"
    if file.schema.field(name).type != shape.schema.field(name).type:
        return f"column {name} was {was.type}, and is {now[name].type}"
    if now[name].type == "jsonb" != was.type:
        return f"column {name} was {was.type}, and is jsonb"
    if now[name].not_null and was.nulls:
        return f"column {name} is NULL in {was.nulls:,} rows, and may not be NULL"
    return ""
