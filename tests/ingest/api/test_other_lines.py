"""A body of CSV is cut like a file: lines that are no records are skipped, and marks before records taken off."""

import pytest

from ingest.models import Account, RejectedRecord
from tests.support.api.client import ApiClient
from tests.support.loading.loads import hex_id, query

pytestmark = pytest.mark.django_db

SELLERS = "/api/v1/batches/?table=sellers"
HEADER = "seller_id,seller_zip_code_prefix,seller_city,seller_state\n"


def line(number: int, *, state: str = "SP") -> str:
    return f"{hex_id(number)},01037,sao paulo,{state}\n"


def test_joined_and_padded_files_are_taken_and_told(api: ApiClient) -> None:
    body = f"\ufeff{HEADER}{line(1)}\n\ufeff{HEADER}\ufeff{line(2)},,,\n{line(3, state='XX')} , ,,\n"
    answer = api.post(body.encode(), to=f"{SELLERS}&results=all", kind="text/csv")
    assert (answer.status, answer.counts) == (207, {"read": 3, "inserted": 2, "rejected": 1})
    table = answer.json["tables"]["sellers"]
    assert table["skipped"] == {"header_line": 1, "blank_line": 3}
    assert table["repaired"] == {"byte_order_mark": 1}
    assert [(result["index"], result["outcome"]) for result in answer.json["results"]] == [
        (0, "inserted"),
        (1, "inserted"),
        (2, "rejected"),
    ]
    assert RejectedRecord.objects.get().line == 7
    account = Account.objects.get()
    assert (account.skipped, account.read) == ({"header_line": 1, "blank_line": 3}, 3)
    shown = api.get(f"/api/v1/batches/{answer.json['id']}/").json
    assert shown["tables"]["sellers"]["skipped"] == {"header_line": 1, "blank_line": 3}


def test_lines_that_are_no_records_do_not_count_for_the_bound(api: ApiClient) -> None:
    records = "".join(map(line, range(1_000)))
    body = f"{HEADER}{',,,\n' * 5_000}{records}{HEADER}"
    answer = api.post(body, to=f"{SELLERS}&results=summary", kind="text/csv")
    assert (answer.status, answer.counts) == (201, {"read": 1_000, "inserted": 1_000})
    assert api.post(f"{body}{line(1_000)}", to=SELLERS, kind="text/csv").status == 413


def test_a_marked_line_that_was_refused_is_replayed_without_its_mark(api: ApiClient) -> None:
    rows = f'\ufeff"{hex_id(1)}","01037","sao paulo","XX"\n\ufeff{line(2, state="XX")}'
    api.post(f"{HEADER}{rows}".encode(), to=SELLERS, kind="text/csv")
    first, second = RejectedRecord.objects.order_by("position")
    assert [bytes(first.raw), bytes(second.raw)] == [row.encode() for row in rows.splitlines()]
    assert (first.record or {})["seller_id"] == hex_id(1)
    again = api.post({}, to=f"/api/v1/rejects/{second.pk}/replay/")
    assert [(field, code) for _, field, code in again.codes] == [("seller_state", "invalid_choice")]
    corrected = {**(first.record or {}), "seller_state": "SP"}
    assert api.post({"record": corrected}, to=f"/api/v1/rejects/{first.pk}/replay/").status == 201
    assert query("select seller_id from olist_sellers") == [(hex_id(1),)]
