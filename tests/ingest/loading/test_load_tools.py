"""Files that real tools have read and written again: each comes through value by value, or is refused by name.

What a tool loses itself (pandas takes the comment ``NA`` for nothing) nobody can know here: it is written beside it.
See docs/files.md, and for the recorded files tests/data/rewritten_files/README.md.
"""

from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from tests.support.loading import described, rewriters
from tests.support.loading.loads import PROJECT, load, load_json, nothing_stored
from tests.support.loading.rewriters import Rewriter, rewritten
from tests.support.loading.stored_rows import StoredRows, differences, stored_rows
from tests.support.postgres.emptying import empty_tables

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("committed")]

DATA = PROJECT / "tests" / "data" / "rewritten_files"
HARD = DATA / "original"
NULLS = 83  # cells of the original that hold nothing and have no quotes
TITLE, MESSAGE = "order_reviews.review_comment_title", "order_reviews.review_comment_message"


@dataclass(frozen=True, kw_only=True)
class Rewritten:
    """What a tool made of the files: by ``rewriter`` now, or else recorded in the folder ``recorded``.

    ``options``: what the load is to be told. ``lost``: values that the tool changed itself, and ``broken`` tables.
    ``counted``: repairs. ``digits``: of coordinates, as far as the tool writes them. ``refused``: what the load says
    without the options.
    """

    rewriter: Rewriter | None = None
    recorded: str = ""
    options: tuple[str, ...] = ()
    lost: Mapping[str, Set[tuple[str | None, str | None]]] = field(default_factory=dict)
    counted: Mapping[str, int] = field(default_factory=dict)
    broken: tuple[str, ...] = ()
    digits: int = 17
    refused: tuple[str, ...] = ()

    def folder(self, into: Path) -> Path:
        return rewritten(self.rewriter, HARD, into) if self.rewriter else DATA / self.recorded


ORIGINAL: list[StoredRows] = []


@pytest.fixture
def original(committed: None) -> StoredRows:
    """What the tables hold after a load of the files as they are."""
    if not ORIGINAL:
        tables = load_json(HARD).report["tables"]
        assert not any(counts["rejected"] or counts["repaired"] for counts in tables.values())
        ORIGINAL.append(stored_rows())
        empty_tables()
    return ORIGINAL[0]


# What the tools make of comments.
NO_OUTER_SPACES = {("   ", None), (" com espaços ", "com espaços"), ("\ttab\t", "tab")}
NO_LAST_LINE_FEED = {("linha 1\n\nlinha 3\n", "linha 1\n\nlinha 3")}
NO_CARRIAGE_RETURN = {("linha 1\r\nlinha 2", "linha 1\nlinha 2")}
DOUBLED_ONCE_MORE = {
    ('""', '""""'),
    ('"ok"', '""ok""'),
    ('\\"', '\\""'),
    ('a""b', 'a""""b'),
    ('ele disse "ok"', 'ele disse ""ok""'),
    ("não, 'não' e \"não\"", 'não, \'não\' e ""não""'),
}
AN_HOUR_LATER = {("2017-10-15 00:00:00", "2017-10-15 01:00:00")}  # a midnight that the clocks skipped
ZIPS = {"leading_zero": 46}
STAMPED = {"wall_time": 207}
TIMES = ("--times", "wall")
ASKS_TIMES = ("--times wall", "--times instant")
ASKS_ESCAPE = ("--escape backslash",)


def lost(*words: str) -> set[tuple[str | None, str | None]]:
    """These texts, which the tool takes for nothing."""
    return {(word, None) for word in words}


