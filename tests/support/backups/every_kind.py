"""Specimens of every kind of column: NULLs, empty lists, the ends of what a type holds, dates at the borders."""

from tests.support.loading.loads import query

COLUMNS = (
    "id", "text", "code", "small", "number", "big", "point", "ratio", "price", "fine", "at", "seen", "day", "flag",
    "key", "data", "raw", "tags",
)  # fmt: skip
# What a row holds, as PostgreSQL reads it; the third holds nothing.
ROWS = (
    (
        "1", "", "\\N", "-32768", "-2147483648", "-9223372036854775808", "-0.5", "-1.5", "-99999999.99",
        "-10000000000000000000000000.000000000001", "0001-01-01 00:00:00", "0001-01-02 00:00:00+00", "0001-01-01",
        "false", "00000000-0000-0000-0000-000000000000", '{"a": 1.50, "b": [null, "é"]}', "\\x00ff80c3", "{}",
    ),
    (
        "2", "line\nand \"quotes\", São 😀", "a,b", "32767", "2147483647", "9223372036854775807",
        "1.7976931348623157e308", "0.25", "99999999.99", "0.000000000001", "9999-12-31 23:59:59.999999",
        "9999-12-30 23:59:59.999999+00", "9999-12-31", "true", "ffffffff-ffff-4fff-bfff-ffffffffffff", "null", "\\x",
        '{a,NULL,"",NULL,"é"}',
    ),
    ("3", *(None,) * 17),
    (
        "4", "NULL", " ", "0", "0", "9007199254740993", "5e-324", "0", "0.01", "0", "2018-11-04 00:00:00",
        "1969-12-31 23:59:59.999999+00", "1970-01-01", "true", "00112233-4455-6677-8899-aabbccddeeff", '""', "\\x41",
        "{NULL}",
    ),
)  # fmt: skip


def every_kind() -> None:
    """Put these into the table of specimens."""
    names = ", ".join(f'"{name}"' for name in COLUMNS)
    places = ", ".join(["%s"] * len(COLUMNS))
    for row in ROWS:
        query(f"insert into specimens ({names}) values ({places})", *row)
