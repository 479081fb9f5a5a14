"""No parent is added from a word for NULL, nor from a key that the parent's own rules refuse."""

import numpy as np
import pyarrow as pa
import pytest
from django.db import models
from django.test.utils import isolate_apps

from core.arrow import Text
from ingest.processing.adoption import may_be_added
from ingest.rules.contract import Contract, compile_contract
from ingest.rules.null_words import NULL_WORDS
from tests.support.rules.specimens import ID, OTHER, Record, Refused, processed, told
from tests.support.rules.verdicts import contract_of

CATEGORY = "product_category_name"


def added(keys: Text, parent: Contract, word: str = "") -> list[bool]:
    return [bool(may) for may in may_be_added(keys, parent, null_word=word)]


@pytest.mark.parametrize("word", NULL_WORDS)
def test_a_word_for_null_is_no_parent(word: str) -> None:
    products: list[Record] = [{"product_id": ID, CATEGORY: word}, {"product_id": OTHER, CATEGORY: "livros"}]
    result = processed("products", *products, lookups=Refused(), adopts=(CATEGORY,))
    assert told(result) == [(CATEGORY, "does_not_exist", word)]
    assert result.adopted[CATEGORY].to_pylist() == ["livros"]
    assert result.source.tolist() == [1]


def test_nor_is_the_word_that_somebody_named() -> None:
    parent = contract_of("product_category_name_translation")
    keys = pa.array(["sem", "livros", "sem", "NA"])
    assert added(keys, parent, "sem") == [False, True, False, False]
    assert added(keys, parent) == [True, True, True, False]


def test_a_refused_parent_of_such_a_name_is_said_to_be_refused() -> None:
    product: Record = {"product_id": ID, CATEGORY: "NA"}
    result = processed("products", product, lookups=Refused("NA"), adopts=(CATEGORY,))
    assert told(result) == [(CATEGORY, "parent_rejected", "NA")]


def test_the_parent_judges_the_key_by_all_of_its_rules() -> None:
    with isolate_apps("ingest"):

        class Kind(models.Model):
            code = models.CharField(max_length=9, primary_key=True)
            name = models.CharField(max_length=9, null=True)

            class Meta:
                app_label = "ingest"
                constraints = [models.CheckConstraint(condition=~models.Q(code="other"), name="kind_code")]

    parent = compile_contract(Kind, {Kind: "kinds"})
    assert added(pa.array(["plain", "other", "far too long"]), parent) == [True, False, False]
    assert may_be_added(pa.array([], pa.string()), parent, null_word="").dtype == np.bool_
