"""The published files, beside the checkout: they load whole, and come out as they went in."""

import zipfile
from pathlib import Path
from typing import IO

import pytest

from ingest.models import Account, Batch, RejectedRecord
from olist.sample.layout import TABLES, FileLayout
from tests.support.loading.loads import SHARED, Ran, load_json, query
from tests.support.loading.published import Opener, published, stored

pytestmark = pytest.mark.usefixtures("committed")
ARCHIVE = SHARED / "brazilian-ecommerce.zip"
SAMPLE_ROWS = {
    "product_category_name_translation": 71,
    "geolocation": 7_660,
    "customers": 3_000,
    "sellers": 938,
    "products": 2_452,
    "orders": 3_000,
    "order_items": 3_397,
    "order_payments": 3_170,
    "order_reviews": 2_993,
}
WHOLE_ROWS = {
    "product_category_name_translation": 71,
    "geolocation": 738_332,
    "customers": 99_441,
    "sellers": 3_095,
    "products": 32_951,
    "orders": 99_441,
    "order_items": 112_650,
    "order_payments": 103_886,
    "order_reviews": 99_165,
}


def assert_all_came_through(
    ran: Ran, rows: dict[str, int], opener: Opener, *, repeated_points: int, added_categories: int = 0
) -> None:
    expected = {name: {"read": count, "inserted": count} for name, count in rows.items()}
    expected["geolocation"] |= {"read": rows["geolocation"] + repeated_points, "duplicates": repeated_points}
    assert ran.counts == expected
    assert not RejectedRecord.objects.exists()
    assert {account.table: account.status for account in Account.objects.all()} == dict.fromkeys(rows, "accepted")
    batch = Batch.objects.get()
    assert (str(batch.id), batch.status) == (ran.report["batch"], ran.report["status"])
    for table in TABLES:
        records, repairs = published(table, opener)
        if table.name == "products" and added_categories:
            repairs["missing_parent"] = added_categories
        assert ran.report["tables"][table.name]["repaired"] == repairs
        added = 0
        for row in stored(table):
            if row in records:
                records.remove(row)
            else:
                added += 1
        assert not records, (table.name, list(records)[:3])
        assert added == (added_categories if table.name == "product_category_name_translation" else 0)


def test_the_published_sample_loads_whole_and_comes_out_as_it_went_in(real_sample: Path) -> None:
    ran = load_json(real_sample)
    assert_all_came_through(
        ran, SAMPLE_ROWS, lambda table: (real_sample / table.file_name).open("rb"), repeated_points=1_280
    )
    comments = "select count(*) from olist_order_reviews where review_comment_message "
    assert query(comments + "like '%%' || chr(10) || '%%'") == [(132,)]
    assert query(comments + "<> trim(review_comment_message)")[0][0] > 0


@pytest.mark.slow
@pytest.mark.skipif(not ARCHIVE.exists(), reason=f"the published dataset is not there: {ARCHIVE}")
def test_the_whole_published_archive_loads_and_comes_out_as_it_went_in() -> None:
    ran = load_json(ARCHIVE)
    with zipfile.ZipFile(ARCHIVE) as archive:
        members = {Path(name).name: name for name in archive.namelist()}

        def opener(table: FileLayout) -> IO[bytes]:
            return archive.open(members[table.file_name])

        assert_all_came_through(ran, WHOLE_ROWS, opener, repeated_points=261_831, added_categories=2)
    categories = "select product_category_name from olist_product_category_name_translation "
    assert len(query(categories)) == 73
    assert query(categories + "where product_category_name_english is null order by 1") == [
        ("pc_gamer",),
        ("portateis_cozinha_e_preparadores_de_alimentos",),
    ]
    again = load_json(ARCHIVE)
    assert again.report["status"] == "accepted"
    assert again.counts["geolocation"] == {"read": 1_000_163, "unchanged": 738_332, "duplicates": 261_831}
    assert all(set(counts) <= {"read", "unchanged", "duplicates"} for counts in again.counts.values())
