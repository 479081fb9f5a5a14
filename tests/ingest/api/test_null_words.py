"""A CSV body has a word for NULL where its address names one, and nowhere else."""

from urllib.parse import quote

import pytest

from ingest.models import Account, RejectedRecord
from tests.support.api.client import Answered, ApiClient
from tests.support.api.parcels import one_table, record
from tests.support.loading.loads import PLAIN, hex_id, query

pytestmark = pytest.mark.django_db

ADDRESS = "/api/v1/batches/?table="


def body(table: str, **change: str) -> str:
    return ",".join(PLAIN[table]) + "\n" + ",".join({**PLAIN[table], **change}.values()) + "\n"


def post(api: ApiClient, table: str, word: str = "", kind: str = "text/csv", **change: str) -> Answered:
    named = f"&null={quote(word)}" if word else ""
    return api.post(body(table, **change), to=f"{ADDRESS}{table}{named}", kind=kind)


def test_the_named_word_is_null_and_is_counted_and_kept(api: ApiClient) -> None:
    answer = post(api, "products", r"\N", product_category_name=r"\N", product_weight_g=r"\N")
    assert (answer.status, answer.json["tables"]["products"]["repaired"]) == (201, {"null_word": 2})
    assert query("select product_category_name, product_weight_g from olist_products") == [(None, None)]
    assert Account.objects.get().signs["null"] == {"value": r"\N", "evidence": "asked for by ?null=", "asked": True}


def test_the_cells_of_the_last_line_are_counted_without_a_line_end_too(api: ApiClient) -> None:
    lines = body("products", product_category_name="", product_weight_g="x")
    good = {**PLAIN["products"], "product_id": hex_id(2), "product_category_name": "NA"}
    answer = api.post(lines + ",".join(good.values()), to=f"{ADDRESS}products&null=NA", kind="text/csv")
    assert answer.counts == {"read": 2, "inserted": 1, "rejected": 1}
    assert answer.json["tables"]["products"]["repaired"] == {"null_word": 1}


def test_without_a_name_and_in_quotes_it_is_text(api: ApiClient) -> None:
    assert post(api, "products", product_weight_g="NA", product_category_name="").codes == [
        (0, "product_weight_g", "invalid")
    ]
    quoted = post(api, "products", "NA", product_weight_g='"NA"', product_category_name="")
    assert quoted.codes == [(0, "product_weight_g", "invalid")]
    none = post(api, "products", "none", product_weight_g="none", product_category_name="")
    assert none.codes == [(0, "product_weight_g", "invalid")]


def test_a_reject_is_replayed_by_the_word_of_its_request(api: ApiClient) -> None:
    api.post(one_table("customers", record("customers")))
    api.post(one_table("orders", record("orders")))
    first = post(
        api, "order_reviews", "NA", review_comment_title="NA", review_comment_message="bom", order_id=hex_id(9)
    )
    assert first.codes == [(0, "order_id", "does_not_exist")]
    reject = RejectedRecord.objects.get()
    assert reject.record is not None
    assert reject.record["review_comment_title"] is None
    api.post(one_table("orders", record("orders", order_id=hex_id(9))))
    answer = api.post({}, to=f"/api/v1/rejects/{reject.pk}/replay/")
    assert answer.status in {201, 409}, answer  # it may have healed by itself
    assert query("select review_comment_title from olist_order_reviews") == [(None,)]


@pytest.mark.parametrize("word", ["a,b", 'a"b', "a\tb", "\x00", "x" * 101, " \x85"])
def test_a_word_that_no_cell_can_be_is_refused(api: ApiClient, word: str) -> None:
    answer = post(api, "products", word)
    assert (answer.status, list(answer.json["errors"])) == (400, ["null"]), answer


def test_an_empty_word_is_refused(api: ApiClient) -> None:
    assert api.post(body("products"), to=f"{ADDRESS}products&null=", kind="text/csv").status == 400


@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson"])
def test_json_has_no_word_for_null(api: ApiClient, kind: str) -> None:
    assert post(api, "products", "NA", kind).status == 400
    answer = api.post({**one_table("products", record("products")), "null": "NA"})
    assert (answer.status, list(answer.json["errors"])) == (400, ["null"]), answer
