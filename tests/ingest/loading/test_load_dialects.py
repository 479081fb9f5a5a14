"""The same records in whatever way a tool writes them: the load stores what was meant, or refuses; nothing else."""

import unicodedata
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, event, given, settings
from hypothesis import strategies as st

from core.errors import DataForgeError
from ingest.loading.load import load
from ingest.loading.options import LoadOptions
from ingest.readers.csv.signs import Signs, signs_asked
from olist.sample.layout import CellKind
from tests.support.loading.dialects import Cells, Dialect, skipped
from tests.support.loading.handed_on import rows_handed_on, rows_of
from tests.support.loading.loads import BY_NAME, PLAIN, hex_id, load_json, write_files

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("parents")]

type Tables = dict[str, list[Cells]]
type Rows = dict[str, set[tuple[Any, ...]]]

TABLES = ("geolocation", "products", "orders", "order_reviews")
PIECES = ["a", "é", "🚚", '"', '"', "\\", "\\", ",", "\n", "\r\n", " ", "'", "NA", "NULL", "\\N", "NaN", "0", ";", "\t"]
MIDNIGHTS = [f"{day} 00:00:00" for day in ("2018-03-09", "2018-08-27", "2017-10-15", "2018-02-18")]
TIMES = ["2018-02-17 23:30:00", "2018-03-01 10:56:33", "2017-12-31 23:59:59", "2018-11-04 01:00:00", *MIDNIGHTS]

PROSE = (
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=8)
    .map("".join)
    .map(lambda t: unicodedata.normalize("NFC", t))
)
COUNTS = st.none() | st.integers(0, 40_000).map(str)
COORDINATES = st.integers(-(2**52), 2**52).map(lambda number: repr(number / 2**46))
DIALECTS = st.builds(
    Dialect,
    quotes=st.sampled_from(["all", "texts", "needed"]),
    escape=st.sampled_from(["doubled", "doubled", "backslash"]),
    end=st.sampled_from(["\n", "\r\n"]),
    null=st.sampled_from(["", "\\N", "NA", "NULL"]),
    zone=st.sampled_from(["", "", "Z", "+00:00", "local"]),
    digits=st.sampled_from([17, 15]),
    bare_midnights=st.booleans(),
    turned=st.integers(0, 7),
    parts=st.sampled_from([1, 1, 2, 3]),
    packing=st.sampled_from(["", "", "gz", "zst"]),
)

# The first product and the first review show what their writer makes of nothing, of a quote and of a backslash.
NOTHING: Cells = dict.fromkeys(name for name in PLAIN["products"] if name != "product_id")
QUOTED: Cells = {"review_comment_message": 'disse "não" \\ e "sim"'}


def records(**members: st.SearchStrategy[str | None]) -> st.SearchStrategy[list[Cells]]:
    return st.lists(st.fixed_dictionaries(members), max_size=4)


POINTS = records(geolocation_lat=COORDINATES, geolocation_lng=COORDINATES)
PRODUCTS = records(product_weight_g=COUNTS, product_photos_qty=COUNTS)
ORDERS = records(
    order_purchase_timestamp=st.sampled_from(TIMES), order_delivered_carrier_date=st.none() | st.sampled_from(TIMES)
)
REVIEWS = records(
    review_comment_title=st.none() | PROSE,
    review_comment_message=st.none() | PROSE,
    review_creation_date=st.sampled_from(MIDNIGHTS),
)


@st.composite
def tables(draw: st.DrawFn) -> Tables:
    """Records of four tables, whole and right."""
    orders = [{}, *draw(ORDERS)]
    later = {
        "order_approved_at": None,
        "order_delivered_customer_date": None,
        "order_estimated_delivery_date": "2019-01-01 00:00:00",
    }
    answered = {"review_answer_timestamp": "2018-12-11 03:43:48"}
    changes: Tables = {
        "geolocation": [
            {"geolocation_zip_code_prefix": f"{number:05}", **point} for number, point in enumerate(draw(POINTS), 1000)
        ],
        "products": numbered("product_id", [NOTHING, *draw(PRODUCTS)]),
        "orders": numbered("order_id", [{**later, **order} for order in orders]),
        "order_reviews": numbered("review_id", [{**answered, **review} for review in [QUOTED, *draw(REVIEWS)]]),
    }
    return {name: [{**PLAIN[name], **change} for change in changes[name]] for name in changes}


def numbered(column: str, rows: list[Cells]) -> list[Cells]:
    return [{column: hex_id(number), **row} for number, row in enumerate(rows, 1)]


@pytest.fixture
def parents(committed: None, tmp_path: Path) -> None:
    """What the records refer to, stored."""
    load_json(write_files(tmp_path, {"customers": [{}], "product_category_name_translation": [{}]}))


def injective(dialect: Dialect, written: Tables) -> bool:
    """Say whether the dialect can say these records: no text is its NULL word, and each time has an offset."""
    for name, rows in written.items():
        for column in BY_NAME[name].columns:
            texts = [text for row in rows if (text := row[column.name])]
            if dialect.null in texts:
                return False
            if column.kind is CellKind.MOMENT and dialect.zone == "local" and any(map(skipped, texts)):
                return False
    return True


def meant(dialect: Dialect, written: Tables) -> Rows:
    """Return the rows that these records are, as far as the dialect can say them."""

    def value(kind: CellKind, text: str | None) -> Any:
        if not text:
            return None
        if kind is CellKind.MOMENT:
            return datetime.fromisoformat(text)
        if kind in {CellKind.LATITUDE, CellKind.LONGITUDE}:
            return float(f"{float(text):.{dialect.digits}g}")
        return int(text) if kind is CellKind.INTEGER else text

    return {
        name: {tuple(value(column.kind, row[column.name]) for column in BY_NAME[name].columns) for row in rows}
        for name, rows in written.items()
    }


def loaded(folder: Path, signs: Signs) -> tuple[int, Rows]:
    """Load the four files, all but for the commit; return the number of rejects (-1: refused), and the rows taken."""
    options = LoadOptions(tables=TABLES, dry_run=True, signs=signs)
    with rows_handed_on() as stretches:
        try:
            rejected = sum(report.rejected for report in load(str(folder), options).tables)
        except DataForgeError:
            rejected = -1
    return rejected, {name: rows_of(stretches, BY_NAME[name].names) for name in TABLES}


FOLDERS = count()
SEARCH = settings(
    deadline=None,
    max_examples=40,
    phases=[Phase.generate, Phase.shrink],  # an example costs a load: no explanations
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@given(dialect=DIALECTS, written=tables())
@SEARCH
def test_a_load_that_is_told_nothing_stores_what_was_meant_or_refuses(
    dialect: Dialect, written: Tables, tmp_path: Path
) -> None:
    assume(injective(dialect, written))
    rejected, rows = loaded(dialect.write(tmp_path / str(next(FOLDERS)), written), Signs())
    wanted = meant(dialect, written)
    assert {name: found - wanted[name] for name, found in rows.items() if found - wanted[name]} == {}
    assert rows == wanted or rejected
    event("refused" if rejected else "stored")


@given(dialect=DIALECTS, written=tables())
@SEARCH
def test_a_load_that_is_told_the_dialect_stores_all_that_was_meant(
    dialect: Dialect, written: Tables, tmp_path: Path
) -> None:
    assume(injective(dialect, written))
    signs = signs_asked("--{}", **dialect.asked)
    assert loaded(dialect.write(tmp_path / str(next(FOLDERS)), written), signs) == (0, meant(dialect, written))
