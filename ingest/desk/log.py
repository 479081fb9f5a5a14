"""Whatever a person does at the desk stands in Django's log."""

from collections.abc import Iterable

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User

from ingest.models import RejectedRecord


def note(user: User, rejects: Iterable[RejectedRecord], message: str) -> None:
    """Write one entry for each reject."""
    found = list(rejects)
    if found:
        LogEntry.objects.log_actions(user.pk, found, CHANGE, message)
