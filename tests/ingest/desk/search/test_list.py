"""The list of rejects: found, counted, grouped, with the same few queries and no look at the whole table."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from ingest.desk.search.cells import by_index
from ingest.desk.search.listing import RejectFilter, look_at_all, look_up
from ingest.desk.search.spans import span_of
from ingest.models import RejectedRecord
from ingest.rules.sources import sources
from tests.support.desk.admin_pages import page
from tests.support.desk.people import refused, send
from tests.support.desk.plans import costs, fill
from tests.support.loading.loads import hex_id

pytestmark = pytest.mark.django_db
LIST = "ingest/rejectedrecord/"
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


def choices(html: str) -> set[str]:
    """Return the filters' choices as they are shown."""
    side = html[html.index('id="changelist-filter"') :]
    return set(re.findall(r">([^<>]+ \([^()<>]+\))</a>", side))


def shown(html: str) -> set[int]:
    return {int(number) for number in re.findall(r"rejectedrecord/(\d+)/change/", html)}


def test_each_filter_has_counts_with_the_others_applied(ana: Client) -> None:
    for number in range(3):
        refused("sellers", seller_id=hex_id(number), seller_state="XX", seller_city="")
    refused("orders", order_status="teleported")
    html = page(ana, LIST)
    assert choices(html) >= {
        "open (4)",
        "sellers (3)",
        "orders (1)",
        "invalid_choice (4)",
        "blank (3)",
        "a request (4)",
    }
    assert {"seller_state (3)", "order_status (1)"} <= choices(html)
    narrow = page(ana, f"{LIST}?table=orders&code=invalid_choice")
    assert choices(narrow) >= {"open (1)", "sellers (3)", "orders (1)", "invalid_choice (1)"}
    assert "blank (3)" not in choices(narrow)
    assert len(shown(narrow)) == 1
    assert "1 rejected record\n" in narrow


def test_filters_of_days_and_batches_find_what_was_last_seen_then(ana: Client) -> None:
    old, new = refused("sellers", seller_state="XX"), refused("orders", order_status="x")
    yesterday = timezone.now() - timedelta(days=1)
    RejectedRecord.objects.filter(pk=old.pk).update(last_seen_at=yesterday)
    day = timezone.localtime(yesterday).date()
    assert shown(page(ana, f"{LIST}?day={day}")) == {old.pk}
    assert shown(page(ana, f"{LIST}?day={day + timedelta(days=1)}..")) == {new.pk}
    assert shown(page(ana, f"{LIST}?batch={new.batch_id}")) == {new.pk}
    assert f"api, {timezone.localtime(new.batch.started_at):%d %b %H:%M} (1)" in choices(page(ana, LIST))


