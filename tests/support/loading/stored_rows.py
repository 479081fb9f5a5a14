"""What the nine tables hold, value by value, and what differs from what they held before."""

from tests.support.loading.loads import BY_NAME, query

type Text = str | None
type StoredRows = dict[str, dict[tuple[Text, ...], dict[str, Text]]]  # by table and key: each value as text
type Differences = dict[str, set[tuple[Text, Text]]]

# The key of a point is its whole row, coordinates with it: here each has a zip prefix of its own.
KEYS = {name: table.key for name, table in BY_NAME.items()} | {"geolocation": ("geolocation_zip_code_prefix",)}
COORDINATES = {"geolocation_lat", "geolocation_lng"}


def stored_rows() -> StoredRows:
    """Return each value as PostgreSQL writes it."""
    found: StoredRows = {}
    for name, table in BY_NAME.items():
        columns = ", ".join(f"{column}::text" for column in table.names)
        rows = [dict(zip(table.names, row, strict=True)) for row in query(f"select {columns} from olist_{name}")]
        found[name] = {tuple(row[column] for column in KEYS[name]): row for row in rows}
        assert len(found[name]) == len(rows), name
    return found


def differences(before: StoredRows, after: StoredRows, *, digits: int) -> Differences:
    """Return by ``table.column`` each value that is another now, and by table the keys that are gone or new.

    Coordinates are compared at so many ``digits``.
    """
    found: Differences = {}
    for table, rows in before.items():
        for key in rows.keys() ^ after[table].keys():
            pair = (_name(key), None) if key in rows else (None, _name(key))
            found.setdefault(table, set()).add(pair)
        for key in rows.keys() & after[table].keys():
            for column, value in rows[key].items():
                now = after[table][key][column]
                if _at(digits, column, value) != _at(digits, column, now):
                    found.setdefault(f"{table}.{column}", set()).add((value, now))
    return found


def _name(key: tuple[Text, ...]) -> str:
    return " ".join(map(str, key))


def _at(digits: int, column: str, text: Text) -> Text:
    return f"{float(text):.{digits}g}" if text and column in COORDINATES else text
