"""The list of rejects: found, counted, grouped, with the same few queries and no look at the whole table."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from ingest.desk.search.cells import by_index
from ingest.desk.search.listing import RejectFilter, look_at_all, look_up
from ingest.desk.search.spans import span_of
from ingest.models import RejectedRecord
from ingest.rules.sources import sources
from tests.support.desk.admin_pages import page
from tests.support.desk.people import refused, send
from tests.support.desk.plans import costs, fill
from tests.support.desk.reject_list import LIST, choices, shown
from tests.support.loading.loads import hex_id

pytestmark = pytest.mark.django_db
TABLES = [source.table for source in sources()]
QUERIES = (
    "",
    "?p=2",
    "?p=100",
    "?status=open",
    "?status=dismissed",
    "?status=open&table=orders&code=blank&field=order_status",
    "?origin=api",
    "?q=4711",
    "?q=city+17",
    "?q=sp",
    "?by=group",
    "?day=2026-01-01..",
    "?batch={batch}",
    "?batch={batch}&table=orders&q=4711",
    "?status=open&first=..2026-01-31",
    "?status=open&first=2020-01-01..",
)


@pytest.fixture
def three_sellers_and_an_order() -> None:
    """Three sellers refused for two reasons each, and an order for one."""
    for number in range(3):
        refused("sellers", seller_id=hex_id(number), seller_state="XX", seller_city="")
    refused("orders", order_status="teleported")


@pytest.mark.usefixtures("three_sellers_and_an_order")
def test_each_filter_has_counts(ana: Client) -> None:
    assert choices(page(ana, LIST)) >= {
        "open (4)",
        "sellers (3)",
        "orders (1)",
        "invalid_choice (4)",
        "blank (3)",
        "a request (4)",
        "seller_state (3)",
        "order_status (1)",
    }


@pytest.mark.usefixtures("three_sellers_and_an_order")
def test_each_filter_has_counts_with_the_others_applied(ana: Client) -> None:
    narrow = page(ana, f"{LIST}?table=orders&code=invalid_choice")
    assert choices(narrow) >= {"open (1)", "sellers (3)", "orders (1)", "invalid_choice (1)"}
    assert "blank (3)" not in choices(narrow)
    assert len(shown(narrow)) == 1
    assert "1 rejected record\n" in narrow


@pytest.fixture
def searched() -> RejectFilter:
    """A search that finds one reject of a batch of 200."""
    return RejectFilter(batch=str(fill(200).pk), term="city 17")


def test_a_search_beside_a_batch_has_a_count(searched: RejectFilter) -> None:
    assert str(look_up(connection.cursor(), searched, TABLES, first=0, rows=10)[0].count) == "1"


def test_a_count_is_a_lower_bound_where_a_batch_has_more_than_a_search_beside_it_looks_at(
    monkeypatch: pytest.MonkeyPatch, searched: RejectFilter
) -> None:
    monkeypatch.setattr("ingest.desk.search.listing.REACH_ROWS", 50)
    listing, _ = look_up(connection.cursor(), searched, TABLES, first=0, rows=10)
    assert listing.count.kind == "over"


def test_a_job_finds_all_where_a_batch_has_more_than_a_search_beside_it_looks_at(
    monkeypatch: pytest.MonkeyPatch, searched: RejectFilter
) -> None:
    monkeypatch.setattr("ingest.desk.search.listing.REACH_ROWS", 50)
    with connection.cursor() as cursor, by_index(cursor):
        assert str(look_at_all(cursor, searched, TABLES).count) == "1"


def test_where_there_are_more_kinds_than_a_page_looks_at_its_counts_say_so_and_a_job_takes_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill(200)
    monkeypatch.setattr("ingest.desk.search.listing.MAX_CELLS", 3)
    listing, _ = look_up(connection.cursor(), RejectFilter(), TABLES, first=0, rows=10)
    assert len(listing.cells) == 3
    assert listing.count.kind == "over"
    with connection.cursor() as cursor, by_index(cursor):
        everything = look_at_all(cursor, RejectFilter(), TABLES)
    assert str(everything.count) == "200"


def test_records_seen_last_stand_at_the_top(ana: Client) -> None:
    first, second = refused("sellers", seller_state="XX"), refused("orders", order_status="x")
    refused("sellers", seller_state="XX")
    html = page(ana, LIST)
    assert html.index(f"/{first.pk}/change/") < html.index(f"/{second.pk}/change/")
    assert first.times_seen == 1
    assert '<td class="field-seen">2</td>' in html


@pytest.fixture
def slip() -> RejectedRecord:
    """The reject of a slip, beside another."""
    found = refused("sellers", seller_id=hex_id(0xABC), seller_state="XX", seller_city="rio bonito")
    RejectedRecord.objects.filter(pk=found.pk).update(ref="slip 12")
    refused("orders", order_status="x")
    return found


@pytest.mark.parametrize("term", ["{key}", "{key_in_capitals}", "{batch}", "{number}", "rio bonito", "XX", "slip 12"])
def test_any_whole_value_id_or_batch_finds_a_record(ana: Client, slip: RejectedRecord, term: str) -> None:
    key = hex_id(0xABC)
    facts = {"key": key, "key_in_capitals": key.upper(), "batch": slip.batch_id, "number": slip.pk}
    assert shown(page(ana, f"{LIST}?q={term.format(**facts)}")) == {slip.pk}


@pytest.mark.usefixtures("slip")
def test_a_part_of_a_value_finds_nothing(ana: Client) -> None:
    assert shown(page(ana, f"{LIST}?q=rio")) == set()


@pytest.fixture
def no_record() -> RejectedRecord:
    """The reject of a line that has no fields."""
    return RejectedRecord.objects.get(batch=send(("sellers", "[1]")))


def test_a_line_that_could_not_be_split_is_listed_by_its_number(ana: Client, no_record: RejectedRecord) -> None:
    assert f"no. {no_record.pk}" in page(ana, LIST)


def test_a_line_that_could_not_be_split_is_opened(ana: Client, no_record: RejectedRecord) -> None:
    assert "must be an object" in page(ana, f"{LIST}{no_record.pk}/change/")


def test_the_form_of_a_line_that_could_not_be_split_has_all_fields(ana: Client, no_record: RejectedRecord) -> None:
    assert page(ana, f"{LIST}{no_record.pk}/repair/").count('name="record-') == 4


@pytest.fixture
def alike() -> list[RejectedRecord]:
    """Three rejects that are alike, of which the first was dismissed, beside one that is not."""
    found = [refused("sellers", seller_id=hex_id(number), seller_state="XX") for number in range(3)]
    refused("sellers", seller_id=hex_id(9), seller_city="")
    RejectedRecord.objects.filter(pk=found[0].pk).update(status="dismissed")
    return found


def test_records_alike_are_one_group_with_counts_and_a_sample(ana: Client, alike: list[RejectedRecord]) -> None:
    html = page(ana, f"{LIST}?by=group")
    group = f"?group={alike[0].fingerprint}"
    assert f'<a href="{group}">3</a>' in html
    assert f'<a href="{group}&amp;status=open">2</a>' in html
    assert "2 groups of 4 rejected records" in html
    assert shown(html) & {each.pk for each in alike}


def test_a_group_leads_to_its_records(ana: Client, alike: list[RejectedRecord]) -> None:
    assert shown(page(ana, f"{LIST}?group={alike[0].fingerprint}")) == {each.pk for each in alike}


@pytest.mark.parametrize(
    "query",
    ["?group=x", "?day=yesterday", "?day=9999-12-31..", "?day=0001-01-01", "?batch=x", "?q=%00", "?p=999999"],
)
def test_an_odd_address_gets_a_page(ana: Client, query: str) -> None:
    refused("sellers", seller_state="XX")
    page(ana, f"{LIST}{query}")


@pytest.mark.parametrize("query", ["?natural_key__contains=a", "?table=a%00", "?status__exact=open"])
def test_an_address_that_asks_for_what_is_no_filter_is_refused(ana: Client, query: str) -> None:
    refused("sellers", seller_state="XX")
    assert ana.get(f"/admin/{LIST}{query}", secure=True).status_code in (302, 400)


def test_a_span_is_a_day_or_some_days() -> None:
    first, last = span_of("2026-01-01..2026-01-02")
    assert last - first == timedelta(days=2)
    assert span_of("2026-01-01") == (first, first + timedelta(days=1))
    assert span_of("..2026-01-02")[1] == last
    assert span_of("2026-01-01..")[0] == first
    assert len(set(span_of("nonsense"))) == 1


def assert_cheap(ana: Client, rows: int) -> None:
    batch = fill(rows)
    numbers = set()
    for query in QUERIES:
        seen = costs(ana, f"/admin/{LIST}{query.format(batch=batch.pk)}")
        assert ("Seq Scan", "ingest_rejectedrecord") not in seen.steps, query
        numbers.add(seen.queries)
    assert max(numbers) <= 13, numbers


def test_many_rejects_cost_the_same_few_queries_and_none_reads_them_all(ana: Client) -> None:
    refused("sellers", seller_state="XX")
    few = costs(ana, f"/admin/{LIST}?status=open").queries
    assert_cheap(ana, 12_000)
    assert costs(ana, f"/admin/{LIST}?status=open").queries <= few + 1  # the planner is asked, too
    html = page(ana, LIST)
    assert re.search(r"12,001 rejected records; these pages reach the first 10,000", html)


def test_what_is_not_counted_to_its_end_is_estimated(ana: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(3_000)
    monkeypatch.setattr("ingest.desk.search.cells.COUNTED_ROWS", 50)
    assert re.search(r"about (2,[89]|3,[01])\d\d rejected records\n", page(ana, LIST))
    assert re.search(r"open \(about (2,[89]|3,[01])\d\d\)", page(ana, LIST))


@pytest.mark.slow
def test_of_a_million_rejects_only_some_are_read(ana: Client) -> None:
    assert_cheap(ana, 1_000_000)
    for query in QUERIES:
        seen = costs(ana, f"/admin/{LIST}{query.format(batch=hex_id(0))}")
        assert seen.rows_read < 500_000, query
        assert seen.milliseconds < 3_000, query  # half of it is measuring, on a table that was never vacuumed


def test_counts_are_exact_while_they_are_few() -> None:
    fill(1_000)
    listing, numbers = look_up(connection.cursor(), RejectFilter(status="open"), TABLES, first=0, rows=10)
    assert str(listing.count) == "999"
    assert len(numbers) == 10
    assert sum(count.rows for count in listing.facet("table").values()) == 999
