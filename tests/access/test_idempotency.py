"""Keys that were there before the upgrade, when they were of batches only."""

from collections.abc import Iterator

import pytest

from tests.support.api.client import trusted
from tests.support.api.parcels import one_table, record
from tests.support.loading.loads import query
from tests.support.postgres.migrating import migrate

SELLER = one_table("sellers", record("sellers"))


@pytest.fixture
def upgraded_in_the_end(committed: None) -> Iterator[None]:
    try:
        yield
    finally:
        migrate()


@pytest.mark.usefixtures("upgraded_in_the_end")
def test_a_batch_that_is_repeated_after_the_upgrade_gets_its_answer_of_before() -> None:
    till = trusted()
    first = till.post(SELLER, Idempotency_Key="k")
    migrate("ingest", "0010_total_parts")
    before = query("select key, status, answer, batch_id::text from ingest_idempotencykey")
    assert before == [("k", 201, first.text, first.json["id"])]
    assert query("select count(*) from access_idempotencykey") == [(0,)]
    migrate()
    again = till.post(SELLER, Idempotency_Key="k")
    assert (again.status, again.text, again.headers["Idempotency-Replayed"]) == (201, first.text, "true")
    assert query(
        "select count(*) from django_content_type where model = 'idempotencykey' and app_label = 'ingest'"
    ) == [(0,)]
