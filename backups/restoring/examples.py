"""Some of the rows in which a table and a file differ: old and new values, by the key that people know."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from psycopg2 import sql

from backups.files.manifest_rules import shown
from backups.tables import Shape
from core.postgres.tables import Cursor

EXAMPLES = 3  # of each kind
SHOWN_CHARACTERS = 60
ADDED, CHANGED, REMOVED = "+", "~", "-"
# Some rows of one kind as texts: as the table (t) has them now, and as the file (w) has them; c: what is to change.
_EXAMPLES = {
    ADDED: sql.SQL("""
select null::text[], {new} from {rows} as w where not exists (select from {changes} as c where {same_wanted})
order by {by_wanted} limit {limit}
"""),
    CHANGED: sql.SQL("""
select {old}, {new} from {changes} as c join {table} as t on {same_there} join {rows} as w on {same_wanted}
order by {by_there} limit {limit}
"""),
    REMOVED: sql.SQL("""
select {old}, null::text[] from {changes} as c join {table} as t on {same_there}
where not exists (select from {rows} as w where {same_wanted})
order by {by_there} limit {limit}
"""),
}

type Values = dict[str, str | None]


@dataclass(frozen=True, kw_only=True)
class RowDifference:
    """One row that a restore adds, changes or removes, its values as PostgreSQL writes them.

    ``key``: the natural key's. ``old`` and ``new``: all columns of a row that goes or comes, else those that change.
    """

    kind: str
    key: Values
    old: Values
    new: Values

    def __str__(self) -> str:
        """Write it in a line: its key, and what changes."""
        key = ", ".join(f"{name} {_text(value)}" for name, value in self.key.items())
        if self.kind != CHANGED:
            return f"{self.kind} {key}"
        values = ", ".join(f"{name} {_text(self.old[name])} -> {_text(value)}" for name, value in self.new.items())
        return f"{self.kind} {key}: {values}"

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)


def find_examples(
    cursor: Cursor, shape: Shape, columns: Sequence[str], *, changes: str, rows: str, counts: Mapping[str, int]
) -> tuple[RowDifference, ...]:
    """Read some rows of each kind of which ``counts`` has any.

    ``changes`` and ``rows``: the temporary tables of ``difference.find_difference``.
    """
    names: dict[str, sql.Composable] = {
        "old": _values("t", columns),
        "new": _values("w", columns),
        "table": shape.identifier,
        "changes": sql.Identifier(changes),
        "rows": sql.Identifier(rows),
        "same_there": same(shape.key, "t", "c"),
        "same_wanted": same(shape.key, "w", "c"),
        "by_there": _columns("t", shape.key),
        "by_wanted": _columns("w", shape.key),
        "limit": sql.Literal(EXAMPLES),
    }
    found = []
    for kind, query in _EXAMPLES.items():
        if counts.get(kind):
            cursor.execute(query.format(**names))
            found += [_difference(kind, shape, columns, old, new) for old, new in cursor.fetchall()]
    return tuple(found)


def same(columns: Sequence[str], left: str, right: str) -> sql.Composable:
    """Say that ``columns`` are equal in the rows with these aliases."""
    return sql.SQL(" and ").join(
        sql.SQL("{}.{} = {}.{}").format(*map(sql.Identifier, (left, name, right, name))) for name in columns
    )


def _difference(
    kind: str, shape: Shape, columns: Sequence[str], old: list[str | None] | None, new: list[str | None] | None
) -> RowDifference:
    before = dict(zip(columns, old or (), strict=bool(old)))
    after = dict(zip(columns, new or (), strict=bool(new)))
    key = {name: (before or after)[name] for name in shape.natural_key if name in columns}
    if kind == CHANGED:
        changed = [name for name in columns if before[name] != after[name]]
        before, after = ({name: values[name] for name in changed} for values in (before, after))
    return RowDifference(kind=kind, key=key, old=before, new=after)


def _text(value: str | None) -> str:
    if value is None:
        return "NULL"
    return value if value.isprintable() and 0 < len(value) <= SHOWN_CHARACTERS else shown(value)


def _values(alias: str, columns: Sequence[str]) -> sql.Composable:
    texts = [sql.SQL("{}.{}::text").format(sql.Identifier(alias), sql.Identifier(name)) for name in columns]
    return sql.SQL("array[{}]").format(sql.SQL(", ").join(texts))


def _columns(alias: str, columns: Sequence[str]) -> sql.Composable:
    return sql.SQL(", ").join(sql.Identifier(alias, name) for name in columns)
