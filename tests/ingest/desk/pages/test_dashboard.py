"""The front page: the morning's figures, each leading to its list; and charts as plain shapes."""

import re

import pytest
from django.test import Client

from ingest.desk.pages.charts import Place, bars, columns, short
from tests.support.access.people import browser
from tests.support.desk.admin_pages import page
from tests.support.desk.people import refused, send, staff
from tests.support.desk.plans import costs, fill

pytestmark = pytest.mark.django_db


def test_the_front_page_counts_what_came_and_what_is_open(ana: Client) -> None:
    send(("customers", {}))
    refused("sellers", seller_state="XX")
    refused("orders", order_status="teleported")
    html = page(ana, "")
    for figure in (
        "<strong>2</strong> open rejects",
        "<strong>2</strong> rejected today",
        "<strong>1</strong> accepted",
    ):
        assert figure in html
    assert re.search(r'aria-label="\d+ \w+: 2 by api rejected"', html)
    for link in ("status=open&amp;table=sellers", "status=open&amp;code=invalid_choice", "/admin/olist/order/"):
        assert link in html


def test_each_link_of_the_front_page_leads_somewhere(ana: Client) -> None:
    refused("sellers", seller_state="XX")
    links = set(re.findall(r'href="(/admin/[^"]*)"', page(ana, "")))
    assert len(links) > 20
    for link in links:
        path = link.replace("&amp;", "&").removeprefix("/admin/")
        if not path.startswith("jsi18n"):
            page(ana, path)


def test_an_empty_desk_says_so(ana: Client) -> None:
    html = page(ana, "")
    assert "<strong>0</strong> open rejects" in html
    assert "Nothing was refused that is still open." in html


def test_who_may_see_no_rejects_and_no_batches_still_has_the_tables() -> None:
    refused("sellers", seller_state="XX")
    html = page(browser(staff("eva", "olist.view_seller")), "")
    assert "open rejects" not in html
    assert "Latest batches" not in html
    assert "/admin/olist/seller/" in html


def test_many_rejects_are_not_read_for_it(ana: Client) -> None:
    few = costs(ana, "/admin/")
    fill(20_000)
    many = costs(ana, "/admin/")
    assert many.queries <= few.queries + 2  # the planner is asked, too, and the batch for its account
    assert ("Seq Scan", "ingest_rejectedrecord") not in many.steps


def test_columns_are_stacked_within_their_frame_and_small_ones_can_be_seen() -> None:
    chart = columns([Place("a", {"load": 1_000_000, "api": 1}, "?a", "a"), Place("b", {}, "?b", "b")], ("load", "api"))
    load, api = chart.stacks[0].boxes
    assert (load.kind, api.kind, chart.stacks[1].boxes) == ("load", "api", ())
    assert api.y + api.height == pytest.approx(load.y)
    assert api.height >= 2
    assert api.y >= 0
    assert [label for _, label in chart.lines] == ["0", "1M", "2M"]


@pytest.mark.parametrize(("number", "text"), [(0, "0"), (999, "999"), (1_300, "1.3k"), (2_000_000, "2M")])
def test_numbers_of_an_axis_are_short(number: int, text: str) -> None:
    assert short(number) == text


def test_bars_are_shares_of_the_longest() -> None:
    assert [bar.share for bar in bars([("a", 4, "4", ""), ("b", 1, "1", ""), ("c", 0, "0", "")])] == [100, 25, 0]
    assert [bar.share for bar in bars([("a", 0, "0", "")])] == [0]
