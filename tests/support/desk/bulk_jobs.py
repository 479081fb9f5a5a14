"""Bulk jobs as people begin them at the list and press the buttons of their pages."""

import re
from typing import Any

from django.test import Client

from ingest.models import BulkJob, RejectedRecord
from tests.support.desk.people import send
from tests.support.loading.loads import hex_id

LIST = "/admin/ingest/rejectedrecord/"
RIO = {"how": "map", "pairs": "Rio => RJ", "field": "seller_state", "deed": "try"}


def sellers(*states: str, first: int = 0) -> None:
    """Have sellers refused for their states, and numbered from ``first`` on."""
    send(*[("sellers", {"seller_id": hex_id(first + n), "seller_state": state}) for n, state in enumerate(states)])


def begun(client: Client, query: str = "", action: str = "repair_selected", **data: Any) -> str:
    """Have a job made by the list's action, and return the path of its page."""
    some = RejectedRecord.objects.values_list("pk", flat=True)[:1]
    given = {"action": action, "_selected_action": [str(pk) for pk in some], "select_across": "1", **data}
    return str(client.post(f"{LIST}{query}", given, secure=True).headers["Location"])


def seen(client: Client, path: str) -> str:
    """Return what the page, as it stands, says that its reader saw."""
    found = re.search(r'name="seen" value="([^"]*)"', client.get(path, secure=True).content.decode())
    return found[1] if found else ""


def press(client: Client, path: str, **data: str) -> str:
    """Press a button of the page, as it stands, and return the page that follows."""
    answer = client.post(path, {"seen": seen(client, path), **data}, secure=True, follow=True)
    return " ".join(answer.content.decode().split())


def totals(job: BulkJob) -> tuple[int | None, int, int, int, int]:
    """Return how many records it has, has done, passed, failed and left alone: the last three make the second."""
    job.refresh_from_db()
    assert job.done == job.passed + job.failed + sum(job.left.values())
    return job.total, job.done, job.passed, job.failed, sum(job.left.values())
