"""A database from before the rule: what it holds against it is told, and nothing is changed."""

import pytest
from django.core.management.base import CommandError

from tests.support.loading.loads import hex_id, query
from tests.support.postgres.migrating import migrate

pytestmark = pytest.mark.django_db


def test_rows_with_invisible_characters_are_named_and_once_mended_the_rule_stands() -> None:
    migrate("olist", "0001")
    query(
        "insert into olist_product_category_name_translation values (%s, 'baby'), ('artes', %s)",
        "\ufeffbebes",
        "a\u200b",
    )
    query("insert into olist_sellers values (%s, '01037', %s, 'SP')", hex_id(1), "sao\u200bpaulo")
    with pytest.raises(CommandError) as refused:
        migrate("olist")
    assert "1 in olist_product_category_name_translation.product_category_name, such as '\\ufeffbebes'" in str(
        refused.value
    )
    assert "1 in olist_sellers.seller_city, such as 'sao\\u200bpaulo'" in str(refused.value)
    ((where,),) = query("select substring(%s from '~ ''(.*?)''')", str(refused.value))
    for table, column in (
        ("product_category_name_translation", "product_category_name"),
        ("product_category_name_translation", "product_category_name_english"),
        ("sellers", "seller_city"),
    ):
        query(
            f"update olist_{table} set {column} = regexp_replace({column}, %s, '', 'g') where {column} ~ %s",
            where,
            where,
        )
    query("set constraints all immediate")  # the other transaction, in which a person would do this, has ended
    migrate("olist")
    assert query("select product_category_name from olist_product_category_name_translation order by 1") == [
        ("artes",),
        ("bebes",),
    ]