TOOLS: dict[str, Rewritten] = {
    "duckdb": Rewritten(rewriter=rewriters.duckdb_copy),
    "duckdb, timestamptz": Rewritten(
        rewriter=rewriters.duckdb_timestamptz, options=TIMES, counted=STAMPED, refused=ASKS_TIMES
    ),
    "polars, try_parse_dates": Rewritten(rewriter=rewriters.polars_dates, counted=ZIPS),
    "polars, all quoted": Rewritten(rewriter=rewriters.polars_as_text),
    "pandas": Rewritten(
        rewriter=rewriters.pandas_plain,
        lost={
            "geolocation": lost("01006", "01014", "01022"),  # their city is called null
            TITLE: lost("N/A", "NULL", "nan", "null"),
            MESSAGE: lost("<NA>", "N/A", "NA", "NULL", "None", "nan", "null"),
        },
        counted={"leading_zero": 43, "integral": 126},
    ),
    "pandas, as text": Rewritten(rewriter=rewriters.pandas_as_text),
    "pandas, to_datetime": Rewritten(rewriter=rewriters.pandas_times, counted={"midnight": 84}),
    "pandas, to_datetime(utc=True)": Rewritten(
        rewriter=rewriters.pandas_utc, options=TIMES, counted=STAMPED, refused=ASKS_TIMES
    ),
    "pyarrow": Rewritten(rewriter=rewriters.pyarrow_plain, counted=ZIPS),
    "python": Rewritten(rewriter=rewriters.python_csv),
    "python, escapechar": Rewritten(
        rewriter=rewriters.python_csv_backslash, options=("--escape", "backslash"), refused=ASKS_ESCAPE
    ),
    "sqlite": Rewritten(rewriter=rewriters.sqlite_python),
    "sqlite's shell": Rewritten(rewriter=rewriters.sqlite_shell),
    "chdb, now": Rewritten(rewriter=rewriters.chdb_with_names, counted={"null_word": NULLS}),
    "chdb": Rewritten(recorded="chdb", counted={"null_word": NULLS}),
    "csvkit": Rewritten(
        recorded="csvkit",
        broken=("order_payments",),  # its column of ones is one of True
        lost={
            "geolocation": lost("01006", "01014", "01022", "01007", "01015", "01023"),  # null and na
            TITLE: lost("   ", "N/A", "NULL", "null") | NO_CARRIAGE_RETURN,
            MESSAGE: lost("   ", ".", "N/A", "NA", "NULL", "None", "null") | NO_CARRIAGE_RETURN,
        },
        counted={"leading_zero": 40},
    ),
    "r": Rewritten(
        recorded="r_base",
        digits=15,
        lost={TITLE: NO_CARRIAGE_RETURN, MESSAGE: NO_CARRIAGE_RETURN | lost("NA")},
        counted={**ZIPS, "null_word": 43},
    ),
    "readr": Rewritten(
        recorded="readr",
        digits=15,
        options=TIMES,
        lost={TITLE: NO_OUTER_SPACES, MESSAGE: NO_OUTER_SPACES | lost("NA")},
        refused=ASKS_TIMES,
        counted={**STAMPED, "null_word": NULLS + 5},
    ),
    "readr, na": Rewritten(
        recorded="readr_na_empty",
        digits=15,
        options=TIMES,
        lost={TITLE: NO_OUTER_SPACES, MESSAGE: NO_OUTER_SPACES | lost("NA")},
        counted=STAMPED,
        refused=ASKS_TIMES,
    ),
    "data.table": Rewritten(
        recorded="data_table",
        digits=15,
        options=TIMES,
        lost={TITLE: DOUBLED_ONCE_MORE, MESSAGE: DOUBLED_ONCE_MORE | {('"', '""'), ('fim \\"', 'fim \\""')}},
        counted={**ZIPS, **STAMPED},
        refused=ASKS_TIMES,
    ),
    "spark, UTC": Rewritten(
        rewriter=described.spark("UTC"),
        options=TIMES,
        lost=dict.fromkeys((TITLE, MESSAGE), NO_OUTER_SPACES | NO_LAST_LINE_FEED),
        counted={**ZIPS, **STAMPED},
        refused=ASKS_TIMES,
    ),
    "spark, America/Sao_Paulo": Rewritten(
        rewriter=described.spark("America/Sao_Paulo"),
        lost={
            **dict.fromkeys((TITLE, MESSAGE), NO_OUTER_SPACES | NO_LAST_LINE_FEED),
            "orders.order_purchase_timestamp": AN_HOUR_LATER,
            "orders.order_approved_at": AN_HOUR_LATER,
            "orders.order_estimated_delivery_date": AN_HOUR_LATER,
            "order_reviews.review_creation_date": AN_HOUR_LATER,
        },
        counted={**ZIPS, "local_time": 207},
    ),
    "mariadb": Rewritten(
        rewriter=described.mariadb(),
        options=("--escape", "backslash"),
        counted={"null_word": NULLS},
        refused=ASKS_ESCAPE,
    ),
}


@pytest.mark.parametrize("name", TOOLS)
def test_what_a_tool_wrote_comes_through_value_by_value(name: str, tmp_path: Path, original: StoredRows) -> None:
    tool = TOOLS[name]
    ran = load_json(tool.folder(tmp_path / "out"), *tool.options)
    here = {table: rows for table, rows in original.items() if table not in tool.broken}
    assert differences(here, stored_rows(), digits=tool.digits) == tool.lost
    repaired: Counter[str] = Counter()
    for counts in ran.report["tables"].values():
        repaired.update(counts["repaired"])
    assert dict(repaired) == dict(tool.counted)


@pytest.mark.parametrize("name", [name for name in TOOLS if TOOLS[name].refused])
def test_what_a_tool_made_doubtful_is_refused_until_somebody_says(name: str, tmp_path: Path, committed: None) -> None:
    ran = load(TOOLS[name].folder(tmp_path / "out"))
    assert (ran.code, ran.out) == (2, "")
    assert [part for part in TOOLS[name].refused if part not in ran.err] == []
    assert nothing_stored()


@pytest.mark.parametrize("recorded", ["r_base", "readr", "data_table"])
def test_points_of_fewer_digits_are_those_that_are_stored(recorded: str, committed: None) -> None:
    load_json(HARD, "--table", "geolocation")
    counts = load_json(DATA / recorded, "--table", "geolocation").report["tables"]["geolocation"]
    assert (counts["unchanged"], counts["inserted"], counts["rejected"]) == (24, 0, 0)


def test_a_column_of_row_numbers_is_refused_with_what_to_write(tmp_path: Path, committed: None) -> None:
    ran = load(rewritten(rewriters.pandas_index, HARD, tmp_path / "out"))
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.count("write the file with index=False (pandas) or row.names=FALSE (R)") == 9
    assert nothing_stored()


def test_the_page_names_the_versions_that_are_tried() -> None:
    page = (PROJECT / "docs" / "files.md").read_text(encoding="utf-8")
    tried = {"DuckDB": duckdb, "Polars": pl, "pandas": pd, "PyArrow": pa}
    assert [name for name, module in tried.items() if f"{name} {module.__version__}" not in page] == []
