"""A job in words: what is done, to which records."""

from urllib.parse import urlencode

from django.urls import reverse

from ingest.desk.bulk.recipe import from_json
from ingest.models import BulkJob
from ingest.table_admin.values import legible

_VERBS = {
    BulkJob.Action.REPAIR.value: "Repair by a recipe",
    BulkJob.Action.REPLAY.value: "Replay",
    BulkJob.Action.DISMISS.value: "Dismiss",
}
_NAMES = {"term": "found by", "first": "first seen", "day": "last seen", "group": "of group"}


def described(job: BulkJob) -> str:
    """Say what the job does, in one line."""
    if job.recipe:
        return f"Repair {job.table}: {legible(from_json(job.recipe).in_words(), at_most=300)}"
    return _VERBS[job.action]


def which(job: BulkJob) -> str:
    """Say which records: those selected, or what the list was narrowed to."""
    if job.numbers is not None:
        return f"{len(job.numbers):,} selected"
    parts = [f"{_NAMES.get(name, name)} {legible(value, at_most=60)}" for name, value in job.asked.items() if value]
    return ", ".join(parts) or "all open ones"


def list_of(job: BulkJob) -> str:
    """Return the address of the list that the job was made from; empty for a selection."""
    if job.numbers is not None:
        return ""
    filters = {("q" if name == "term" else name): value for name, value in job.asked.items() if value}
    return reverse("admin:ingest_rejectedrecord_changelist") + (f"?{urlencode(filters)}" if filters else "")
