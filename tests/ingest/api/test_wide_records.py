"""One record of very many members costs neither time nor memory, whichever way it comes."""

import json
import time
from typing import Any

import pytest

from core.json_scanner import MAX_PARTS, as_text
from ingest.models import RejectedRecord
from tests.support.api.client import BATCHES, trusted
from tests.support.loading.loads import PLAIN

pytestmark = pytest.mark.django_db
MANY = 100_000
MEMBERS = {f"u{number}": 1 for number in range(MANY)}
WIDE: dict[str, Any] = {
    "unknown members": MEMBERS,
    "members of a member": {"customer_id": MEMBERS},
    "elements of a member": {"customer_id": [1] * MANY},
    "elements further down": {"customer_id": [[[1] * 100] * 10] * 10},
}
ONE_REASON = f"The record has more than {MAX_PARTS:,} members and elements."


@pytest.mark.parametrize("kind", WIDE)
@pytest.mark.parametrize("tagged", [True, False])
def test_a_request_is_refused_for_a_record_of_too_many_members(kind: str, *, tagged: bool) -> None:
    good, wide = PLAIN["customers"], WIDE[kind]
    tag = {"table": "customers"}
    body = {"records": [{**tag, "data": each} for each in (good, wide)]} if tagged else {**tag, "records": [good, wide]}
    answer = trusted().post(json.dumps(body))
    assert (answer.status, answer.json["code"], answer.json["pointer"]) == (400, "max_members", "/records/1")
    assert answer.json["detail"] == ONE_REASON


@pytest.mark.parametrize("kind", WIDE)
def test_a_line_of_too_many_members_is_rejected_for_one_reason(kind: str) -> None:
    line = json.dumps(WIDE[kind])
    answer = trusted().post(line, to=f"{BATCHES}?table=customers", kind="application/x-ndjson")
    assert answer.status == 422
    reject = RejectedRecord.objects.get()
    assert [reason["message"] for reason in reject.reasons] == [ONE_REASON]
    assert bytes(reject.raw) == line.encode()


def test_as_many_members_as_a_table_can_have_are_still_named() -> None:
    record = {**PLAIN["customers"], **dict.fromkeys(map(str, range(100)), 1)}
    answer = trusted().post(json.dumps({"table": "customers", "records": [record]}))
    assert (answer.status, len(answer.json["results"][0]["reasons"])) == (422, 11)


def test_what_is_shown_of_a_long_list_takes_no_time() -> None:
    started = time.process_time()
    assert as_text([1] * 5_000_000, at_most=200) == json.dumps([1] * 100)[:200]
    assert time.process_time() - started < 0.2