def test_days_and_batches_have_counts_with_the_other_filters_applied(
    ana: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = send(
        *[("sellers", {"seller_id": hex_id(n), "seller_state": "XX"}) for n in range(4)], ("orders", {"order_id": "x"})
    )
    other = refused("sellers", seller_id=hex_id(9), seller_city="")
    long_ago = timezone.now() - timedelta(days=40)
    RejectedRecord.objects.filter(batch=batch).update(last_seen_at=long_ago, first_seen_at=long_ago)
    day, named = f"{long_ago:%a, %-d %b}", f"api, {timezone.localtime(batch.started_at):%d %b %H:%M}"
    assert {f"{day} (5)", f"{named} (5)", f"{named} (1)"} <= choices(page(ana, LIST))
    narrow = choices(page(ana, f"{LIST}?table=sellers&code=invalid_choice&q=XX&batch={other.batch_id}"))
    assert f"{named} (4)" in narrow
    assert f"{day} (4)" in choices(page(ana, f"{LIST}?table=sellers&code=invalid_choice"))
    monkeypatch.setattr("ingest.desk.search.batches.LOOKED_AT", 2)
    assert f"{named} (about 5)" in choices(page(ana, LIST))


def test_open_records_are_found_by_when_they_were_first_seen(ana: Client) -> None:
    old, again = refused("sellers", seller_state="XX"), refused("orders", order_status="x")
    then = timezone.now() - timedelta(days=40)
    RejectedRecord.objects.update(first_seen_at=then)
    RejectedRecord.objects.filter(pk=old.pk).update(last_seen_at=then)
    refused("customers", customer_state="Rio")
    last = (timezone.localdate() - timedelta(days=31)).isoformat()
    assert f"first=..{last}" in page(ana, "").replace("%3D", "=")
    html = page(ana, f"{LIST}?status=open&first=..{last}")
    assert shown(html) == {old.pk, again.pk}
    assert f"Open records first seen … to {last}." in html


def test_a_count_is_a_lower_bound_where_a_batch_has_more_than_a_search_beside_it_looks_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batch = fill(200)
    searched = RejectFilter(batch=str(batch.pk), term="city 17")
    assert str(look_up(searched, TABLES, first=0, rows=10)[0].count) == "1"
    monkeypatch.setattr("ingest.desk.search.listing.REACH_ROWS", 50)
    listing, _ = look_up(searched, TABLES, first=0, rows=10)
    assert listing.count.kind == "over"
    with by_index() as cursor:
        assert str(look_at_all(cursor, searched, TABLES).count) == "1"


def test_where_there_are_more_kinds_than_a_page_looks_at_its_counts_say_so_and_a_job_takes_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill(200)
    monkeypatch.setattr("ingest.desk.search.listing.MAX_CELLS", 3)
    listing, _ = look_up(RejectFilter(), TABLES, first=0, rows=10)
    assert len(listing.cells) == 3
    assert listing.count.kind == "over"
    with by_index() as cursor:
        everything = look_at_all(cursor, RejectFilter(), TABLES)
    assert str(everything.count) == "200"


def test_records_seen_last_stand_at_the_top(ana: Client) -> None:
    first, second = refused("sellers", seller_state="XX"), refused("orders", order_status="x")
    refused("sellers", seller_state="XX")
    html = page(ana, LIST)
    assert html.index(f"/{first.pk}/change/") < html.index(f"/{second.pk}/change/")
    assert first.times_seen == 1
    assert '<td class="field-seen">2</td>' in html


@pytest.mark.parametrize("term", ["{key}", "{key_in_capitals}", "{batch}", "{number}", "rio bonito", "XX", "slip 12"])
def test_any_whole_value_id_or_batch_finds_a_record(ana: Client, term: str) -> None:
    found = refused("sellers", seller_id=hex_id(0xABC), seller_state="XX", seller_city="rio bonito")
    RejectedRecord.objects.filter(pk=found.pk).update(ref="slip 12")
    refused("orders", order_status="x")
    facts = {
        "key": hex_id(0xABC),
        "key_in_capitals": hex_id(0xABC).upper(),
        "batch": found.batch_id,
        "number": found.pk,
    }
    assert shown(page(ana, f"{LIST}?q={term.format(**facts)}")) == {found.pk}
    assert shown(page(ana, f"{LIST}?q=rio")) == set()


def test_a_line_that_could_not_be_split_is_listed_and_opened(ana: Client) -> None:
    batch = send(("sellers", "[1]"))
    reject = RejectedRecord.objects.get(batch=batch)
    assert f"no. {reject.pk}" in page(ana, LIST)
    assert "must be an object" in page(ana, f"{LIST}{reject.pk}/change/")
    assert page(ana, f"{LIST}{reject.pk}/repair/").count('name="record-') == 4


def test_records_alike_are_one_group_with_counts_and_a_sample(ana: Client) -> None:
    alike = [refused("sellers", seller_id=hex_id(number), seller_state="XX") for number in range(3)]
    refused("sellers", seller_id=hex_id(9), seller_city="")
    RejectedRecord.objects.filter(pk=alike[0].pk).update(status="dismissed")
    html = page(ana, f"{LIST}?by=group")
    group = f"?group={alike[0].fingerprint}"
    assert f'<a href="{group}">3</a>' in html
    assert f'<a href="{group}&amp;status=open">2</a>' in html
    assert "2 groups of 4 rejected records" in html
    assert shown(html) & {each.pk for each in alike}
    assert shown(page(ana, f"{LIST}{group}")) == {each.pk for each in alike}


def test_an_odd_address_gets_a_page_or_a_plain_refusal(ana: Client) -> None:
    refused("sellers", seller_state="XX")
    for query in (
        "?group=x",
        "?day=yesterday",
        "?day=9999-12-31..",
        "?day=0001-01-01",
        "?batch=x",
        "?q=%00",
        "?p=999999",
    ):
        page(ana, f"{LIST}{query}")
    for query in ("?natural_key__contains=a", "?table=a%00", "?status__exact=open"):
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
    listing, numbers = look_up(RejectFilter(status="open"), TABLES, first=0, rows=10)
    assert str(listing.count) == "999"
    assert len(numbers) == 10
    assert sum(count.rows for count in listing.facet("table").values()) == 999
