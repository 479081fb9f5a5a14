"""The desk in a real browser: from the login to a record that is in, and pages that everybody can use."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from access.tokens import create_token
from ingest.desk.bulk import jobs, worker
from ingest.desk.bulk.recipe import Recipe
from ingest.models import RejectedRecord
from olist.models import Customer, Seller
from tests.support.api.parcels import stored
from tests.support.desk.people import refused, send, staff
from tests.support.desk.site import Site
from tests.support.loading.loads import PLAIN, hex_id

pytestmark = pytest.mark.slow  # a browser takes seconds to start

LIST = "ingest/rejectedrecord/"
EVIL = "<script>alert(1)</script>"


def test_a_person_finds_opens_repairs_wrongly_and_then_rightly(site: Site) -> None:
    staff("ana", superuser=True)
    send(("orders", {"order_status": "teleported"}), ("geolocation", {"geolocation_lat": "95"}))
    refused("sellers", seller_state="XX", seller_zip_code_prefix="1037")
    site.log_in("ana")
    page = site.page
    page.click("text=open rejects")
    page.click("#changelist-filter a:has-text('sellers (1)')")
    page.click("#result_list th a")
    site.see("Field by field")
    assert "Choose one of: SP" in site.text()
    assert "taken as 01037" in site.text()
    page.click(".forge-tools >> text=Repair")
    assert page.input_value("[name=record-seller_state]") == "XX"
    page.select_option("[name=record-seller_state]", "RJ")
    page.fill("[name=record-seller_city]", "")
    page.click("text=Save and replay")
    site.see("It was refused again")
    row = page.locator(".forge-row", has=page.locator("[name=record-seller_city]"))
    assert "required" in row.inner_text()
    assert page.input_value("[name=record-seller_state]") == "RJ"
    assert stored("sellers") == 0
    page.fill("[name=record-seller_city]", "niterói")
    page.click("text=Save and replay")
    site.see("is in: inserted")
    assert "replayed" in page.inner_text(".forge-head")
    assert page.locator(".forge-tools >> text=Repair").count() == 0
    site.go(f"olist/seller/{hex_id(1)}/change/")
    assert "niterói" in site.text()
    assert "01037" in site.text()
    assert site.complaints == []


def test_who_may_not_repair_sees_no_button_and_is_refused(site: Site) -> None:
    reject = refused("sellers", seller_state="XX")
    other = refused("orders", order_status="teleported")
    staff("eva", "ingest.view_rejectedrecord", "olist.view_seller")
    site.log_in("eva")
    site.go(f"{LIST}{reject.pk}/change/")
    assert "XX" in site.text()
    assert site.page.locator(".forge-tools >> text=Repair").count() == 0
    assert site.page.locator("text=Dismiss").count() == 0
    assert site.go(f"{LIST}{reject.pk}/repair/") == 403
    assert site.go(f"{LIST}{other.pk}/change/") == 404
    site.go(LIST)
    assert "1 rejected record" in site.text()
    assert site.page.locator("select[name=action]").count() == 0


def test_several_are_dismissed_with_a_note(site: Site) -> None:
    staff("ana", superuser=True)
    send(*[("sellers", {"seller_id": hex_id(n), "seller_state": "XX"}) for n in range(3)])
    site.log_in("ana")
    site.go(LIST)
    site.page.click("#action-toggle")
    site.page.select_option("select[name=action]", "dismiss_selected")
    site.page.click("text=Run")
    site.page.fill("#why", "a test client")
    site.page.click("button:has-text('Dismiss')")
    site.see("Dismissed 3.")
    assert set(RejectedRecord.objects.values_list("status", "closed_why")) == {("dismissed", "a test client")}


def select_all_of_the_list(site: Site, count: int) -> None:
    site.page.click("#action-toggle")
    site.page.click(f"text=Select all {count}")


def test_all_of_a_list_of_several_pages_are_dismissed_with_a_note(site: Site) -> None:
    staff("ana", superuser=True)
    send(*[("sellers", {"seller_id": hex_id(n), "seller_state": "XX"}) for n in range(228)])
    refused("orders", order_status="x")
    site.log_in("ana")
    site.go(LIST)
    site.page.click("#changelist-filter a:has-text('sellers (228)')")
    select_all_of_the_list(site, 228)
    site.page.select_option("select[name=action]", "dismiss_selected")
    site.page.click("text=Run")
    site.see("Dismiss 228 records")
    send(("sellers", {"seller_id": hex_id(300), "seller_state": "XX"}))  # it comes while the note is written
    site.page.fill("#why", "a test client")
    site.page.click("button:has-text('Dismiss')")
    site.see("Dismissed 228.")
    assert RejectedRecord.objects.filter(status="dismissed", table="sellers").count() == 228
    assert RejectedRecord.objects.filter(status="open").count() == 2


def test_all_of_a_list_of_several_pages_are_exported(site: Site) -> None:
    staff("ana", superuser=True)
    send(*[("sellers", {"seller_id": hex_id(n), "seller_state": "XX"}) for n in range(120)])
    site.log_in("ana")
    site.go(LIST)
    select_all_of_the_list(site, 120)
    site.page.select_option("select[name=action]", label="Export")
    site.page.click("text=Run")
    site.see("Export 120 records of sellers")
    _, text = download(site, "NDJSON")
    assert len(text.splitlines()) == 120


def test_many_are_replayed_once_their_parent_is_there(site: Site) -> None:
    staff("ana", superuser=True)
    send(*[("orders", {"order_id": hex_id(n)}) for n in range(3)])
    Customer.objects.create(**PLAIN["customers"])  # not by a batch, after which they would have been healed already
    site.log_in("ana")
    site.go(f"{LIST}?code=does_not_exist")
    site.page.click("#action-toggle")
    site.page.select_option("select[name=action]", "replay_selected")
    site.page.click("text=Run")
    site.see("Replayed 3: 3 are in")
    assert stored("orders") == 3


def test_a_person_filters_exports_opens_and_posts_back(site: Site) -> None:
    ana = staff("ana", superuser=True)
    evil = ["'=1+1", "=1+1", "\u200c\u200d@x", "rio; +x"]
    send(*[("sellers", {"seller_id": hex_id(n), "seller_state": "XX", "seller_city": c}) for n, c in enumerate(evil)])
    refused("orders", order_status="teleported")
    site.log_in("ana")
    site.go(LIST)
    site.page.click("#changelist-filter a:has-text('sellers (4)')")
    site.page.click("#action-toggle")
    site.page.select_option("select[name=action]", label="Export")
    site.page.click("text=Run")
    site.see("Export 4 records of sellers")
    assert look(site) == []
    name, text = download(site, "CSV for a spreadsheet")
    assert name == "sellers_rejects_for_a_spreadsheet.csv"
    opened = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert [row["seller_city"] for row in opened] == ["''=1+1", "'=1+1", "'\u200c\u200d@x", "rio;' +x"]
    assert {row["reject_reasons"].partition(":")[0] for row in opened} == {"seller_state"}
    token = create_token(ana, name="browser", expires=None)
    for button, kind in (("CSV, unescaped", "text/csv"), ("NDJSON", "application/x-ndjson")):
        _, text = download(site, button)
        mended = text.replace("XX", "RJ")
        answer = site.page.request.post(
            f"{site.url}/api/v1/batches/?table=sellers",
            data=mended.encode(),
            headers={"Authorization": f"Token {token}", "Content-Type": kind},
        )
        assert answer.status == (201 if kind == "text/csv" else 200)  # the second file holds the same records
    assert list(Seller.objects.order_by("seller_id").values_list("seller_city", flat=True)) == evil
    site.page.click("a:text-is('Back')")
    site.see("4 rejected records")
    assert site.page.locator("#result_list .forge-status-superseded").count() == 4
    assert site.complaints == []


def download(site: Site, button: str) -> tuple[str, str]:
    """Press a button that gives a file; return its name and text."""
    with site.page.expect_download() as started:
        site.page.click(f"button:text-is('{button}')")
    return started.value.suggested_filename, Path(started.value.path()).read_bytes().decode()


def test_many_are_repaired_by_a_recipe_with_a_preview(site: Site) -> None:
    staff("ana", superuser=True)
    send(*[("sellers", {"seller_id": hex_id(n), "seller_state": "Rio"}) for n in range(3)])
    refused("sellers", seller_id=hex_id(9), seller_state="Rio", seller_city="")
    site.log_in("ana")
    site.go(f"{LIST}?table=sellers")
    page = site.page
    page.click("#action-toggle")
    page.select_option("select[name=action]", "repair_selected")
    page.click("text=Run")
    site.see("The recipe, for 4 open records")
    assert page.locator("[name=pairs]").is_hidden()
    page.check("[name=how][value=map]")
    assert page.input_value("[name=pairs]") == "Rio =>"
    found = {"recipe": look(site)}
    page.click("text=Preview")
    site.see("No line has a new value")
    found["wrong"] = look(site)
    page.fill("[name=pairs]", "Rio => RJ")
    page.click("text=Preview")
    site.see("3 would pass")
    site.see("1 would still fail")
    assert "seller_city blank" in page.inner_text(".forge-account")
    assert stored("sellers") == 0
    found["preview"] = look(site)
    page.click("text=Apply the recipe to 4 records")
    site.see("3 are in")
    assert stored("sellers") == 3
    found["done"] = look(site)
    site.go("ingest/bulkjob/")
    site.see("4 of 4")
    found["jobs"] = look(site)
    assert {path: said for path, said in found.items() if said} == {}
    assert site.complaints == []


def test_long_work_shows_its_progress_and_is_found_again(site: Site, settings: Any) -> None:
    settings.TASKS = {"default": {"BACKEND": "django.tasks.backends.dummy.DummyBackend"}}
    ana = staff("ana", superuser=True)
    send(*[("sellers", {"seller_id": hex_id(n), "seller_state": "Rio"}) for n in range(3)])
    recipe = Recipe(field="seller_state", how="set", put="RJ")
    job = jobs.draft("repair", user=ana, asked={}, numbers=None)
    jobs.try_out(job, table="sellers", recipe=recipe)
    site.log_in("ana")
    site.go(f"ingest/bulkjob/{job.pk}/change/")
    site.see("Gathering the records")
    assert look(site) == []
    site.go("ingest/bulkjob/")
    site.page.click("text=seller_state becomes")
    site.see("This page may be closed")
    worker.carry_on(job.pk)  # the worker
    site.see("3 would pass")
    site.see("Apply the recipe")
    assert site.complaints == []


def test_everybody_can_use_the_pages_in_light_and_dark(site: Site) -> None:
    staff("ana", superuser=True)
    send(("orders", {"order_status": "teleported"}), ("geolocation", {"geolocation_lat": "95", EVIL: EVIL}))
    reject = refused("sellers", seller_state="XX", seller_zip_code_prefix="1037", seller_city=EVIL)
    orphan = refused("orders", order_id=hex_id(2))
    site.go("")
    found = {"login": look(site)}
    site.log_in("ana")
    for path in (
        "",
        LIST,
        f"{LIST}?by=group",
        f"{LIST}{reject.pk}/change/",
        f"{LIST}{orphan.pk}/change/",
        f"{LIST}{reject.pk}/repair/",
        "ingest/batch/",
        f"ingest/batch/{reject.batch_id}/change/",
    ):
        assert site.go(path) == 200
        found[path] = look(site)
    site.go(f"{LIST}{reject.pk}/repair/")
    site.page.click("text=Save and replay")
    site.see("It was refused again")
    found["wrong"] = look(site)
    assert {path: said for path, said in found.items() if said} == {}
    assert site.complaints == []


def look(site: Site) -> list[str]:
    return [*site.violations("light"), *site.violations("dark")]


def test_the_documentation_of_the_api_works_under_its_looser_policy(site: Site) -> None:
    site.page.goto(f"{site.url}/api/docs/")
    site.page.locator("#operations-batches-batches_create, .opblock-post").first.wait_for()
    assert "/api/v1/batches/" in site.text()
    assert site.complaints == []


def test_after_too_many_attempts_the_login_says_when_to_come_again(site: Site) -> None:
    staff("ana")
    for _ in range(6):
        site.go("")
        site.page.fill("#id_username", "ana")
        site.page.fill("#id_password", "wrong")
        site.page.click("[type=submit]")
        site.page.wait_for_selector(".errornote")
    assert "Too many attempts. Try again in" in site.text()
    assert [line for line in site.complaints if "429" not in line] == []
