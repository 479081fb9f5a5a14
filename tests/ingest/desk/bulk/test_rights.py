"""The rights of who began a bulk job are asked for at the list, on its page and while it works."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from ingest.desk.bulk import jobs, worker
from ingest.models import BulkJob
from tests.support.access.people import browser
from tests.support.desk.admin_pages import page
from tests.support.desk.bulk_jobs import LIST, RIO, begun, press, sellers, totals
from tests.support.desk.people import DESK, refused, staff

pytestmark = pytest.mark.django_db
SELLERS = ("olist.view_seller", "olist.change_seller")


@pytest.fixture
def eva() -> User:
    """Somebody at the desk who may change sellers and nothing else."""
    return staff("eva", *DESK, *SELLERS)


@pytest.fixture
def hers(eva: User) -> tuple[Client, str]:
    """Her browser, and the page of her job of all that is rejected: two sellers, and an order that is not for her."""
    sellers("Rio", "Rio")
    refused("orders", order_status="x")
    client = browser(eva)
    return client, begun(client)


def take_away(user: User, codename: str) -> None:
    user.user_permissions.remove(*user.user_permissions.filter(codename=codename))


def test_the_page_of_a_job_is_there_only_for_who_began_it(hers: tuple[Client, str]) -> None:
    other = browser(staff("olga", *DESK, *SELLERS))
    assert other.get(hers[1], secure=True).status_code == 404


def test_a_job_takes_only_records_that_its_owner_may_see(hers: tuple[Client, str]) -> None:
    client, path = hers
    press(client, path, **RIO)
    assert totals(BulkJob.objects.get()) == (2, 2, 2, 0, 0)


def test_a_right_that_is_lost_after_the_preview_is_asked_for_while_it_works(
    eva: User, hers: tuple[Client, str]
) -> None:
    client, path = hers
    press(client, path, **RIO)
    take_away(eva, "change_seller")
    press(client, path, deed="carry_out")
    job = BulkJob.objects.get()
    assert totals(job) == (2, 2, 0, 0, 2)
    assert job.left == {"of a table that you may not change": 2}


def test_a_page_has_no_buttons_for_who_may_repair_no_more(eva: User, hers: tuple[Client, str]) -> None:
    client, path = hers
    take_away(eva, "repair_rejectedrecord")
    assert "deed" not in page(client, path.removeprefix("/admin/"))


def test_a_button_is_refused_to_who_may_repair_no_more(eva: User, hers: tuple[Client, str]) -> None:
    client, path = hers
    take_away(eva, "repair_rejectedrecord")
    assert client.post(path, {"deed": "go_on", "seen": ""}, secure=True).status_code == 403


def test_the_action_of_the_list_is_refused_to_who_may_repair_no_more(eva: User, hers: tuple[Client, str]) -> None:
    client, _ = hers
    take_away(eva, "repair_rejectedrecord")
    assert client.post(LIST, {"action": "repair_selected", "_selected_action": "1"}, secure=True).status_code == 403


def test_a_worker_does_nothing_for_who_may_repair_no_more(eva: User, hers: tuple[Client, str]) -> None:
    client, path = hers
    press(client, path, **RIO)
    take_away(eva, "repair_rejectedrecord")
    job = BulkJob.objects.get()
    jobs.carry_out(job)
    worker.carry_on(job.pk)
    assert BulkJob.objects.get().error.startswith("Whoever asked for it is gone")


def test_the_list_of_jobs_is_refused_to_who_has_no_rights_any_more(eva: User, hers: tuple[Client, str]) -> None:
    client, _ = hers
    eva.user_permissions.clear()
    assert client.get("/admin/ingest/bulkjob/", secure=True).status_code == 403
