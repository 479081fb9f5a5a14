"""A zone is known in every spelling in which a moment is, to the question and to both of its answers."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import batched
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.processing.records import Records
from ingest.readers.signs.times import TimesLook, to_wall_time
from ingest.rules.contract import Contract
from ingest.rules.normalise import MOMENT, TRIM
from ingest.rules.sources import find_source

COLUMN = "order_purchase_timestamp"
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1))
OFFSETS = st.integers(-12 * 4, 14 * 4).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))
cheap = settings(max_examples=30, deadline=None)
FORMS = st.sampled_from(["basic", "extended"])
PADS = st.sampled_from(["", " ", "\u00a0", "\t "])


def contract() -> Contract:
    source = find_source("orders")
    assert source is not None
    return source.contract


def records(*texts: str) -> Records:
    names = contract().names
    columns = {name: list(texts) if name == COLUMN else [""] * len(texts) for name in names}
    numbers = list(range(len(texts)))
    return Records(
        columns=pa.table(columns, schema=pa.schema([(name, pa.string()) for name in names])),
        position=pa.array(numbers, pa.int64()),
        raw=pa.array([text.encode() for text in texts], pa.binary()),
        line=pa.array([number + 2 for number in numbers], pa.int64()),
    )


def question(*texts: str, at_once: int = 100) -> str:
    look = TimesLook(contract())
    for some in batched(texts, at_once, strict=False):
        look.see(records(*some))
    return str(look.refusal or "")


def walls(*texts: str | None) -> list[str | None]:
    text, _ = to_wall_time(pa.array(texts, pa.string()))
    return [None if value is None else str(value) for value in text.to_pylist()]


@pytest.mark.parametrize(
    ("zoned", "wall"),
    [
        ("2018-03-01 10:00:00+00", "2018-03-01 10:00:00"),
        ("2018-03-01 10:00:00 UTC", "2018-03-01 10:00:00"),
        ("2018-03-01 10:00:00 GMT", "2018-03-01 10:00:00"),
        ("2018-03-01T10:00:00.000000000Z", "2018-03-01T10:00:00.000000000"),
        ("2018-03-01 10:00:00 -0330", "2018-03-01 10:00:00"),
        ("2018-03-01t10:00:00z", "2018-03-01t10:00:00"),
        ("2018-03-01T10:00Z", "2018-03-01T10:00"),
        ("2018-03-01T10:00+00", "2018-03-01T10:00"),  # as long as a time with seconds
        ("20180301T1000 +0000", "20180301T1000"),  # so is this
        ("20180301T100000Z", "20180301T100000"),
        ("20180301T1000+00", "20180301T1000"),
        (" 2018-03-01T10:00Z ", " 2018-03-01T10:00 "),
        ("\u00a02018-03-01 10:00:00,5+14:00\u00a0", "\u00a02018-03-01 10:00:00,5\u00a0"),
    ],
)
def test_a_zone_is_taken_off_whatever_its_spelling(zoned: str, wall: str) -> None:
    assert walls(zoned) == [wall]
    assert f"{COLUMN}: 1 of 1 values, " in question(zoned)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2018-03-01",
        "2018-03-01 10:00:00",
        "2018-03-01 10:00:00.123456",
        "2018-02-30 10:00:00Z",  # no day
        "2018-03-01 10:00:00+15:00",  # no zone
        "2018-03-01 10:00:00.1234567Z",  # a digit too many
        "10:00Z",
        "Z",
        "NA",
    ],
)
def test_what_has_no_zone_or_is_no_moment_stays_as_it_is(text: str) -> None:
    assert walls(text) == [text]
    assert question(text, text, text) == ""


def test_null_stays_null() -> None:
    assert walls(None, "2018-03-01T10:00:00Z", None, "2018-03-01 10:00:00") == [
        None,
        "2018-03-01T10:00:00",
        None,
        "2018-03-01 10:00:00",
    ]


@cheap
@given(
    MOMENTS,
    OFFSETS,
    PADS,
    st.sampled_from([" ", "T"]),
    st.sampled_from(["", ":"]),
    st.sampled_from(["basic", "extended"]),
)
def test_taking_a_zone_off_leaves_its_wall_clock(
    moment: datetime, offset: timezone, pad: str, between: str, colon: str, form: str
) -> None:
    zone = moment.replace(tzinfo=offset).strftime("%z")
    colon = "" if form == "basic" else colon
    layout = "%Y%m%dT%H%M%S.%f" if form == "basic" else f"%Y-%m-%d{between}%H:%M:%S.%f"
    (text,) = walls(f"{pad}{moment.strftime(layout)}{zone[:3]}{colon}{zone[3:]}{pad}")
    (ours,) = MOMENT.apply(TRIM.apply(pa.array([text]))).to_pylist()
    assert datetime.fromisoformat(str(ours)) == moment


@cheap
@given(st.lists(st.sampled_from(["2018-03-01 10:00:00", "", "2018-03-01T10:00Z", "2018-03-01T10:00+00", "x", "Z"])))
def test_a_zone_is_taken_off_among_others_as_alone(texts: list[str]) -> None:
    assert walls(*texts) == [wall for text in texts for wall in walls(text)]


@cheap
@given(
    st.lists(st.sampled_from(["2018-03-01 10:00:00", "", "2018-03-01T10:00Z", "2018-03-01 07:00:00-03", "x"])),
    st.integers(1, 5),
)
def test_a_question_is_asked_where_over_half_carry_zones_and_one_makes_a_difference(
    texts: list[str], at_once: int
) -> None:
    zoned = [text for text in texts if text.endswith(("Z", "-03"))]
    plain = [text for text in texts if text == "2018-03-01 10:00:00"]
    asks = len(zoned) > len(plain) and any(text.endswith("Z") for text in zoned)
    asked = question(*texts, at_once=at_once)
    assert bool(asked) == asks
    if asks:
        assert f"{len(zoned)} of {len(zoned) + len(plain)} values" in asked
        assert f"line {texts.index('2018-03-01T10:00Z') % at_once + 2}, " in asked


@cheap
@given(MOMENTS)
def test_a_zone_of_the_local_clock_is_no_question(moment: datetime) -> None:
    assert question(moment.replace(tzinfo=UTC).astimezone(ZoneInfo("America/Sao_Paulo")).isoformat()) == ""
