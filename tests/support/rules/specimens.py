"""One good record of some tables, as texts, and the verdict on its likes."""

from typing import Any

import numpy as np

from core.arrow import ArrowColumn
from ingest.processing.lookups import Parents
from ingest.processing.process import Verdict, process
from ingest.rules.contract import Reference
from tests.support.rules.verdicts import contract_of, partition, records_of

type Record = dict[str, str | None]

ID, OTHER = "0123456789abcdef" * 2, "f" * 32
ORDER: Record = {
    "order_id": ID,
    "customer_id": ID,
    "order_status": "delivered",
    "order_purchase_timestamp": "2017-10-02 10:56:33",
    "order_approved_at": "2017-10-02 11:07:15",
    "order_delivered_carrier_date": "2017-10-04 19:55:00",
    "order_delivered_customer_date": "2017-10-10 21:25:13",
    "order_estimated_delivery_date": "2017-10-18 00:00:00",
}
ITEM: Record = {
    "order_id": ID,
    "order_item_id": "1",
    "product_id": ID,
    "seller_id": ID,
    "shipping_limit_date": "2017-10-06 11:07:15",
    "price": "58.90",
    "freight_value": "13.29",
}
REVIEW: Record = {
    "review_id": ID,
    "order_id": ID,
    "review_score": "4",
    "review_comment_title": None,
    "review_comment_message": "ok",
    "review_creation_date": "2018-01-18 00:00:00",
    "review_answer_timestamp": "2018-01-18 21:46:59",
}
CUSTOMER: Record = {
    "customer_id": ID,
    "customer_unique_id": ID,
    "customer_zip_code_prefix": "01037",
    "customer_city": "são paulo",
    "customer_state": "SP",
}
GOOD = {"orders": ORDER, "order_items": ITEM, "order_reviews": REVIEW, "customers": CUSTOMER}


class Refused:
    """The parents named here were refused in the same batch; the others never existed."""

    def __init__(self, *refused: str) -> None:
        self.refused = refused

    def parents(self, reference: Reference, keys: ArrowColumn) -> Parents:
        refused = np.array([key in self.refused for key in keys.to_pylist()], bool)
        return Parents(np.zeros(len(keys), bool), refused)


def processed(table: str, *records: Record, **options: Any) -> Verdict:
    contract = contract_of(table)
    result = process(records_of(contract, records), contract, **options)
    partition(result)
    return result


def told(result: Verdict) -> list[tuple[str | None, str, str | None]]:
    """Return field, code and value of every reason."""
    assert all(reason["message"] for reason in result.reasons.to_pylist())
    return [(reason["field"], reason["code"], reason["value"]) for reason in result.reasons.to_pylist()]
