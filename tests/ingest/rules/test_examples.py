"""Examples: really accepted, by ``process``, by the schema and by PostgreSQL, parents and all."""

import datetime
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from django.db import connection

from core.arrow import ArrowColumn
from ingest.processing.frames import process_frame
from ingest.processing.lookups import Parents
from ingest.rules.contract import Contract, Reference
from ingest.rules.examples import example_batch, example_record
from ingest.rules.sources import Source, sources
from tests.support.rules.json_schemas import validator
from tests.support.rules.kinds import CONTRACTS
from tests.support.rules.verdicts import accepted_by_postgres, contract_of

EACH_CONTRACT = pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
EACH_TABLE = pytest.mark.parametrize("source", sources(), ids=lambda source: source.table)


@EACH_CONTRACT
def test_the_example_is_valid_and_taken_without_repair(contract: Contract) -> None:
    example = example_record(contract)
    assert validator(contract)(example)
    result = process_frame(pd.DataFrame([example], dtype=object), contract)
    assert (result.rejected, result.rows.num_rows, result.repairs) == (0, 1, {})
    assert all(value is not None for value in result.rows.to_pylist()[0].values())


class OnlyThese:
    """Parents: the keys that a batch has brought so far, by table."""

    def __init__(self, keys: dict[str, set[Any]]) -> None:
        self.keys = keys

    def parents(self, reference: Reference, keys: ArrowColumn) -> Parents:
        there = [key in self.keys.get(reference.table, ()) for key in keys.to_pylist()]
        return Parents(np.array(there, np.bool_), np.zeros(len(there), np.bool_))


@EACH_TABLE
def test_the_example_batch_brings_every_parent_before_its_child(source: Source) -> None:
    brought: dict[str, set[Any]] = {}
    batch = json.loads(json.dumps(example_batch(source)))
    assert list(batch) == ["records"]
    for record in batch["records"]:
        assert sorted(record) == ["data", "table"]
        contract = contract_of(record["table"])
        result = process_frame(pd.DataFrame([record["data"]], dtype=object), contract, lookups=OnlyThese(brought))
        assert result.reasons.to_pylist() == []
        brought[record["table"]] = {result.rows[contract.natural_key[0]][0].as_py()}
    assert next(reversed(brought)) == source.table
    assert len(brought) == len(batch["records"])


def test_postgres_takes_the_examples_of_all_tables_too(db: None) -> None:
    with connection.cursor() as cursor:
        for source in sources():
            example = process_frame(pd.DataFrame([example_record(source.contract)], dtype=object), source.contract)
            assert accepted_by_postgres(cursor, source.contract, example.rows.to_pylist(), keep=True) == [True]
        cursor.execute("set constraints all immediate")


def test_the_example_batch_brings_nobody_else() -> None:
    tables = [record["table"] for record in example_batch(sources()[-2])["records"]]
    assert tables == ["customers", "orders", "order_payments"]


def test_all_moments_of_an_example_are_one() -> None:
    example = example_record(contract_of("orders"))
    moments = {value for name, value in example.items() if name.endswith(("_at", "_date", "_timestamp"))}
    assert [datetime.datetime.fromisoformat(moment) for moment in moments] == [datetime.datetime(2018, 1, 31, 12)]
