"""What other programs make of numbers and moments is read as what it was, or refused; never as something else."""

from datetime import UTC, datetime, timedelta, timezone

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.rules.normalise import INTEGRAL, MOMENT, local_time

ZONE = "America/Sao_Paulo"
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1))
OFFSETS = st.integers(-12 * 4, 14 * 4).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))


def plain(text: str) -> str:
    (found,) = INTEGRAL.apply(pa.array([text])).to_pylist()
    return str(found)


def spelled(text: str) -> str:
    (found,) = MOMENT.apply(pa.array([text])).to_pylist()
    return str(found)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("3e3", "3000"),
        ("3E4", "30000"),
        ("3e+04", "30000"),
        ("1.5e1", "15"),
        ("-2.50E+01", "-25"),
        ("100e-2", "1"),
        ("0e5", "0"),
        ("0.00e-3", "0"),
        ("9007199254740993e0", "9007199254740993"),
        ("12.345678901234567890123e21", "12345678901234567890123"),
    ],
)
def test_a_whole_number_with_an_exponent_is_written_in_plain_digits(text: str, number: str) -> None:
    assert plain(text) == number


@pytest.mark.parametrize("text", ["1.55e1", "105e-2", "5e-1", "1e999", "e3", "1e", "1e+", "--1e3", "1e3.0", "x"])
def test_a_number_that_is_not_whole_stays_as_it_came(text: str) -> None:
    assert plain(text) == text


@given(st.integers(-(10**18), 10**18), st.integers(0, 18), st.sampled_from(["e", "E", "e+"]))
def test_no_digit_is_lost_wherever_the_point_stands(number: int, places: int, mark: str) -> None:
    sign, digits = ("-", str(-number)) if number < 0 else ("", str(number))
    digits = digits.rjust(places + 1, "0")
    whole, fraction = digits[: len(digits) - places], digits[len(digits) - places :]
    point = "." if places else ""
    assert int(plain(f"{sign}{whole}{point}{fraction}{mark}{places:02}")) == number


@given(st.lists(st.sampled_from(["3e3", "7", "2.5e0", "51.0", "x", "10e-1"]), max_size=20))
def test_a_number_has_the_same_plain_digits_among_others_as_alone(texts: list[str]) -> None:
    assert INTEGRAL.apply(pa.array(texts, pa.string())).to_pylist() == [plain(text) for text in texts]


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("2018-08-01 10:00:00+00", "2018-08-01 10:00:00+00:00"),
        ("2018-08-01 10:00:00 UTC", "2018-08-01 10:00:00Z"),
        ("2018-08-01 10:00:00.000000000", "2018-08-01 10:00:00.000000"),
        ("2018-08-01T10:00:00.123456000Z", "2018-08-01T10:00:00.123456Z"),
        ("2018-08-01 10:00:00 -0300", "2018-08-01 10:00:00-0300"),
        ("2018-08-01T10:00Z", "2018-08-01T10:00:00Z"),
        ("2018-08-01T10:00", "2018-08-01T10:00:00"),
        ("20180801T100000Z", "2018-08-01T10:00:00Z"),
        ("20180801T1000-03", "2018-08-01T10:00:00-03:00"),
        ("2018-08-01t10:00:00,5z", "2018-08-01 10:00:00.5Z"),
    ],
)
def test_a_moment_in_another_spelling_is_written_in_ours(text: str, ours: str) -> None:
    assert spelled(text) == ours


@pytest.mark.parametrize(
    "text",
    [
        "2018-08-01",
        "2018-08-01 10",
        "2018-08-01 10:00:00.1234567",  # a digit that says something
        "2018-08-01 10:00:00-03:06:28",
        "20180801100000",
        "2018-0801T10:00",
        "10:00",
    ],
)
def test_what_is_no_moment_stays_as_it_came(text: str) -> None:
    assert spelled(text) == text


@given(MOMENTS, OFFSETS, st.sampled_from(["", " "]), st.sampled_from(["", ":"]), st.sampled_from(["basic", "extended"]))
def test_the_instant_is_the_same_in_every_spelling(
    moment: datetime, offset: timezone, blank: str, colon: str, form: str
) -> None:
    aware = moment.replace(tzinfo=offset)
    hours, minutes = aware.strftime("%z")[:3], aware.strftime("%z")[3:]
    day, clock, point = ("%Y%m%d", "T%H%M%S", ",") if form == "basic" else ("%Y-%m-%d", " %H:%M:%S", ".")
    between = "" if form == "basic" else colon
    zone = hours if minutes == "00" and not between else f"{hours}{between}{minutes}"
    text = f"{moment.strftime(day + clock)}{point}{moment.microsecond:06}000{blank}{zone}"
    (local,) = local_time("UTC").apply(MOMENT.apply(pa.array([text]))).to_pylist()
    assert datetime.fromisoformat(str(local)).replace(tzinfo=UTC) == aware


def test_in_a_zone_it_is_the_time_of_its_wall_clock() -> None:
    texts = pa.array(["2018-08-01 13:00:00 UTC", "20180801T130000Z", "2018-08-01 10:00:00 -03"])
    local = local_time(ZONE).apply(MOMENT.apply(texts)).to_pylist()
    assert {datetime.fromisoformat(str(moment)) for moment in local} == {datetime(2018, 8, 1, 10)}
