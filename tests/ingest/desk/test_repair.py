"""Repair and replay at the desk: the form, the verdict beside its fields, and two people at once."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from ingest.models import RejectedRecord
from tests.ingest.desk.people import browser, refused, staff, stored

pytestmark = pytest.mark.django_db
LIST = "/admin/ingest/rejectedrecord/"


@pytest.fixture
def ana() -> Client:
    return browser(staff("ana", superuser=True))


def get(client: Client, path: str, status: int = 200) -> str:
    response = client.get(path, secure=True)
    assert response.status_code == status, response.content.decode()[:3000]
    return response.content.decode()


def form(reject: RejectedRecord, tries: int = 0, **values: str) -> dict[str, str]:
    """Fill in the form: what came, changed in so many ways."""
    entered = {**{name: value or "" for name, value in (reject.record or {}).items()}, **values}
    return {"tries": str(tries), **{f"record-{name}": value for name, value in entered.items()}}


def save(client: Client, reject: RejectedRecord, data: dict[str, str]) -> Any:
    return client.post(f"{LIST}{reject.pk}/repair/", data, secure=True)


def test_list_detail_and_form_lead_to_an_accepted_record(ana: Client) -> None:
    reject = refused("sellers", seller_state="XX")
    assert f"{LIST}{reject.pk}/change/" in get(ana, f"{LIST}?status=open&table=sellers")
    html = get(ana, f"{LIST}{reject.pk}/change/")
    assert f"{LIST}{reject.pk}/repair/" in html
    assert "XX (as it came)" in get(ana, f"{LIST}{reject.pk}/repair/")
    answer = save(ana, reject, form(reject, seller_state="rj"))
    assert answer.status_code == 302
    assert stored("sellers") == 1
    reject.refresh_from_db()
    assert (reject.status, reject.correction["seller_state"]) == ("replayed", "rj")  # type: ignore[index]
    (kept,) = reject.corrections.all()
    assert (kept.user.username, kept.record["seller_state"]) == ("ana", "rj")  # type: ignore[union-attr]
    assert "Repaired seller_state, and replayed: inserted" in LogEntry.objects.get().change_message
    assert "is in: inserted" in get(ana, f"{LIST}{reject.pk}/change/")
