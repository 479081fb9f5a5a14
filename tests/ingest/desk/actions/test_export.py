"""Files of rejects: what is posted back is what came, and what a spreadsheet opens cannot hurt."""

import csv
import io
import json
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings

from ingest.desk.actions.export import ABOUT, FORMS, for_spreadsheet, in_parts
from ingest.models import RejectedRecord
from ingest.rules.sources import find_source
from tests.support.api.client import ApiClient
from tests.support.api.parcels import record
from tests.support.desk.cells import CELLS, NUMBER, STARTERS, first_seen
from tests.support.loading.loads import hex_id

pytestmark = pytest.mark.django_db
POST = "/api/v1/batches/?table=sellers"
KINDS = {"ndjson": "application/x-ndjson", "csv": "text/csv"}
EVIL = [
    "'=1+1",
    "=1+1",
    "''",
    "'rio",
    "\t=1+1",
    " \r\n-rio\r",
    "\ufeff@x",
    "\x01\x1f\x7f\x85=",
    "a\nb,c,d,e",
    'say "=1"',
    "＝1",
    "é\u0301\u2028",
    "x" * 300_000,
    "=" * 70_000,
]


def export(form: str) -> str:
    source = find_source("sellers")
    assert source is not None
    numbers = list(RejectedRecord.objects.order_by("pk").values_list("pk", flat=True))
    return "".join(in_parts(numbers, source, FORMS[form]))


def cities() -> list[str]:
    return [kept.record["seller_city"] for kept in RejectedRecord.objects.order_by("pk") if kept.record]


def evil_records() -> list[dict[str, str]]:
    """Records that are refused for their state, each with a city that a door might change."""
    return [
        {**record("sellers"), "seller_id": hex_id(number), "seller_state": "'XX", "seller_city": city}
        for number, city in enumerate(EVIL)
    ]


def as_csv(rows: list[dict[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@pytest.fixture(params=["ndjson", "csv"])
def kept(request: pytest.FixtureRequest, api: ApiClient) -> str:
    """The evil records, refused, having come as NDJSON or as CSV."""
    rows = evil_records()
    body = as_csv(rows) if request.param == "csv" else "".join(f"{json.dumps(row)}\n" for row in rows)
    assert api.post(body.encode(), to=POST, kind=KINDS[request.param]).status == 422
    assert cities() == EVIL
    return str(request.param)


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("form", ["ndjson", "csv"])
def test_what_is_posted_back_is_what_came_to_the_last_character(api: ApiClient, form: str) -> None:
    before = list(RejectedRecord.objects.order_by("pk").values_list("record", flat=True))
    body = export(form).encode()
    RejectedRecord.objects.all().delete()
    assert api.post(body, to=POST, kind=KINDS[form]).status == 422
    assert list(RejectedRecord.objects.order_by("pk").values_list("record", flat=True)) == before


def test_what_came_as_json_is_exported_byte_for_byte(api: ApiClient) -> None:
    lines = [
        '{"seller_id": 12.500, "seller_city": true, "no_such": [1, {"a": "=1"}]}',
        '{"seller_id": "a", "seller_id": "b", "seller_state": NaN}',
        '{ "seller_city" : "\\ud800\\u0000\\n" }',
    ]
    api.post("\n".join(lines).encode(), to=POST, kind=KINDS["ndjson"])
    assert export("ndjson").splitlines() == lines
    api.post(export("ndjson").encode(), to=POST, kind=KINDS["ndjson"])
    assert list(RejectedRecord.objects.values_list("times_seen", flat=True)) == [2] * 3


def test_json_over_several_lines_is_exported_on_one(api: ApiClient) -> None:
    api.post(b'{"table": "sellers", "records": [{\r\n"seller_city":\n"a\\nb"}]}')
    (line,) = export("ndjson").splitlines()
    assert json.loads(line) == {"seller_city": "a\nb"}


def test_csv_to_be_posted_leaves_out_what_a_line_cannot_hold(api: ApiClient) -> None:
    rows = [{"seller_city": True}, {"seller_city": ["a"]}, {"no_such": "x"}, {"seller_city": "rio", "seller_state": 0}]
    api.post("".join(f"{json.dumps(row)}\n" for row in rows).encode(), to=POST, kind=KINDS["ndjson"])
    (row,) = csv.DictReader(io.StringIO(export("csv")))
    assert (row["seller_city"], row["seller_state"], row["seller_id"]) == ("rio", "0", "")


def spreadsheet() -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(export("spreadsheet").removeprefix("\ufeff"), newline="")))


@pytest.mark.usefixtures("kept")
def test_the_spreadsheet_tells_number_reasons_and_fields_of_each_reject() -> None:
    rows = spreadsheet()
    assert [row["reject_id"] for row in rows] == [
        str(number) for number in RejectedRecord.objects.order_by("pk").values_list("pk", flat=True)
    ]
    assert all("seller_state: " in row["reject_reasons"] for row in rows)
    assert [row["seller_city"] for row in rows[:4]] == ["''=1+1", "'=1+1", "''", "'rio"]
    assert {row["reject_whole"] for row in rows} == {""}


def test_the_spreadsheet_leaves_out_no_reject_and_no_field(api: ApiClient) -> None:
    lines = ['{"seller_id": ', '{"no_such": "=1"}', '{"seller_city": [false]}', '"\\ud800"']
    api.post("\n".join(lines).encode(), to=POST, kind=KINDS["ndjson"])
    assert [row["reject_whole"] for row in spreadsheet()] == lines
    assert [row["seller_city"] for row in spreadsheet()] == ["", "", "[false]", ""]


@pytest.mark.usefixtures("kept")
def test_a_cell_longer_than_a_spreadsheet_s_is_cut_and_says_so() -> None:
    long = [row["seller_city"] for row in spreadsheet()][-2:]
    assert [len(cell) < 17_000 for cell in long] == [True, True]
    assert long[0].endswith("x [cut: 300,000 characters in all]")


@pytest.mark.usefixtures("kept")
def test_the_file_for_a_spreadsheet_is_refused_where_records_are_taken(api: ApiClient) -> None:
    answered = api.post(export("spreadsheet").encode(), to=POST, kind="text/csv")
    assert answered.status == 400
    assert "has unknown 'reject_id'" in answered.text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(CELLS, CELLS, CELLS, CELLS)
@example("=1", "\t+x", "\ufeff@y", "\r\n＝z")
def test_no_cell_of_the_spreadsheet_begins_like_a_formula(name: str, value: str, message: str, file: str) -> None:
    reject = RejectedRecord(
        pk=1,
        table="sellers",
        batch_id=uuid4(),
        file_name=file,
        position=0,
        status="open",
        raw=value.encode(),
        correction={name: value},
        reasons=[{"field": name, "message": message}, {"field": None, "message": message}],
    )
    text = for_spreadsheet([reject], [name], first=True).removeprefix("\ufeff")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert [len(row) for row in rows] == [len(ABOUT) + 1] * 2
    cells = [cell for row in rows for cell in row if not NUMBER.fullmatch(cell)]
    assert {first_seen(cell) for cell in cells}.isdisjoint(STARTERS)
